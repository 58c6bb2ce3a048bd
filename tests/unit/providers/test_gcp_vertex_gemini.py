"""Gemini at Vertex AI: what differs from AI Studio."""

from typing import Any

import pytest

from lsd.conversation import NO_EDITS, AttemptFailed, WireRequest, encode_json
from lsd.providers._sealing import USER_AGENT
from tests.unit.providers.recorded import CREDENTIALS, GEMINI_TYPES, body, make_dialect, request

HERE = (
    "https://us-central1-aiplatform.googleapis.com/v1/projects/proj/locations/us-central1/"
    "publishers/google/models/m-1"
)


def wire(*, stream: bool = False, **keys: Any) -> WireRequest:
    """The request as it is sent."""
    dialect = make_dialect("gcp_vertex_gemini", **keys)
    return dialect.encode(request(stream=stream), CREDENTIALS, NO_EDITS)


def test_where_requests_go() -> None:
    """Case 25: a model of the catalogue or an endpoint, in a region or everywhere."""
    assert wire().url == f"{HERE}:generateContent"
    assert wire(stream=True).url == f"{HERE}:streamGenerateContent?alt=sse"
    assert wire(model_id=None, endpoint_id="42", location="global").url == (
        "https://aiplatform.googleapis.com/v1/projects/proj/locations/global/"
        "endpoints/42:generateContent"
    )


def test_the_headers() -> None:
    """A token lets in, and no key is shown."""
    assert dict(wire().headers) == {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Authorization": "Bearer ya29.secret",
    }


def test_the_body_is_that_of_ai_studio() -> None:
    """What is true of one is true of the other."""
    first, second = (body(make_dialect(kind), request(system="Be brief.")) for kind in GEMINI_TYPES)

    assert first == second


def test_a_missing_model_comes_with_a_hint() -> None:
    """Case 27: models of the catalogue and tuned ones are easily mistaken for each other."""
    answer = {"error": {"code": 404, "message": "Not there", "status": "NOT_FOUND"}}

    with pytest.raises(AttemptFailed) as failed:
        make_dialect("gcp_vertex_gemini").decode(404, {}, encode_json(answer))

    assert "Not there" in failed.value.text
    assert "tuned ones endpoint_id" in failed.value.text
