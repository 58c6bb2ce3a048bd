"""Every type of provider with embeddings, as a variant that needs vectors calls it."""

from typing import Any

import attrs
import pytest

from lsd.config.tables.embedding_providers import EMBEDDING_CLASSES
from tests.api.asking import SAYING_HI, statuses
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import answers, embeds, fails
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Script


@attrs.frozen(kw_only=True)
class Kind:
    """How a type is configured, and what can be seen of it at the server."""

    keys: str = 'model_name = "m-1"\napi_base = "{root}/v1"'
    path: str = "/v1/embeddings"
    query: str = ""
    key: str = "authorization"
    model: str | None = "m-1"


KINDS = {
    "azure": Kind(
        keys='deployment_id = "d-1"\napi_version = "2025-01-01"\nendpoint = "{root}"',
        path="/openai/deployments/d-1/embeddings",
        query="api-version=2025-01-01",
        key="api-key",
        model=None,
    ),
    "openai": Kind(),
    "openrouter": Kind(),
    "sglang": Kind(),
    "vllm": Kind(),
}
EACH = pytest.mark.parametrize("kind", KINDS)

KEYS = {f"{kind.upper()}_API_KEY": f"sk-{kind}" for kind in KINDS}


def tables(kind: str, provider: FakeProviderThread) -> str:
    """An embedding model that asks `first` and then `second`, and a function that needs it."""
    entries = [
        f'[embedding_models.{kind}.providers.{name}]\ntype = "{kind}"\n'
        'cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 1 }]\n'
        + KINDS[kind].keys.format(root=provider.root(name))
        for name in ("first", "second")
    ]
    function = (
        f'[functions.{kind}]\ntype = "chat"\n[functions.{kind}.variants.near]\ntype = "dicl"\n'
        f'embedding_model = "{kind}"\nmodel = "echo::x"\nk = 1\n'
    )
    routing = f'[embedding_models.{kind}]\nrouting = ["first", "second"]\n'
    return "\n".join([routing, *entries, function])


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with an embedding model of each type."""
    config = "\n".join(tables(kind, shared_provider) for kind in KINDS)
    return start_shared(config, environment=KEYS)


@pytest.fixture
def hosts(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Both hosts, giving a vector until a test wants something else."""
    shared_provider.forget()
    for name in ("first", "second"):
        shared_provider.will(name, embeds([[0.6, 0.8]]))
    return shared_provider


def calls(gateway: Gateway, kind: str) -> list[dict[str, Any]]:
    """The calls that were made for an answer, those for the vector first."""
    answer = gateway.infer(function_name=kind, **SAYING_HI)
    *embedding, _ = gateway.calls(answer["inference_id"])
    return embedding


def test_every_type_with_embeddings_is_here() -> None:
    """The offline one needs no server."""
    assert sorted([*KINDS, "echo"]) == sorted(EMBEDDING_CLASSES)


@EACH
def test_a_type_is_called_at_its_address_with_its_key(
    gateway: Gateway, hosts: FakeProviderThread, kind: str
) -> None:
    """Path, query, headers and body are those of the type; tokens and cost are on record."""
    wanted = KINDS[kind]

    (call,) = calls(gateway, kind)

    (request,) = hosts.requests
    assert (request.method, request.path) == ("POST", f"/s/first{wanted.path}")
    assert request.query == wanted.query
    prefix = "Bearer " if wanted.key == "authorization" else ""
    assert request.headers[wanted.key] == f"{prefix}sk-{kind}"
    assert {"authorization", "api-key"} & request.headers.keys() == {wanted.key}
    body = request.json()
    assert body.get("model") == wanted.model
    assert body["encoding_format"] == "float"
    assert "hi" in str(body["input"])
    assert (call["model_name"], call["model_provider_name"]) == (kind, "first")
    assert (call["input_tokens"], call["cost"]) == (10, 0.00001)
    assert call["raw_request"] == request.body.decode()


@EACH
@pytest.mark.parametrize(
    ("script", "told"),
    [
        (Script((), require_key="another key"), "returned HTTP 401: Incorrect API key provided"),
        (fails(503), "returned HTTP 503: fake 503"),
        (answers({"object": "list", "data": []}), "found 0 embeddings; wanted 1"),
        (answers("<h1>Hello", content_type="text/html"), "<h1>Hello"),
        (embeds([[0.6], [0.8]]), "found 2 embeddings; wanted 1"),
    ],
    ids=["wrong key", "overloaded", "none", "a page", "too many"],
)
def test_the_next_provider_has_the_vectors(
    gateway: Gateway, hosts: FakeProviderThread, kind: str, script: Script, told: str
) -> None:
    """After any failure; what went wrong is on record, without the key."""
    hosts.will("first", script)

    tried = calls(gateway, kind)

    assert statuses(tried) == [("first", "error"), ("second", "ok")]
    assert tried[0]["error"].startswith(kind)
    assert told in tried[0]["error"]
    assert f"sk-{kind}" not in str(tried)
