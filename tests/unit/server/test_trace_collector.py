"""What the environment tells of the collector of traces."""

import pytest

from lsd.server.trace_collector import Collector

SHARED = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"ENDPOINT": "http://c:4318"}, "http://c:4318/v1/traces"),
        ({"ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces"),
        ({"ENDPOINT": "http://c", "TRACES_ENDPOINT": "http://t/x"}, "http://t/x"),
        ({"ENDPOINT": "http://c", "TRACES_ENDPOINT": ""}, "http://c/v1/traces"),
    ],
)
def test_the_environment_names_the_collector(variables: dict[str, str], url: str) -> None:
    """For traces alone as it is, for everything with the path of traces."""
    named = {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in variables.items()}

    assert Collector.of(named).url == url


def test_without_more_the_usual_things_hold() -> None:
    """Protobuf, as it is, with ten seconds for an answer."""
    plain = Collector.of(SHARED)

    assert (plain.encoding, plain.is_compressed, plain.send_s_max) == ("http/protobuf", False, 10.0)
    assert (plain.resource, plain.headers) == ({"service.name": "lsd"}, {})


def test_the_environment_tells_how_to_export() -> None:
    """What is set for traces counts before what is set for everything."""
    told = Collector.of(
        {
            **SHARED,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b, x-team = t",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
        }
    )

    assert (told.encoding, told.is_compressed, told.send_s_max) == ("http/json", True, 2.5)
    assert told.headers == {"x-key": "a b", "x-team": "t"}


@pytest.mark.parametrize(
    ("variables", "resource"),
    [
        ({"OTEL_SERVICE_NAME": "llm"}, {"service.name": "llm"}),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=edge,k=a%2Cb=c"},
            {"service.name": "lsd", "deployment.environment.name": "edge", "k": "a,b=c"},
        ),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=other"}, {"service.name": "other"}),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=other", "OTEL_SERVICE_NAME": "llm"},
            {"service.name": "llm"},
        ),
        ({"OTEL_RESOURCE_ATTRIBUTES": "nonsense,,=x"}, {"service.name": "lsd"}),
        ({"OTEL_SERVICE_NAME": "a\udcff"}, {"service.name": "a?"}),
    ],
)
def test_the_environment_describes_the_daemon(
    variables: dict[str, str], resource: dict[str, str]
) -> None:
    """Its name counts first; it is called `lsd` if nobody says anything else."""
    assert Collector.of({**SHARED, **variables}).resource == resource
