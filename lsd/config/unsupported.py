"""What the configuration can say and this release cannot do yet.

A feature that arrives deletes its row here; tables, checks and reference know it already.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from lsd.config.key_path import KeyPath

NOT_YET: Final = "not supported yet"


@attrs.frozen
class Later:
    """A key that must not switch its feature on.

    `path` is dotted, `*` stands for any key or index. `is_on` gets the value found there, with
    defaults filled in.
    """

    path: str
    is_on: Callable[[Any], bool] = bool


LATER: Final = (
    Later("gateway.relay.gateway_url"),
    Later("gateway.relay.api_key_location", lambda location: location != "none"),
    Later("object_storage.type", lambda kind: kind == "s3_compatible"),
    Later("models.*.skip_relay"),
    Later("provider_types.*.sft", lambda _: True),
    Later("functions.*.evaluators.*", lambda _: True),
    Later("evaluations.*", lambda _: True),
)


def switched_on(tree: Mapping[str, Any]) -> Iterator[KeyPath]:
    """The keys of a configuration, defaults filled in, that ask for what does not exist yet."""
    for later in LATER:
        for path, value in _matches(tree, later.path.split("."), ()):
            if later.is_on(value):
                yield path


def _matches(value: Any, pattern: list[str], path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if not pattern:
        yield path, value
    elif isinstance(value, Mapping):
        keys = list(value) if pattern[0] == "*" else [pattern[0]] if pattern[0] in value else []
        for key in keys:
            yield from _matches(value[key], pattern[1:], (*path, key))
