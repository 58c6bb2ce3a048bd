"""Claude at Vertex AI: what differs from Anthropic itself."""

from typing import Any

import pytest

from lsd.conversation import NO_EDITS, ChatCompletionParams, FunctionTool, ToolSet, decode_json
from lsd.providers._sealing import USER_AGENT
from tests.unit.providers.recorded import CREDENTIALS, body, make_dialect, request, warned

SCHEMA = {"type": "object"}
HERE = (
    "https://us-central1-aiplatform.googleapis.com/v1/projects/proj/locations/us-central1/"
    "publishers/anthropic/models/m-1"
)


def vertex(**keys: Any) -> Any:
    """The dialect of a model there."""
    return make_dialect("gcp_vertex_anthropic", **keys)


def wire(*, credentials: Any = None, stream: bool = False, **keys: Any) -> Any:
    """The request as it is sent."""
    given = CREDENTIALS if credentials is None else credentials
    return vertex(**keys).encode(request(stream=stream), given, NO_EDITS)


def test_where_messages_go() -> None:
    """The URL tells the model, and whether the answer is to be streamed."""
    assert wire().url == f"{HERE}:rawPredict"
    assert wire(stream=True).url == f"{HERE}:streamRawPredict"
    endpoint = wire(model_id=None, endpoint_id="42", location="global").url
    assert endpoint == (
        "https://aiplatform.googleapis.com/v1/projects/proj/locations/global/"
        "endpoints/42:rawPredict"
    )


def test_the_headers() -> None:
    """A token lets in; the version is in the body, and a stranger's project may pay."""
    headers = wire().headers
    payer = wire(credentials={"access_token": "t", "quota_project": "payer"}).headers

    assert dict(headers) == {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Authorization": "Bearer ya29.secret",
    }
    assert payer["x-goog-user-project"] == "payer"


def test_the_body_begins_with_the_version() -> None:
    """No model is in it: the URL has told."""
    sent = decode_json(wire(stream=True).body)

    assert next(iter(sent)) == "anthropic_version"
    assert sent["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in sent
    assert sent["stream"] is True


@pytest.mark.parametrize(
    ("keys", "max_tokens"),
    [
        ({"model_id": "claude-sonnet-4-5@20250929"}, 64_000),
        ({"model_id": "claude-opus-4-6"}, 128_000),
        ({"model_id": "claude-opus-4-6@default"}, 128_000),
        ({"model_id": None, "endpoint_id": "42"}, 8192),
    ],
)
def test_models_are_known_by_their_ids(keys: dict[str, Any], max_tokens: int) -> None:
    """Case 3: with or without a version; what is behind an endpoint nobody knows."""
    dialect = vertex(**keys)

    assert body(dialect, request())["max_tokens"] == max_tokens
    assert ("max_tokens" in warned(dialect, request())) is (max_tokens == 8192)


@pytest.mark.parametrize("mode", ["on", "strict"])
def test_json_rests_on_the_prompt(mode: Any) -> None:
    """Schemas may be forbidden there, and answers cannot be begun; the log says so once."""
    asked = request(json_mode=mode, output_schema=SCHEMA, is_all_json=True)
    dialect = vertex(model_id="claude-haiku-4-5")

    sent = body(dialect, asked)

    assert "output_config" not in sent
    assert [message["role"] for message in sent["messages"]] == ["user"]
    assert warned(dialect, asked) == ["json_mode"]


@pytest.mark.parametrize("mode", ["on", "strict"])
def test_schemas_can_be_allowed(mode: Any) -> None:
    """By the operator who knows his organisation's policy."""
    asked = request(json_mode=mode, output_schema=SCHEMA, is_all_json=True)
    dialect = vertex(model_id="claude-haiku-4-5", beta_structured_outputs=True)

    sent = body(dialect, asked)

    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    headers = dialect.encode(asked, CREDENTIALS, NO_EDITS).headers
    assert headers["anthropic-beta"] == "structured-outputs-2025-11-13"


@pytest.mark.parametrize("allowed", [False, True])
def test_strict_tools_need_the_same_leave(allowed: bool) -> None:
    """They rest on schemas, too."""
    tool = FunctionTool(name="t", description="d", parameters=SCHEMA, strict=True)
    dialect = vertex(model_id="claude-haiku-4-5", beta_structured_outputs=allowed)

    sent = body(dialect, request(tools=ToolSet(tools=(tool,))))

    assert ("strict" in sent["tools"][0]) is allowed


def test_there_are_no_service_tiers() -> None:
    """Google has its own arrangements."""
    asked = request(params=ChatCompletionParams(service_tier="auto", max_tokens=5))

    assert "service_tier" not in body(vertex(), asked)
    assert warned(vertex(), asked) == ["service_tier"]
