"""Bounds of single values."""

import pytest

from lsd.config.kinds import EchoStatuses
from tests.unit.config.folder import BASIS, Folder

VARIANT = "functions.f.type = 'chat'\nfunctions.f.variants.v = { model = 'echo::x', %s }"
ECHO = "models.m = { routing = ['p'], providers.p = { type = 'echo', %s } }"
OPENAI = (
    "models.m = { routing = ['p'], providers.p = { type = 'openai', api_key_location = 'none', "
    "model_name = 'x', %s } }"
)
BATCH = "gateway.observability = { async_writes = false, batch_writes = { enabled = true, %s } }"
STATUSES = f"found an array; wanted {EchoStatuses().wanted}"
BUCKETS = "gateway.metrics.inference_latency_overhead_seconds_buckets = %s"


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        (
            BATCH % "max_rows = 0",
            "gateway.observability.batch_writes.max_rows",
            "found 0; wanted at least 1",
        ),
        (
            BATCH % "flush_interval_ms = 0",
            "gateway.observability.batch_writes.flush_interval_ms",
            "found 0; wanted at least 1",
        ),
        (
            BATCH % "write_queue_capacity = 0",
            "gateway.observability.batch_writes.write_queue_capacity",
            "found 0; wanted at least 1",
        ),
        (
            "gateway.workers = 0",
            "gateway.workers",
            "found 0; wanted at least 1",
        ),
        (
            "gateway.max_request_bytes = 0",
            "gateway.max_request_bytes",
            "found 0; wanted at least 1",
        ),
        (
            "gateway.shutdown_delay_ms = -1",
            "gateway.shutdown_delay_ms",
            "found -1; wanted at least 0",
        ),
        (
            VARIANT % "max_tokens = 4294967296",
            "functions.f.variants.v.max_tokens",
            "found 4294967296; wanted 0 to 4294967295",
        ),
        (
            VARIANT % "seed = -1",
            "functions.f.variants.v.seed",
            "found -1; wanted 0 to 4294967295",
        ),
        (
            VARIANT % "retries.max_delay_s = 0",
            "functions.f.variants.v.retries.max_delay_s",
            "found 0.0; wanted more than 0",
        ),
        (
            VARIANT % "retries.num_retries = -1",
            "functions.f.variants.v.retries.num_retries",
            "found -1; wanted at least 0",
        ),
        (
            VARIANT % "timeouts.streaming.ttft_ms = 0",
            "functions.f.variants.v.timeouts.streaming.ttft_ms",
            "found 0; wanted at least 1",
        ),
        (
            ECHO % "fail_rate = 1.5",
            "models.m.providers.p.fail_rate",
            "found 1.5; wanted 0 to 1",
        ),
        (
            ECHO % "statuses = [200, 302]",
            "models.m.providers.p.statuses",
            STATUSES,
        ),
        (
            OPENAI % "api_base = 'box:80/v1'",
            "models.m.providers.p.api_base",
            'found "box:80/v1"; wanted an absolute http:// or https:// URL',
        ),
        (
            OPENAI % "extra_headers = [{ name = 'A B', value = 'x' }]",
            "models.m.providers.p.extra_headers[0].name",
            'found "A B"; wanted a legal header name: letters, digits and !#$%&\'*+-.^_`|~',
        ),
        (
            OPENAI % "extra_headers = [{ name = 'A', value = ' x' }]",
            "models.m.providers.p.extra_headers[0].value",
            "the value; wanted visible ASCII characters, spaces and tabs, no space at either end",
        ),
        (
            "gateway.export.otlp.traces.extra_headers = { 'A B' = 'x' }",
            'gateway.export.otlp.traces.extra_headers."A B"',
            'found "A B"; wanted a legal header name: letters, digits and !#$%&\'*+-.^_`|~',
        ),
        (
            "rate_limiting.default_cost = -0.5",
            "rate_limiting.default_cost",
            "found -0.5; wanted at least 0",
        ),
    ],
)
def test_bounds_hold(folder: Folder, text: str, path: str, told: str) -> None:
    """Each message has the value and the range."""
    problems = folder.problems(text)  # case 24

    assert problems[path] == told


@pytest.mark.parametrize("buckets", ["[0.1, 0.01]", "[-0.1, 0.1]", "[0.1, 0.1]"])
def test_buckets_ascend(folder: Folder, buckets: str) -> None:
    """Strictly, from zero on."""
    told = folder.problem(BUCKETS % buckets)  # case 25

    assert told.endswith("wanted numbers of at least 0 in strictly ascending order")


def test_buckets_are_numbers_and_may_be_none(folder: Folder) -> None:
    """An empty list drops the histogram."""
    assert "found nan; wanted a number" in folder.problem(BUCKETS % "[nan]")  # case 25

    metrics = folder.load(BUCKETS % "[]").config.gateway.metrics
    assert metrics.inference_latency_overhead_seconds_buckets == ()


def test_values_at_the_edge_are_fine(folder: Folder) -> None:
    """The range includes its ends."""
    folder.load(BASIS)
    folder.load(VARIANT % "max_tokens = 4294967295, seed = 0, thinking_budget_tokens = -1")
    folder.load(ECHO % "fail_rate = 1, delay_ms = 0, dimensions = 1")
