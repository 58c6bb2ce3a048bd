"""What can be said and not yet done."""

import pytest

from lsd.config.unsupported import LATER, NOT_YET, switched_on
from tests.unit.config.folder import Folder

CHAT = "functions.f.type = 'chat'\nfunctions.f.variants.a.model = 'echo::x'\n"
ECHO = "models.m.routing = ['p']\nmodels.m.providers.p.type = 'echo'\n"
OPENAI = """
models.m.routing = ["p"]
models.m.providers.p.type = "openai"
models.m.providers.p.model_name = "x"
models.m.providers.p.api_key_location = "none"
"""


def matches(row: list[str], path: str) -> bool:
    """Whether a row of the table is about a key."""
    keys = path.split(".")
    return len(row) == len(keys) and all(
        wanted in ("*", found) for wanted, found in zip(row, keys, strict=True)
    )


TEXTS = {
    "gateway.relay.gateway_url": "gateway.relay.gateway_url = 'http://other:3000'",
    "gateway.relay.api_key_location": "gateway.relay.api_key_location = 'dynamic::k'",
    "gateway.batch_inference.max_items": "gateway.batch_inference.max_items = 1",
    "gateway.batch_inference.max_concurrency": "gateway.batch_inference.max_concurrency = 0",
    "gateway.batch_inference.max_concurrency_per_model": (
        "gateway.batch_inference.max_concurrency_per_model = 1"
    ),
    "gateway.batch_inference.item_max_attempts": "gateway.batch_inference.item_max_attempts = 2",
    "gateway.batch_inference.crash_limit": "gateway.batch_inference.crash_limit = 1",
    "gateway.batch_inference.poll_interval_s": "gateway.batch_inference.poll_interval_s = 0",
    "object_storage.type": "object_storage.type = 's3_compatible'",
    "models.m.skip_relay": ECHO + "models.m.skip_relay = true",
    "models.m.providers.p.batch": OPENAI + "models.m.providers.p.batch = 'local'",
    "models.m.providers.p.batch_cost": (
        OPENAI + "models.m.providers.p.batch_cost = [{ pointer = '/a', cost_per_unit = 1 }]"
    ),
    "embedding_models.e": (
        "embedding_models.e = { routing = ['p'], providers.p = { type = 'echo' } }"
    ),
    "provider_types.fireworks.sft": "provider_types.fireworks.sft.account_id = 'x'",
    "functions.f.variants.b.type": (
        CHAT + "functions.f.variants.b = { type = 'dicl', model = 'echo::x', "
        "embedding_model = 'echo::x', k = 3 }"
    ),
    "functions.f.experimentation.type": (
        CHAT + "functions.f.experimentation = "
        "{ type = 'adaptive', metric = 'm', candidate_variants = ['a'] }\n"
        "metrics.m = { type = 'float', optimize = 'max', level = 'episode' }"
    ),
    "functions.f.experimentation.namespaces.n.type": (
        CHAT + "functions.f.experimentation.namespaces.n = "
        "{ type = 'adaptive', metric = 'm', candidate_variants = ['a'] }\n"
        "metrics.m = { type = 'float', optimize = 'max', level = 'episode' }"
    ),
    "functions.f.evaluators.x": CHAT + "functions.f.evaluators.x.type = 'exact_match'",
    "evaluations.e": CHAT + "evaluations.e = { type = 'inference', function_name = 'f' }",
}


ROWS = [later.path.split(".") for later in LATER]
WAITING = [path for path in TEXTS if any(matches(row, path) for row in ROWS)]
"""The features that are still to come; the others were, and keep their line for a while."""


@pytest.mark.parametrize("path", WAITING)
def test_what_does_not_exist_yet_is_refused(folder: Folder, path: str) -> None:
    """And nothing else is wrong with it."""
    assert folder.refused(TEXTS[path]) == [f"lsd.toml: {path}: {NOT_YET}"]


def test_what_is_off_may_be_written(folder: Folder) -> None:
    """A value equal to the default asks for nothing."""
    loaded = folder.load(
        """
        gateway.workers = 1
        gateway.auth.enabled = false
        gateway.auth.cache.ttl_ms = 5
        gateway.cors.allow_origins = []
        gateway.relay.api_key_location = "none"
        gateway.batch_inference.max_items = 50000
        object_storage.type = "disabled"
        functions = {}
        evaluations = {}
        [rate_limiting]
        enabled = false
        [[rate_limiting.rules]]
        always = true
        tokens_per_day = 5
        """
    )

    assert loaded.warnings == ("lsd.toml: rate_limiting.enabled: found false: no rule is enforced",)


def test_every_row_matches_something() -> None:
    """A row with a misspelt path would guard nothing."""
    assert [row for row in ROWS if not any(matches(row, path) for path in TEXTS)] == []


def test_an_empty_tree_asks_for_nothing() -> None:
    """What is absent is off."""
    assert list(switched_on({})) == []
