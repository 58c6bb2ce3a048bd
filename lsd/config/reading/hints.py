"""What to write instead of keys that other setups know and LSD does not."""

from typing import Final

import attrs

from lsd.config.key_path import KeyPath, show_path
from lsd.config.tables.providers import PROVIDER_TYPES

_STORE: Final = "not needed: LSD keeps everything itself, see [storage]"
_WEIGHT: Final = (
    "weights stand in the experiment: [functions.{function}.experimentation] "
    'type = "static", candidate_variants = {{ {variant} = 1.0 }}'
)


@attrs.frozen
class _Hint:
    path: str
    text: str


_KEYS: Final = (
    _Hint("clickhouse", _STORE),
    _Hint("postgres", _STORE),
    _Hint("gateway.cache.valkey", _STORE),
    _Hint("gateway.observability.backend", _STORE),
    _Hint("rate_limiting.backend", _STORE),
    _Hint("functions.*.variants.*.weight", _WEIGHT),
    _Hint("functions.*.variants.*.timeout_s", "give the candidates their own `timeouts`"),
    _Hint("optimizers", "settings go into `optimizer_config` of the request that starts the job"),
)
_RENAMED_EXPERIMENTS: Final = {
    "uniform": "default",
    "static_weights": "static",
    "track_and_stop": "adaptive",
}


def hint_for_key(path: KeyPath) -> str | None:
    """What to do about an unknown key at `path`."""
    for hint in _KEYS:
        if _matches(path, hint.path):
            names = [show_path((part,)) for part in path]
            return hint.text.format(
                function=names[1] if len(names) > 1 else "", variant=names[-2:][0]
            )
    return None


def hint_for_type(path: KeyPath, found: str) -> str | None:
    """What to do about a `type` at `path` that has no class."""
    if "experimentation" in path and found in _RENAMED_EXPERIMENTS:
        return f'write type = "{_RENAMED_EXPERIMENTS[found]}"'
    if path[0] == "embedding_models" and found in PROVIDER_TYPES:
        return "this provider type has no embeddings"
    return None


def _matches(path: KeyPath, pattern: str) -> bool:
    parts = pattern.split(".")
    return len(parts) == len(path) and all(
        wanted in ("*", found) for wanted, found in zip(parts, path, strict=True)
    )
