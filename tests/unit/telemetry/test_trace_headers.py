"""Headers by which callers add to their traces."""

import pytest

from lsd.telemetry import NO_EXTRAS, TraceExtras, read_trace_extras

PREFIX = "lsd-otlp-traces-extra-"


def test_most_requests_add_nothing() -> None:
    """Whatever other headers they have."""
    assert read_trace_extras({"host": "x", "traceparent": "y"}) is NO_EXTRAS


def test_each_kind_has_its_place() -> None:
    """Texts as they are; attributes are JSON."""
    found = read_trace_extras(
        {
            f"{PREFIX}header-x-place": "v",
            f"{PREFIX}resource-region": "eu",
            f"{PREFIX}attribute-flag": "false",
            f"{PREFIX}attribute-name": '"a \\u00e9"',
        }
    )

    assert found == TraceExtras(
        headers={"x-place": "v"},
        resource={"region": "eu"},
        attributes={"flag": False, "name": "a é"},
    )


@pytest.mark.parametrize("value", ["1", "null", "[]", "{}", "bare", "", '"open'])
def test_attributes_are_texts_or_booleans(value: str) -> None:
    """Nothing else; the header is named."""
    with pytest.raises(ValueError, match=f"header {PREFIX}attribute-n: found another value"):
        read_trace_extras({f"{PREFIX}attribute-n": value})


@pytest.mark.parametrize("name", ["header-", "header", "resource-", "nonsense-x", "-x", ""])
def test_other_names_are_refused(name: str) -> None:
    """Somebody has meant something by them."""
    with pytest.raises(ValueError, match="found another name"):
        read_trace_extras({f"{PREFIX}{name}": "v"})


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("content-length", "3", "says where a body ends"),
        ("transfer-encoding", "chunked", "says where a body ends"),
        ("x-place", "é", "beyond ASCII"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(name: str, value: str, found: str) -> None:
    """They would spoil the export of others' traces, too."""
    with pytest.raises(ValueError, match=found):
        read_trace_extras({f"{PREFIX}header-{name}": value})
