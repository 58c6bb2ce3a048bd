"""The running configuration and those of old records, by their hashes; without any secret."""

from collections.abc import Mapping
from typing import Any

import attrs
import trio

from lsd.api.errors import Refused
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.config import Config, ConfigRefused, Loaded, Metric, open_snapshot, without_secrets
from lsd.conversation import describe_json, encode_json, reread_json
from lsd.feedback import all_metrics
from lsd.store import Snapshots


@attrs.frozen
class _Kept:
    """A configuration as it is kept: the whole snapshot, without secrets."""

    hash: str
    snapshot: Mapping[str, Any]
    tags: Mapping[str, str]


@attrs.frozen
class Configurations:
    """Serves the running configuration, and those that the store knows, if there is one."""

    _loaded: Loaded
    _snapshots: Snapshots | None

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        routes = {
            "/internal/config": self.config,
            "/internal/config/{hash}": self.config,
            "/internal/ui_config": self.ui_config,
            "/internal/ui_config/{hash}": self.ui_config,
        }
        return tuple(
            Endpoint(method="GET", path=path, handle=handle) for path, handle in routes.items()
        )

    async def config(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/config`, with a hash an older one: everything, with its templates."""
        kept = await trio.to_thread.run_sync(self._find, request.query.get("hash"))
        shown = {
            "config": kept.snapshot["config"],
            "hash": kept.hash,
            "extra_templates": kept.snapshot["template_files"],
            "tags": kept.tags,
        }
        return Answer(body=encode_json(shown))

    async def ui_config(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/ui_config`, with a hash an older one: what people look at."""
        text = await trio.to_thread.run_sync(
            lambda: encode_json(_ui_config(self._find(request.query.get("hash"))))
        )
        return Answer(body=text)

    def _find(self, hash: str | None) -> _Kept:  # noqa: A002 - its name in the path
        """The configuration of a hash, or the running one. Raises Refused."""
        if hash is None or hash.lower() == self._loaded.hash:
            snapshot = reread_json(without_secrets(self._loaded.snapshot))
            return _Kept(self._loaded.hash, snapshot, {})
        found = None if self._snapshots is None else self._snapshots.get(hash)
        if found is None:
            wanted = "the hash of a configuration that was in force"
            raise Refused(404, f"hash: found {describe_json(hash)}; wanted {wanted}")
        return _Kept(found.hash, found.config, found.tags)


def _ui_config(kept: _Kept) -> dict[str, Any]:
    tables = kept.snapshot["config"]
    return {
        "functions": tables.get("functions", {}),
        "metrics": _metrics(kept.snapshot),
        "tools": tables.get("tools", {}),
        "evaluations": tables.get("evaluations", {}),
        "model_names": sorted(tables.get("models", {})),
        "config_hash": kept.hash,
    }


def _metrics(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """All metrics, with those that evaluators make."""
    try:
        config: Config = open_snapshot(encode_json(snapshot))
    except ConfigRefused:  # a later program may not read what an early one has written
        written: dict[str, Any] = snapshot["config"].get("metrics", {})
        return written
    return {name: _metric(metric) for name, metric in all_metrics(config).items()}


def _metric(metric: Metric) -> dict[str, Any]:
    fields = attrs.asdict(metric, recurse=False)
    return {name: value for name, value in fields.items() if value is not None}
