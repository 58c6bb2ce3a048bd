"""The export of traces, which the environment tells where to go."""

import pytest

from tests.unit.config.folder import Folder

PATH = "gateway.export.otlp.traces.enabled"
ENABLED = f"{PATH} = true"
PREFIX = "OTEL_EXPORTER_OTLP"


def test_traces_need_an_endpoint(folder: Folder) -> None:
    """Case 67: its variable is named, with an example; either of the two will do."""
    told = folder.problems(ENABLED)[PATH]

    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, for example to http://" in told
    for name in (f"{PREFIX}_TRACES_ENDPOINT", f"{PREFIX}_ENDPOINT"):
        folder.environment[name] = "http://localhost:4318"
        assert folder.problems(ENABLED) == {}
        del folder.environment[name]


def test_what_is_off_needs_nothing(folder: Folder) -> None:
    """Whatever the environment holds for others."""
    folder.environment[f"{PREFIX}_PROTOCOL"] = "grpc"

    assert folder.problems("") == {}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("PROTOCOL", "grpc", "export is by HTTP: set it to http/protobuf"),
        ("TRACES_PROTOCOL", "grpc", "export is by HTTP: set it to http/protobuf"),
        ("PROTOCOL", "http/xml", "set it to http/protobuf or http/json"),
        ("TRACES_ENDPOINT", "localhost:4318", "begins with http:// or https://"),
        ("COMPRESSION", "brotli", "set it to gzip or none"),
        ("TIMEOUT", "10s", "milliseconds, an integer from 1 on"),
        ("TIMEOUT", "0", "milliseconds, an integer from 1 on"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    folder: Folder, name: str, value: str, wanted: str
) -> None:
    """The variable is named, and what would be right."""
    folder.environment[f"{PREFIX}_ENDPOINT"] = "http://localhost:4318"
    folder.environment[f"{PREFIX}_{name}"] = value

    told = folder.problems(ENABLED)[PATH]

    assert f"{PREFIX}_{name} is {value}; " in told
    assert wanted in told


def test_what_is_set_for_traces_counts_first(folder: Folder) -> None:
    """Other signals may go by gRPC."""
    folder.environment |= {
        f"{PREFIX}_ENDPOINT": "http://localhost:4318",
        f"{PREFIX}_PROTOCOL": "grpc",
        f"{PREFIX}_TRACES_PROTOCOL": "http/json",
        f"{PREFIX}_COMPRESSION": "gzip",
        f"{PREFIX}_TIMEOUT": "5000",
    }

    assert folder.problems(ENABLED) == {}


def test_headers_that_lsd_makes_are_left_to_it(folder: Folder) -> None:
    """No export could be sent with them."""
    problems = folder.problems(
        "gateway.export.otlp.traces.extra_headers = { Content-Length = '3', x-team = 't' }"
    )

    path = "gateway.export.otlp.traces.extra_headers.Content-Length"
    assert problems == {path: "says where the body ends; leave it to LSD"}


def test_content_has_no_switch_in_the_other_format(folder: Folder) -> None:
    """Who sets it there is told that it does nothing."""
    text = "gateway.export.otlp.traces = { format = 'openinference', include_content = true }"

    assert "has no effect" in folder.load(text).warnings[0]
