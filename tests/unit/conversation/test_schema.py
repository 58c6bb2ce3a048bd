"""JSON Schemas: which are usable, and what a value is told that does not fit."""

from typing import Any

import pytest
from hypothesis import given

from lsd.conversation import BadSchema, Schema, SchemaCache
from lsd.conversation import schema as schemas
from tests.unit.conversation.json_values import JSON_VALUES

TICKET = Schema.compile(
    {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "tags": {"type": "array", "items": {"enum": ["new", "old"]}},
            "no one": False,
        },
        "required": ["id"],
        "additionalProperties": False,
    }
)


def draft(name: str) -> str:
    """The URI of an older draft."""
    return f"http://json-schema.org/{name}/schema#"


@pytest.mark.parametrize(
    ("instance", "is_accepted"),
    [
        ({"id": 1}, True),
        ({"id": 1, "tags": ["new", "old"]}, True),
        ({"id": 1.0}, True),
        ({"id": "1"}, False),
        ({}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_value_fits_or_does_not(instance: Any, is_accepted: bool) -> None:
    """Whoever asks only whether, gets only that; there are findings when it does not."""
    assert TICKET.accepts(instance) == is_accepted
    assert (TICKET.findings(instance) == []) == is_accepted


@pytest.mark.parametrize(
    ("instance", "told"),
    [
        ({"id": "SECRET"}, ["id: fails `type` (wanted integer)"]),
        ({"id": 1, "tags": ["new", "SECRET"]}, ["tags[1]: fails `enum`"]),
        ({}, ["the value: fails `required` (missing 'id')"]),
        ({"id": 1, "more": "SECRET"}, ["the value: fails `additionalProperties`"]),
        ({"id": 1, "no one": "SECRET"}, ['"no one": fails `false`']),
        ("SECRET", ["the value: fails `type` (wanted object)"]),
    ],
)
def test_findings_name_the_place_and_the_keyword(instance: Any, told: list[str]) -> None:
    """They can be shown to anybody, for they quote nothing of the value."""
    assert TICKET.findings(instance) == told


def test_findings_quote_the_value_when_asked_to() -> None:
    """For debugging, the validator speaks itself."""
    (finding,) = TICKET.findings({"id": "seven"}, show_values=True)

    assert finding == 'id: "seven" is not of type "integer"'


def test_findings_are_few_and_short() -> None:
    """A thousand mistakes fill no log, and neither does one that is very long."""
    many = Schema.compile({"items": {"type": "integer"}})

    assert len(many.findings(["x"] * 1000)) == schemas.FINDINGS_MAX
    (long,) = TICKET.findings({"id": "x" * 10**6}, show_values=True)
    assert len(long) == schemas.FINDING_LENGTH_MAX
    assert long.endswith("…")


def test_a_boolean_is_a_schema() -> None:
    """`true` accepts everything and `false` nothing."""
    assert Schema.compile(True).accepts("anything")
    assert Schema.compile(False).findings({}) == ["the value: fails `false`"]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (None, "found neither an object nor a boolean"),
        ([], "found neither an object nor a boolean"),
        ("integer", "found neither an object nor a boolean"),
        ({"type": "whole"}, 'type: "whole" is not valid'),
        ({"properties": {"a b": {"minimum": "x"}}}, 'properties."a b".minimum: "x" is not of type'),
        ({"pattern": "("}, 'pattern: "(" is not a "regex"'),
        ({"$ref": "#/$defs/none"}, "'/$defs/none' does not exist"),
        ({"$schema": "https://example.com/mine"}, "https://example.com/mine"),
    ],
)
def test_what_is_no_schema_is_refused(schema: Any, reason: str) -> None:
    """The message tells why, and where in the schema."""
    with pytest.raises(BadSchema) as caught:
        Schema.compile(schema)

    assert str(caught.value).startswith("not a usable JSON Schema: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:1/x.json", "https://example.com/x.json", "file:///etc/passwd"]
)
def test_nothing_is_fetched(reference: str) -> None:
    """A reference to another document is refused, whatever a caller hopes to reach by it."""
    with pytest.raises(BadSchema, match=reference):
        Schema.compile({"$ref": reference})


