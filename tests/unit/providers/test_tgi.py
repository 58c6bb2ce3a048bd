"""A Text Generation Inference server has one model and few features."""

from structlog.testing import capture_logs

from lsd.conversation import NO_EDITS, FunctionTool, StreamFault, ToolSet
from tests.unit.providers.recorded import body, make_dialect, refused, request

TOOLS = ToolSet(tools=(FunctionTool(name="wx", description="", parameters={}),))


def test_the_model_is_always_called_the_same() -> None:
    """The server has one, and asks for no name."""
    assert body(make_dialect("tgi"), request())["model"] == "tgi"


def test_tools_do_not_stream() -> None:
    """Case 49: the attempt fails before anything is sent."""
    told = refused(make_dialect("tgi"), request(tools=TOOLS, stream=True))

    assert told == "tgi: found tools in a streaming request; this type has them without"
    assert "tools" in body(make_dialect("tgi"), request(tools=TOOLS))


def test_a_streamed_tool_call_is_malformed() -> None:
    """What the server sends there cannot be put together."""
    decoder = make_dialect("tgi").stream_decoder(200, {"content-type": "text/event-stream"})

    events = decoder.feed(
        b'data:{"choices":[{"delta":{"tool_calls":{"index":0,"function":{"name":"wx"}}}}]}\n\n'
    )

    (fault,) = [event for event in events if isinstance(event, StreamFault)]
    assert fault.failure.kind == "malformed"


def test_json_modes_come_with_a_hint() -> None:
    """The warning says what works instead."""
    with capture_logs() as logs:
        make_dialect("tgi").encode(request(json_mode="on"), {}, NO_EDITS)

    assert [(each["parameter"], each["hint"]) for each in logs] == [
        ("json_mode", 'json_mode = "tool" works, without streaming')
    ]
