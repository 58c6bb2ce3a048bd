"""Values against schemas that came with inferences."""

from lsd.feedback.schema_check import SchemaCheck

INTEGER = {"type": "object", "properties": {"order": {"type": "integer"}}}


def test_what_fits_has_no_findings() -> None:
    """An empty text means that all is well."""
    assert SchemaCheck(show_values=False).findings(INTEGER, {"order": 7}) == ""


def test_values_are_quoted_only_on_request() -> None:
    """What people send may be private; the path and the rule tell enough."""
    told = SchemaCheck(show_values=False).findings(INTEGER, {"order": "4711"})
    quoted = SchemaCheck(show_values=True).findings(INTEGER, {"order": "4711"})

    assert told.startswith("order: ")
    assert "4711" not in told
    assert "4711" in quoted


def test_a_schema_that_is_none_fits_nothing() -> None:
    """A later release may refuse what an earlier one took."""
    assert "JSON Schema" in SchemaCheck(show_values=False).findings({"type": "no type"}, {})
