"""Each configured provider is spoken to in its own language, and few have a batch API."""

from typing import Any

import pytest

from lsd.config import GcpBatch, OpenAIProvider, ProviderTypes
from lsd.config.tables.provider_types import GcpVertexGeminiType
from lsd.conversation import ToolCall
from lsd.providers import OpenAIBatches, batch_api_for, begins_jobs, dialect_for
from lsd.providers.openai_chat import OpenAIChat
from lsd.providers.vertex_batches import VertexBatches
from tests.unit.providers.recorded import make_dialect, make_provider


def test_ids_are_unlike_each_other_without_a_generator() -> None:
    """Case 25: a call without an id gets one that no other call has."""
    body = b'{"choices":[{"message":{"tool_calls":[{"function":{"name":"wx"}}]}}]}'
    ids = set()
    for _ in range(2):
        dialect = dialect_for(
            OpenAIProvider(model_name="m-1"), model_name="local", provider_name="box"
        )
        assert isinstance(dialect, OpenAIChat)
        (call,) = dialect.decode(200, {}, body).output
        assert isinstance(call, ToolCall)
        ids.add(call.id)

    assert len(ids) == 2


@pytest.mark.parametrize(
    ("kind", "keys", "api"),
    [
        ("openai", {}, OpenAIBatches),
        ("gcp_vertex_gemini", {}, VertexBatches),
        ("gcp_vertex_gemini", {"model_id": None, "endpoint_id": "42"}, type(None)),
        ("gcp_vertex_anthropic", {}, type(None)),
        ("google_ai_studio_gemini", {}, type(None)),
        ("azure", {}, type(None)),
    ],
)
def test_few_providers_have_a_batch_api(kind: str, keys: dict[str, Any], api: type) -> None:
    """The others are asked item by item, Claude at Vertex AI among them."""
    storage = GcpBatch(
        storage_type="cloud_storage", input_uri_prefix="gs://b", output_uri_prefix="gs://b"
    )
    types = ProviderTypes(gcp_vertex_gemini=GcpVertexGeminiType(batch=storage))
    provider = make_provider(kind, **keys)

    assert type(batch_api_for(provider, make_dialect(kind, **keys), types)) is api


@pytest.mark.parametrize(
    ("kind", "keys", "begins"),
    [
        ("openai", {}, True),
        ("openai", {"api_base": "http://gpu1/v1/"}, False),
        ("gcp_vertex_gemini", {}, True),
        ("gcp_vertex_gemini", {"batch": "local"}, False),
    ],
)
def test_the_operator_may_want_no_jobs(kind: str, keys: dict[str, Any], *, begins: bool) -> None:
    """There is a batch API all the same, for jobs that were begun before."""
    assert begins_jobs(make_provider(kind, **keys)) is begins
