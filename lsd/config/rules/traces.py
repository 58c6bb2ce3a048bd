"""The export of traces, which the environment tells where to go.

Source: OpenTelemetry's specification, "OpenTelemetry Protocol Exporter".
"""

import re
from collections.abc import Mapping
from typing import Final

from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath
from lsd.config.tables.gateway import Traces

_PATH: Final[KeyPath] = ("gateway", "export", "otlp", "traces")

_PROTOCOLS: Final = ("http/protobuf", "http/json")
_COMPRESSIONS: Final = ("gzip", "none")
_URL: Final = re.compile(r"https?://[^/?#\s]+\S*", re.IGNORECASE)
_FRAMING: Final = ("content-length", "transfer-encoding")


def check_traces(traces: Traces, environment: Mapping[str, str], findings: Findings) -> None:
    """What `export.otlp.traces` wants of itself and of the environment."""
    if traces.include_content and traces.format != "opentelemetry":
        found = f"has no effect with the format {traces.format}"
        findings.warn((*_PATH, "include_content"), found)
    for name in traces.extra_headers:
        if name.lower() in _FRAMING:
            found = "says where the body ends"
            findings.refuse((*_PATH, "extra_headers", name), found, "leave it to LSD")
    if traces.enabled:
        _check_environment(environment, findings)


def _check_environment(environment: Mapping[str, str], findings: Findings) -> None:
    def refuse(found: str, wanted: str) -> None:
        findings.refuse((*_PATH, "enabled"), found, wanted)

    name, url = _setting(environment, "ENDPOINT")
    if not url:
        wanted = f"set {name}, for example to http://localhost:4318/v1/traces"
        refuse("there is no endpoint in the environment", wanted)
    elif not _URL.fullmatch(url):
        refuse(f"{name} is {url}", "set it to a URL that begins with http:// or https://")
    name, protocol = _setting(environment, "PROTOCOL")
    if protocol and protocol not in _PROTOCOLS:
        refuse(f"{name} is {protocol}", f"export is by HTTP: set it to {' or '.join(_PROTOCOLS)}")
    name, compression = _setting(environment, "COMPRESSION")
    if compression and compression not in _COMPRESSIONS:
        refuse(f"{name} is {compression}", f"set it to {' or '.join(_COMPRESSIONS)}")
    name, timeout_ms = _setting(environment, "TIMEOUT")
    if timeout_ms and not re.fullmatch(r"0*[1-9][0-9]{0,8}", timeout_ms):
        refuse(f"{name} is {timeout_ms}", "set it to milliseconds, an integer from 1 on")


def _setting(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """A variable, by its name: that for traces alone if it is set, or the one for everything."""
    own, shared = f"OTEL_EXPORTER_OTLP_TRACES_{name}", f"OTEL_EXPORTER_OTLP_{name}"
    if environment.get(own):
        return own, environment[own]
    value = environment.get(shared, "")
    return (shared, value) if value else (own, "")
