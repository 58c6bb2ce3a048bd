"""No timeout reaches beyond the cap on outbound requests."""

from collections.abc import Iterator

from lsd.config.findings import Findings
from lsd.config.generations import judges_of, variants_of
from lsd.config.key_path import KeyPath
from lsd.config.tables.config import Config
from lsd.config.tables.timeouts import Timeouts


def check_timeouts(config: Config, findings: Findings) -> None:
    """The timeouts of models, providers and variants."""
    cap = config.gateway.global_outbound_http_timeout_ms
    for path, timeouts in _timeouts_of(config):
        streaming = timeouts.streaming
        limits = {
            ("non_streaming", "total_ms"): timeouts.non_streaming.total_ms,
            ("streaming", "ttft_ms"): streaming.ttft_ms,
            ("streaming", "idle_ms"): streaming.idle_ms,
            ("streaming", "total_ms"): streaming.total_ms,
        }
        for keys, value in limits.items():
            _check_cap((*path, *keys), value, cap, findings)
        if (
            streaming.total_ms is not None
            and streaming.ttft_ms is not None
            and streaming.total_ms < streaming.ttft_ms
        ):
            found = f"{streaming.total_ms} is less than ttft_ms, {streaming.ttft_ms}"
            findings.warn((*path, "streaming", "total_ms"), found)
    for model, embedding_model in config.embedding_models.items():
        place: KeyPath = ("embedding_models", model)
        _check_cap((*place, "timeout_ms"), embedding_model.timeout_ms, cap, findings)
        for name, provider in embedding_model.providers.items():
            key = (*place, "providers", name, "timeout_ms")
            _check_cap(key, provider.timeout_ms, cap, findings)


def _timeouts_of(config: Config) -> Iterator[tuple[KeyPath, Timeouts]]:
    for name, model in config.models.items():
        path: KeyPath = ("models", name)
        yield (*path, "timeouts"), model.timeouts
        for each, provider in model.providers.items():
            yield (*path, "providers", each, "timeouts"), provider.timeouts
    for path, _, _, variant in variants_of(config):
        yield (*path, "timeouts"), variant.timeouts
    for path, _, _, judge in judges_of(config):
        yield (*path, "timeouts"), judge.timeouts


def _check_cap(path: KeyPath, value: int | None, cap: int, findings: Findings) -> None:
    if value is not None and value > cap:
        wanted = f"wanted at most gateway.global_outbound_http_timeout_ms, {cap}"
        findings.refuse(path, f"found {value}", wanted)
