"""Text Generation Inference: one model, no JSON mode, tools only without streaming."""

from lsd.providers._openai_family import Body, Encoding, Member

MODEL = "tgi"
"""What the one model of a server is called, whatever it is."""


def _response_format(encoding: Encoding) -> None:
    if encoding.request.json_mode != "off":
        encoding.leave_out("json_mode", hint='json_mode = "tool" works, without streaming')


def _finish_body(body: Body, encoding: Encoding) -> None:
    if "tools" in body and encoding.request.stream:
        raise encoding.refusal("found tools in a streaming request; this type has them without")


TGI = Member(
    provider_type="tgi",
    takes_reasoning_effort=False,
    adds_json_instruction=True,
    response_format=_response_format,
    finish_body=_finish_body,
    streams_tool_calls=False,
    code_statuses={
        "validation": 422,
        "overloaded": 429,
        "generation": 424,
        "incomplete_generation": 500,
    },
)