def test_a_refusal_is_short() -> None:
    """The validator would quote the whole of a long schema."""
    with pytest.raises(BadSchema) as caught:
        Schema.compile({"pattern": "(" * 10**6})

    assert len(str(caught.value)) < 2 * schemas.FINDING_LENGTH_MAX


def test_the_draft_is_the_one_that_the_schema_names() -> None:
    """Without a name it is 2020-12; in draft 4 a bound was made exclusive by a boolean."""
    exclusive = {"$schema": draft("draft-04"), "minimum": 1, "exclusiveMinimum": True}

    assert not Schema.compile(exclusive).accepts(1)
    assert Schema.compile(exclusive).accepts(2)
    assert Schema.compile({"prefixItems": [{"type": "string"}]}).findings([1]) != []
    old = {"$schema": draft("draft-07"), "prefixItems": [{"type": "string"}]}
    assert Schema.compile(old).accepts([1])


def test_a_schema_may_speak_of_itself() -> None:
    """A recursive schema describes trees of any depth, and one that only points at itself ends."""
    tree = Schema.compile(
        {"$defs": {"t": {"items": {"$ref": "#/$defs/t"}, "type": "array"}}, "$ref": "#/$defs/t"}
    )
    deep: list[Any] = []
    for _ in range(150):
        deep = [deep]

    assert tree.accepts(deep)
    assert not tree.accepts([deep, [[1]]])
    Schema.compile({"$ref": "#"}).accepts(1)


@given(JSON_VALUES)
def test_any_value_is_a_schema_or_is_not(value: Any) -> None:
    """Nothing but BadSchema comes out of compiling what a caller has sent."""
    try:
        schema = Schema.compile(value)
    except BadSchema:
        return
    assert schema.value == value


@given(JSON_VALUES)
def test_any_value_can_be_looked_at(value: Any) -> None:
    """Findings and the answer agree for each value."""
    assert TICKET.accepts(value) == (TICKET.findings(value, show_values=True) == [])


def test_a_schema_that_comes_again_is_not_compiled_again() -> None:
    """The order of its keys does not matter."""
    cache = SchemaCache()

    first = cache.compile({"type": "object", "required": ["a"]})
    second = cache.compile({"required": ["a"], "type": "object"})

    assert second is first
    assert cache.compile({"type": "object", "required": ["b"]}) is not first


def test_what_cannot_be_compiled_is_not_kept() -> None:
    """A bad schema is refused each time."""
    cache = SchemaCache()

    for _ in range(2):
        with pytest.raises(BadSchema):
            cache.compile({"type": "whole"})


def test_the_schemas_used_longest_ago_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers that make up ever new schemas cannot fill the memory."""
    one = {"title": "1"}
    monkeypatch.setattr(schemas, "CACHED_BYTES_MAX", 3 * len('{"title":"1"}'))
    cache = SchemaCache()
    kept = {title: cache.compile({"title": title}) for title in "123"}

    used_again = cache.compile(one)
    cache.compile({"title": "4"})

    assert used_again is kept["1"]
    assert cache.compile(one) is kept["1"]
    assert cache.compile({"title": "3"}) is kept["3"]
    assert cache.compile({"title": "2"}) is not kept["2"]


def test_a_schema_larger_than_the_cache_drives_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is compiled each time."""
    monkeypatch.setattr(schemas, "CACHED_BYTES_MAX", 40)
    cache = SchemaCache()
    small = cache.compile({"title": "1"})
    large = {"title": "x" * 100}

    first = cache.compile(large)

    assert cache.compile(large) is not first
    assert cache.compile({"title": "1"}) is small
