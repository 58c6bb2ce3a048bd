"""What can be said and not yet done."""

import pytest

from lsd.config.unsupported import LATER, switched_on
from tests.unit.config.folder import Folder

CHAT = "functions.f.type = 'chat'\nfunctions.f.variants.a.model = 'echo::x'\n"
ECHO = "models.m.routing = ['p']\nmodels.m.providers.p.type = 'echo'\n"
OPENAI = """
models.m.routing = ["p"]
models.m.providers.p.type = "openai"
models.m.providers.p.model_name = "x"
models.m.providers.p.api_key_location = "none"
"""

TEXTS = {
    "gateway.workers": "gateway.workers = 2",
    "gateway.auth.enabled": "gateway.auth.enabled = true",
    "gateway.http2": "gateway.http2 = true",
    "gateway.cors.allow_origins": "gateway.cors.allow_origins = ['*']",
    "gateway.relay.gateway_url": "gateway.relay.gateway_url = 'http://other:3000'",
    "gateway.relay.api_key_location": "gateway.relay.api_key_location = 'dynamic::k'",
    "gateway.batch_inference.max_items": "gateway.batch_inference.max_items = 1",
    "gateway.batch_inference.max_concurrency": "gateway.batch_inference.max_concurrency = 0",
    "gateway.batch_inference.item_max_attempts": "gateway.batch_inference.item_max_attempts = 2",
    "gateway.batch_inference.crash_limit": "gateway.batch_inference.crash_limit = 1",
    "gateway.batch_inference.poll_interval_s": "gateway.batch_inference.poll_interval_s = 0",
    "storage.inference_data_retention_days": "storage.inference_data_retention_days = 1",
    "storage.inference_metadata_retention_days": "storage.inference_metadata_retention_days = 1",
    "object_storage.type": "object_storage.type = 's3_compatible'",
    "models.m.skip_relay": ECHO + "models.m.skip_relay = true",
    "models.m.providers.p.type": (
        "models.m.routing = ['p']\nmodels.m.providers.p = "
        "{ type = 'groq', model_name = 'x', api_key_location = 'none' }"
    ),
    "models.m.providers.p.api_type": OPENAI + "models.m.providers.p.api_type = 'responses'",
    "models.m.providers.p.batch": OPENAI + "models.m.providers.p.batch = 'local'",
    "models.m.providers.p.batch_cost": (
        OPENAI + "models.m.providers.p.batch_cost = [{ pointer = '/a', cost_per_unit = 1 }]"
    ),
    "embedding_models.e": (
        "embedding_models.e = { routing = ['p'], providers.p = { type = 'echo' } }"
    ),
    "provider_types.fireworks.sft": "provider_types.fireworks.sft.account_id = 'x'",
    "provider_types.gcp_vertex_gemini.batch": (
        "provider_types.gcp_vertex_gemini.batch.storage_type = 'none'"
    ),
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
    "rate_limiting.rules": "[[rate_limiting.rules]]\nalways = true\ntokens_per_day = 5",
}


@pytest.mark.parametrize("path", TEXTS)
def test_what_does_not_exist_yet_is_refused(folder: Folder, path: str) -> None:
    """And nothing else is wrong with it."""
    assert folder.problem(TEXTS[path]) == f"{path}: not supported yet"


def test_traces_and_tls_are_for_later(folder: Folder) -> None:
    """They have more to say about what is missing."""
    folder.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://localhost:4318"

    assert folder.problem("gateway.export.otlp.traces.enabled = true") == (
        "gateway.export.otlp.traces.enabled: not supported yet"
    )
    assert "gateway.tls" in folder.problems("gateway.tls.certificate = 'c.pem'")


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
    patterns = {later.path for later in LATER}
    covered = {*TEXTS, "gateway.tls", "gateway.export.otlp.traces.enabled", "rate_limiting"}

    for pattern in patterns:
        parts = pattern.split(".")
        assert any(
            len(parts) == len(path.split("."))
            and all(a in ("*", b) for a, b in zip(parts, path.split("."), strict=True))
            for path in covered
        ), pattern


def test_an_empty_tree_asks_for_nothing() -> None:
    """What is absent is off."""
    assert list(switched_on({})) == []
