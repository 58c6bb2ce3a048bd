"""No timeout reaches beyond the cap."""

from tests.unit.config.folder import Folder

TEXT = """
gateway.global_outbound_http_timeout_ms = 1000
[models.m]
routing = ["p"]
timeouts.non_streaming.total_ms = 1001
[models.m.providers.p]
type = "echo"
timeouts.streaming.ttft_ms = 1002
[functions.f]
type = "chat"
[functions.f.variants.v]
model = "m"
timeouts.streaming = { idle_ms = 1003, total_ms = 1000 }
[embedding_models.e]
routing = ["p"]
timeout_ms = 1004
providers.p = { type = "echo", timeout_ms = 1005 }
"""


def test_each_is_held_against_the_cap(folder: Folder) -> None:
    """Of models, providers, variants and embedding models."""
    problems = folder.problems(TEXT)  # case 19

    wanted = "wanted at most gateway.global_outbound_http_timeout_ms, 1000"
    assert problems == {
        "embedding_models.e.providers.p.timeout_ms": f"found 1005; {wanted}",
        "embedding_models.e.timeout_ms": f"found 1004; {wanted}",
        "functions.f.variants.v.timeouts.streaming.idle_ms": f"found 1003; {wanted}",
        "models.m.providers.p.timeouts.streaming.ttft_ms": f"found 1002; {wanted}",
        "models.m.timeouts.non_streaming.total_ms": f"found 1001; {wanted}",
    }


def test_a_stream_that_must_end_before_it_begins_is_warned_of(folder: Folder) -> None:
    """It does not stop the start: the earlier limit counts."""
    loaded = folder.load(
        "models.m = { routing = ['p'], providers.p.type = 'echo', "
        "timeouts.streaming = { ttft_ms = 20, total_ms = 10 } }"
    )  # case 19

    assert loaded.warnings == (
        "lsd.toml: models.m.timeouts.streaming.total_ms: 10 is less than ttft_ms, 20",
    )
