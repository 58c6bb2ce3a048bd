"""Headers by which a caller adds to the traces of its request."""

from collections.abc import Mapping
from typing import Final

import attrs
import orjson

PREFIX: Final = "lsd-otlp-traces-extra-"

_KINDS: Final = ("header", "resource", "attribute")

_FRAMING: Final = ("content-length", "transfer-encoding")
"""Headers that LSD makes itself."""


@attrs.frozen(kw_only=True)
class TraceExtras:
    """What goes along with the spans of one request: to the collector, on the resource, on each."""

    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    resource: Mapping[str, str] = attrs.field(factory=dict)
    attributes: Mapping[str, str | bool] = attrs.field(factory=dict)


NO_EXTRAS: Final = TraceExtras()


def has_trace_extras(headers: Mapping[str, str]) -> bool:
    """Whether a request may have any: nearly none has, and a look at each name takes longer."""
    return PREFIX in " ".join(headers)


def read_trace_extras(headers: Mapping[str, str]) -> TraceExtras:
    """The extras of a request, whose headers have lower-case names. Raises ValueError."""
    if not has_trace_extras(headers):
        return NO_EXTRAS
    found = [name for name in headers if name.startswith(PREFIX)]
    extras: dict[str, dict[str, str | bool]] = {kind: {} for kind in _KINDS}
    for name in found:
        kind, _, key = name.removeprefix(PREFIX).partition("-")
        if kind not in extras or not key:
            wanted = ", ".join(f"{PREFIX}{kind}-NAME" for kind in _KINDS)
            raise ValueError(f"header {name}: found another name; wanted {wanted}")
        text = headers[name]
        if kind == "header":
            _check_header(name, key, text)
        extras[kind][key] = _attribute(name, text) if kind == "attribute" else text
    return TraceExtras(
        headers={key: str(value) for key, value in extras["header"].items()},
        resource={key: str(value) for key, value in extras["resource"].items()},
        attributes=extras["attribute"],
    )


def _check_header(name: str, key: str, text: str) -> None:
    """Raises ValueError for what could not be sent to a collector."""
    if key in _FRAMING:
        raise ValueError(f"header {name}: found one that says where a body ends; wanted another")
    if not text.isascii():
        raise ValueError(f"header {name}: found characters beyond ASCII; wanted none")


def _attribute(name: str, text: str) -> str | bool:
    try:
        value = orjson.loads(text.encode("latin-1"))
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        value = None
    if isinstance(value, str | bool):
        return value
    raise ValueError(f"header {name}: found another value; wanted a JSON string, true or false")
