"""Where traces go, as the environment says.

Source: OpenTelemetry's specification, "OpenTelemetry Protocol Exporter" and "Resource SDK".
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import attrs

from lsd.telemetry import OtlpEncoding

SEND_S_MAX: Final = 10.0
"""So long a collector may take for an answer unless told otherwise. Source: the specification."""

_PREFIX: Final = "OTEL_EXPORTER_OTLP"


@attrs.frozen(kw_only=True)
class Collector:
    """Takes exports. `headers` are sent with each; `resource` describes who sends them.

    It has `send_s_max` for an answer.
    """

    url: str
    encoding: OtlpEncoding
    is_compressed: bool
    send_s_max: float
    resource: Mapping[str, str]
    headers: Mapping[str, str] = attrs.field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Collector":
        """By the variables for traces, or else by those for everything; they were checked."""

        def get(name: str) -> str:
            own = environment.get(f"{_PREFIX}_TRACES_{name}")
            return own or environment.get(f"{_PREFIX}_{name}", "")

        own = environment.get(f"{_PREFIX}_TRACES_ENDPOINT")
        shared = environment.get(f"{_PREFIX}_ENDPOINT", "").rstrip("/")
        timeout_ms = get("TIMEOUT")
        return cls(
            url=own or f"{shared}/v1/traces",
            encoding="http/json" if get("PROTOCOL") == "http/json" else "http/protobuf",
            is_compressed=get("COMPRESSION") == "gzip",
            send_s_max=int(timeout_ms) / 1000 if timeout_ms else SEND_S_MAX,
            resource=_resource(environment),
            headers=_pairs(get("HEADERS")),
        )


def _resource(environment: Mapping[str, str]) -> dict[str, str]:
    described = {"service.name": "lsd", **_pairs(environment.get("OTEL_RESOURCE_ATTRIBUTES", ""))}
    if name := environment.get("OTEL_SERVICE_NAME"):
        described["service.name"] = _text(name)
    return described


def _pairs(text: str) -> dict[str, str]:
    """`name=value,name=value`, with percent-encoding."""
    pairs = (each.partition("=") for each in text.split(",") if "=" in each)
    decoded = ((unquote(name.strip()), unquote(value.strip())) for name, _, value in pairs)
    return {_text(name): _text(value) for name, value in decoded if name}


def _text(value: str) -> str:
    """What a variable may hold that is no UTF-8 becomes question marks."""
    return value.encode("utf-8", "replace").decode()
