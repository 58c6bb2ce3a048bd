"""Groq reasons in a format of the operator's choice, and takes images only."""

from lsd.conversation import Base64File, Text, Thought
from tests.unit.providers.recorded import body, make_dialect, request, warned

REMEMBERED = request("Hi", [Thought(text="Hm."), Text(text="Yes?")])


def test_thoughts_go_back_only_to_models_that_reason() -> None:
    """A configured `reasoning_format` shows that this model does."""
    plain = body(make_dialect("groq"), REMEMBERED)
    reasoning = body(make_dialect("groq", reasoning_format="parsed"), REMEMBERED)

    assert plain["messages"][1] == {"role": "assistant", "content": "Yes?"}
    assert "reasoning_format" not in plain
    assert reasoning["messages"][1]["reasoning"] == "Hm."
    assert reasoning["reasoning_format"] == "parsed"
    assert warned(make_dialect("groq"), REMEMBERED) == ["thought"]
    assert warned(make_dialect("groq", reasoning_format="parsed"), REMEMBERED) == []


def test_every_inlined_file_is_sent_as_an_image() -> None:
    """Groq has no other part for files."""
    file = Base64File(data="aGk=", mime_type="application/pdf")

    part = body(make_dialect("groq"), request([file]))["messages"][0]["content"][0]

    assert part["image_url"]["url"] == "data:application/pdf;base64,aGk="
