"""Azure names the deployment in the URL, and the key in a header of its own."""

import pytest

from lsd.config import LiteralLocation
from lsd.conversation import NO_EDITS, ToolCall, ToolResult, decode_json
from tests.unit.providers.recorded import body, make_dialect, request


@pytest.mark.parametrize(
    ("deployment", "segment"), [("d-1", "d-1"), ("a b/c", "a%20b%2Fc"), ("x?y", "x%3Fy")]
)
def test_the_deployment_is_one_segment_of_the_path(deployment: str, segment: str) -> None:
    """Case 42: no `model` in the body, and no way out of the segment."""
    dialect = make_dialect("azure", deployment_id=deployment, api_version="2025-01-01")

    wire = dialect.encode(request(), {"api_key": "k"}, NO_EDITS)

    assert wire.url == (
        f"https://res.example/openai/deployments/{segment}/chat/completions?api-version=2025-01-01"
    )
    assert "model" not in decode_json(wire.body)


def test_the_key_goes_into_its_own_header() -> None:
    """Azure reads `api-key`; `Authorization` would mean a token."""
    headers = make_dialect("azure").encode(request(), {"api_key": "k"}, NO_EDITS).headers

    assert headers["api-key"] == "k"
    assert "Authorization" not in headers


def test_an_endpoint_keeps_its_path() -> None:
    """An endpoint behind a gateway may have one."""
    endpoint = LiteralLocation("https://gw.example/azure/")
    wire = make_dialect("azure", endpoint=endpoint).encode(request(), {}, NO_EDITS)

    assert wire.url.startswith("https://gw.example/azure/openai/deployments/d-1/")


def test_long_ids_of_tool_calls_are_shortened() -> None:
    """Azure is as strict as OpenAI itself."""
    long = "x" * 41
    asked = request(
        "Hi",
        [ToolCall(id=long, name="wx", arguments="{}")],
        [ToolResult(id=long, name="wx", result="1")],
    )

    said = body(make_dialect("azure"), asked)["messages"]

    assert said[1]["tool_calls"][0]["id"] == said[2]["tool_call_id"] != long
