"""A draft becomes bytes after the edits of variant, provider and request."""

import pytest
from structlog.testing import capture_logs

from lsd import __version__
from lsd.conversation import (
    AttemptFailed,
    BodyEdit,
    Edits,
    HeaderEdit,
    WireRequest,
    decode_json,
)
from lsd.providers._sealing import USER_AGENT, seal

HEADERS = {"Authorization": "Bearer k", "Content-Type": "application/json"}
BODY = {"model": "m", "temperature": 0.1, "stream_options": {"include_usage": True}}


def sealed(edits: Edits, provider_type: str) -> WireRequest:
    """A request as a dialect has it sealed."""
    return seal("http://x/v1/chat/completions", HEADERS, BODY, edits, provider_type)


def test_a_body_is_compact_json_in_the_order_of_its_keys() -> None:
    """Case 21: equal requests give equal bytes, and numbers stay as they were given."""
    wire = sealed(Edits(), "openai")

    assert wire.method == "POST"
    assert wire.body == (b'{"model":"m","temperature":0.1,"stream_options":{"include_usage":true}}')
    assert wire.headers == HEADERS


def test_later_body_edits_win() -> None:
    """Case 6: edits are made in their order: variant, provider, request."""
    edits = Edits(
        body=(
            BodyEdit(pointer="/top_k", value=1),
            BodyEdit(pointer="/top_k", value=2),
            BodyEdit(pointer="/stream_options", delete=True),
            BodyEdit(pointer="/top_k", value=3),
        )
    )

    wire = sealed(edits, "openai")

    assert decode_json(wire.body) == {"model": "m", "temperature": 0.1, "top_k": 3}


def test_headers_are_overridden_and_deleted_in_any_case() -> None:
    """Case 5: a header is replaced or removed however its name is written, LSD's own included."""
    edits = Edits(
        headers=(
            HeaderEdit(name="authorization", value="Basic abc"),
            HeaderEdit(name="X-Trace", value="1"),
            HeaderEdit(name="x-trace", value="2"),
            HeaderEdit(name="CONTENT-TYPE", delete=True),
            HeaderEdit(name="x-absent", delete=True),
        )
    )

    wire = sealed(edits, "openai")

    assert wire.headers == {"authorization": "Basic abc", "x-trace": "2"}


def test_a_bad_pointer_fails_the_attempt_and_is_named() -> None:
    """The operator reads which pointer was wrong, and why."""
    edits = Edits(body=(BodyEdit(pointer="/messages/7", value=1),))

    with pytest.raises(AttemptFailed) as failed:
        sealed(edits, "groq")

    assert failed.value.kind == "config"
    assert failed.value.text == (
        "groq: extra_body: pointer '/messages/7': "
        "`messages` is missing, so there is no array in which `7` could be"
    )


def test_deleting_what_is_absent_warns() -> None:
    """An edit without effect is told, because it is probably a mistake."""
    edits = Edits(body=(BodyEdit(pointer="/top_p", delete=True),))

    with capture_logs() as logs:
        wire = sealed(edits, "groq")

    assert decode_json(wire.body) == BODY
    assert [(each["log_level"], each["pointer"]) for each in logs] == [("warning", "/top_p")]


@pytest.mark.parametrize(
    "edit",
    [
        HeaderEdit(name="x-a", value="secret\r\nx-b: 1"),
        HeaderEdit(name="x-a", value="secret\n"),
        HeaderEdit(name="x-a", value="secret\x00"),
        HeaderEdit(name="x a", value="secret"),
        HeaderEdit(name="", value="secret"),
        HeaderEdit(name="x-a\n", value="secret"),
    ],
)
def test_a_header_cannot_smuggle_another(edit: HeaderEdit) -> None:
    """Line ends and other characters that no header may hold are refused, unseen."""
    with pytest.raises(AttemptFailed) as failed:
        sealed(Edits(headers=(edit,)), "groq")

    assert failed.value.kind == "config"
    assert "secret" not in failed.value.text


def test_a_body_without_json_form_fails_the_attempt() -> None:
    """A value nested deeper than can be written is refused here, not further down."""
    edits = Edits(body=(BodyEdit(pointer="/a" * 2000, value=1),))

    with pytest.raises(AttemptFailed) as failed:
        sealed(edits, "groq")

    assert failed.value.kind == "config"


def test_lsd_names_itself() -> None:
    """Providers see which program calls, and its version."""
    assert f"LSD/{__version__}" == USER_AGENT


@pytest.mark.parametrize(
    ("edits", "anonymous"),
    [
        ((), False),
        ((HeaderEdit(name="x-other", delete=True),), False),
        ((HeaderEdit(name="user-agent", delete=True),), True),
        ((HeaderEdit(name="user-agent", delete=True), HeaderEdit(name="User-Agent", value="a")),
         False),
    ],
)  # fmt: skip
def test_lsd_can_be_kept_from_naming_itself(edits: tuple[HeaderEdit, ...], anonymous: bool) -> None:
    """A deleted User-Agent stays deleted."""
    assert sealed(Edits(headers=edits), "groq").anonymous is anonymous
