"""A configuration made ready to serve."""

import pytest

from lsd.config import EnvLocation
from lsd.experiments import UniformDraw, WeightedDraw
from lsd.inference.prepared import SHORTHANDS_MAX
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import PLAIN, TWO_PROVIDERS

RICH = """
[models.m]
routing = ["two", "one"]
timeouts.non_streaming.total_ms = 4000
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
timeouts.streaming.ttft_ms = 2000
cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 1 }]
extra_body = [{ pointer = "/a", value = 1 }]
[models.m.providers.two]
type = "openai"
model_name = "gpt-2"
api_key_location = "env::OTHER_KEY"

[functions.chat]
type = "chat"
[functions.chat.variants.v]
model = "m"
timeouts.streaming.total_ms = 9000
templates.greet.path = "greet.minijinja"
[functions.chat.variants.w]
model = "m"
[functions.chat.variants.x]
model = "m"

[functions.chat.experimentation]
type = "static"
candidate_variants = { v = 3.0, w = 1.0 }
fallback_variants = ["x"]
[functions.chat.experimentation.namespaces.lab]
type = "default"
"""

FILES = {"greet.minijinja": "Hello"}
ENVIRONMENT = {"OPENAI_API_KEY": "sk-1", "OTHER_KEY": "sk-2"}


async def test_providers_stand_in_the_order_of_the_routing(start: StartGateway) -> None:
    """Not in the order in which their tables are written."""
    model = start(RICH, files=FILES, environment=ENVIRONMENT).prepared.model("m")

    assert model is not None
    assert [provider.name for provider in model.providers] == ["two", "one"]


async def test_a_provider_has_all_that_its_calls_need(start: StartGateway) -> None:
    """Rates, edits, limits and the place of its key are looked up once."""
    model = start(RICH, files=FILES, environment=ENVIRONMENT).prepared.model("m")

    assert model is not None
    two, one = model.providers
    assert two.written.locations == {"api_key": EnvLocation("OTHER_KEY")}
    assert one.written.locations == {"api_key": EnvLocation("OPENAI_API_KEY")}
    assert (two.cost is None, one.cost is None) == (True, False)
    assert [edit.pointer for edit in one.edits.body] == ["/a"]
    assert one.limits.opening is not None
    assert one.limits.opening.value_ms == 2000
    assert one.limits.idle is not None
    assert one.limits.idle.value_ms == 300_000
    assert model.limits.plain is not None
    assert model.limits.plain.value_ms == 4000
    assert model.limits.idle is None


async def test_a_function_has_its_variants_and_draws(start: StartGateway) -> None:
    """One draw for requests without a namespace, and one for each namespace with its own."""
    gateway = start(RICH, files=FILES, environment=ENVIRONMENT)
    function = gateway.prepared.functions["chat"]

    base = WeightedDraw(variants=("v", "w", "x"), weights={"v": 3.0, "w": 1.0}, fallback=("x",))
    assert list(function.variants) == ["v", "w", "x"]
    assert function.variants["v"].generation.prompts.can_call("greet")
    assert not function.variants["w"].generation.prompts.can_call("greet")
    assert function.variants["v"].limits.total is not None
    assert function.draw == base
    assert function.draw_for(None) == base
    assert function.draw_for("elsewhere") == base
    assert function.draw_for("lab") == UniformDraw(variants=("v", "w", "x"))


@pytest.mark.parametrize(
    "name", ["absent", "", "fake::x", "openai::", "vllm::x", "M", "lsd::default"]
)
async def test_an_unknown_model_is_none(start: StartGateway, name: str) -> None:
    """A shorthand needs a provider type that needs no more than a name, and that name."""
    assert start(PLAIN).prepared.model(name) is None


async def test_a_shorthand_stands_for_a_model(start: StartGateway) -> None:
    """With one provider, called like its type; it is made once."""
    prepared = start(PLAIN).prepared

    model = prepared.model("openai::gpt-5")

    assert model is not None
    assert [provider.name for provider in model.providers] == ["openai"]
    assert model.providers[0].cost is None
    assert model.function.name == "lsd::default"
    assert prepared.model("openai::gpt-5") is model


async def test_a_bucket_is_for_all_models_of_vertex_ai(start: StartGateway) -> None:
    """Those included that nobody has configured."""
    bucket = """
        [provider_types.gcp_vertex_gemini.batch]
        storage_type = "cloud_storage"
        input_uri_prefix = "gs://bucket/in"
        output_uri_prefix = "gs://bucket/out"
    """
    name = "gcp_vertex_gemini::projects/p/locations/l/publishers/google/models/m"
    without, having = start(PLAIN).prepared.model(name), start(PLAIN + bucket).prepared.model(name)

    assert without is not None
    assert having is not None
    assert without.providers[0].batches is None
    assert having.providers[0].batches is not None


async def test_callers_cannot_fill_the_memory_with_shorthands(start: StartGateway) -> None:
    """Of those that nobody has configured only so many stay prepared."""
    prepared = start(PLAIN).prepared
    first = prepared.model("echo::0")

    for number in range(1, SHORTHANDS_MAX):
        prepared.model(f"echo::{number}")
    kept = prepared.model("echo::0")
    prepared.model("echo::one-more")

    assert kept is first
    assert prepared.model("echo::0") is not first
    assert prepared.model("m") is prepared.model("m")


async def test_equal_schemas_of_requests_are_compiled_once(start: StartGateway) -> None:
    """Callers send few different ones, again and again."""
    prepared = start(TWO_PROVIDERS).prepared

    assert prepared.schemas.compile({"type": "object"}) is prepared.schemas.compile(
        {"type": "object"}
    )
