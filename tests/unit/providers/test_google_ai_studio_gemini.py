"""Gemini at Google AI Studio: where requests go, and with what."""

import pytest

from lsd.conversation import NO_EDITS, AttemptFailed, Edits, HeaderEdit, WireRequest
from lsd.providers._sealing import USER_AGENT
from tests.unit.providers.recorded import make_dialect, request


def wire(
    *, key: str | None = "AIza-1", stream: bool = False, edits: Edits = NO_EDITS, **keys: str
) -> WireRequest:
    """The request as it is sent."""
    dialect = make_dialect("google_ai_studio_gemini", **keys)
    return dialect.encode(request(stream=stream), {"api_key": key}, edits)


def test_where_requests_go() -> None:
    """The model is in the URL, and so is whether the answer is to be streamed."""
    home = "https://generativelanguage.googleapis.com/v1beta/models/m-1"

    assert (wire().method, wire().url) == ("POST", f"{home}:generateContent")
    assert wire(stream=True).url == f"{home}:streamGenerateContent?alt=sse"


@pytest.mark.parametrize("base", ["https://h/v1beta", "https://h/v1beta/"])
def test_the_base_may_end_with_a_slash_or_not(base: str) -> None:
    """Both spellings lead to the same place."""
    assert wire(api_base=base).url == "https://h/v1beta/models/m-1:generateContent"


def test_a_name_cannot_lead_elsewhere() -> None:
    """What callers of a shorthand write is a name and no path."""
    assert wire(model_name="../x?y#z").url.endswith("/models/..%2Fx%3Fy%23z:generateContent")


def test_the_key_is_in_a_header() -> None:
    """In a URL it would be in the logs of everybody on the way."""
    sent = wire()

    assert dict(sent.headers) == {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "x-goog-api-key": "AIza-1",
    }
    assert "AIza" not in sent.url
    assert "x-goog-api-key" not in wire(key=None).headers


def test_an_edit_may_replace_the_key() -> None:
    """Operators have the last word, in any case of the name."""
    edits = Edits(headers=(HeaderEdit(name="X-Goog-Api-Key", value="other"),))

    headers = wire(edits=edits).headers

    assert [headers[name] for name in headers if name.lower() == "x-goog-api-key"] == ["other"]


def test_a_key_that_no_header_may_hold_is_not_shown() -> None:
    """The error says which header is wrong, and keeps the secret."""
    with pytest.raises(AttemptFailed) as failed:
        wire(key="AIza-secret\n")

    assert "x-goog-api-key" in failed.value.text
    assert "secret" not in failed.value.text
