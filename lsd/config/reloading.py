"""What a reload may change, and what only a restart can."""

from typing import Any, Final

import attrs

from lsd.config.tables.config import Config

_OF_GATEWAY: Final = ("bind_address", "base_path", "workers", "server", "http2", "metrics")
_OF_STORAGE: Final = (
    "path",
    "map_size",
    "max_map_size",
    "max_readers",
    "durability",
    "sweep_interval_s",
)


def restart_only_differences(old: Config, new: Config) -> list[str]:
    """The keys in which two configurations differ and which only count at a start, sorted."""
    found = [
        *(f"gateway.{key}" for key in _OF_GATEWAY if _differ(old.gateway, new.gateway, key)),
        *(f"storage.{key}" for key in _OF_STORAGE if _differ(old.storage, new.storage, key)),
    ]
    if old.object_storage != new.object_storage:
        found.append("object_storage")
    if _differ(old.gateway.export.otlp.traces, new.gateway.export.otlp.traces, "enabled"):
        found.append("gateway.export.otlp.traces.enabled")
    # Which file it is may change; that there is one makes the server another.
    if (old.gateway.tls.certificate is None) != (new.gateway.tls.certificate is None):
        found.append("gateway.tls")
    return sorted(found)


def _differ(old: Any, new: Any, key: str) -> bool:
    assert key in attrs.fields_dict(type(old)), "a key that is compared exists"
    return bool(getattr(old, key) != getattr(new, key))
