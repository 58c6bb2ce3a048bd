"""What a reload may change."""

import pytest

from lsd.config import restart_only_differences
from tests.unit.config.folder import Folder

ECHO = 'models.m = { routing = ["p"], providers.p = { type = "echo" } }\n'


@pytest.mark.parametrize(
    "text",
    [
        ECHO,
        "gateway.debug = true",
        "gateway.auth.enabled = true",
        "gateway.cache.ttl_s = 5",
        "gateway.observability.async_writes = false",
        "gateway.on_client_disconnect = 'finish'",
        "gateway.max_request_bytes = 5",
        "gateway.shutdown_timeout_ms = 5",
        "gateway.unstable_error_json = true",
        'metrics.solved = { type = "float", optimize = "max", level = "episode" }',
    ],
)
def test_most_of_it_may_change(folder: Folder, text: str) -> None:
    """Everything about inferences, and most about the gateway."""
    old = folder.load("").config

    assert restart_only_differences(old, folder.load(text).config) == []


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("gateway.bind_address = '127.0.0.1:4000'", ["gateway.bind_address"]),
        (
            "gateway = { workers = 2, base_path = '/x' }",
            ["gateway.base_path", "gateway.workers"],
        ),
        ("gateway.server = 'hypercorn'", ["gateway.server"]),
        ("gateway.http2 = true", ["gateway.http2"]),
        (
            "gateway.metrics.inference_latency_overhead_seconds_buckets = []",
            ["gateway.metrics"],
        ),
        ("storage = { map_size = '1 GiB', path = 'x' }", ["storage.map_size", "storage.path"]),
        ("object_storage.type = 'disabled'", ["object_storage"]),
    ],
)
def test_what_counts_at_the_start_alone_is_named(
    folder: Folder, text: str, keys: list[str]
) -> None:
    """All of it, by its keys."""
    old = folder.load("").config

    found = restart_only_differences(old, folder.load(text).config)

    assert [key for key in found if not (key == "object_storage" and "path" in text)] == keys
