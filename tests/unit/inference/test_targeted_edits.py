"""Edits of provider requests that a caller sends along."""

from typing import Any

import pytest

from lsd.conversation import BodyEdit, HeaderEdit, Malformed, Structurer
from lsd.inference.targeted_edits import (
    EditTarget,
    TargetedBodyEdit,
    TargetedHeaderEdit,
    register_edits,
)

EVERYWHERE = EditTarget()


@pytest.fixture(scope="module")
def structurer() -> Structurer:
    """What reads requests."""
    made = Structurer()
    register_edits(made)
    return made


def problem(structurer: Structurer, value: Any, kind: Any) -> str:
    """The only thing that is wrong with an entry."""
    with pytest.raises(Malformed) as malformed:
        structurer.structure(value, kind, "here")
    (only,) = malformed.value.problems
    return str(only)


@pytest.mark.parametrize(
    ("entry", "edit"),
    [
        ({"pointer": "/a", "value": 1}, BodyEdit(pointer="/a", value=1)),
        ({"pointer": "/a", "value": None}, BodyEdit(pointer="/a", value=None)),
        ({"pointer": "/a", "value": {"b": []}}, BodyEdit(pointer="/a", value={"b": []})),
        ({"pointer": "/a", "value": False, "delete": None}, BodyEdit(pointer="/a", value=False)),
        ({"pointer": "/a", "delete": True}, BodyEdit(pointer="/a", delete=True)),
        ({"pointer": "", "value": 1}, BodyEdit(pointer="", value=1)),
    ],
    ids=["value", "null is a value", "object", "no deletion", "deletion", "bad pointer"],
)
def test_a_body_edit_puts_a_value_or_deletes(
    structurer: Structurer, entry: Any, edit: BodyEdit
) -> None:
    """Null is a value to put; whether a pointer leads anywhere shows at the provider's body."""
    made = structurer.structure(entry, TargetedBodyEdit)

    assert made == TargetedBodyEdit(edit=edit, target=EVERYWHERE, as_sent=entry)


@pytest.mark.parametrize(
    ("entry", "edit"),
    [
        ({"name": "x-a", "value": "1"}, HeaderEdit(name="x-a", value="1")),
        ({"name": "x-a", "value": ""}, HeaderEdit(name="x-a", value="")),
        ({"name": "X-A", "value": "a\tb"}, HeaderEdit(name="X-A", value="a\tb")),
        ({"name": "x-a", "delete": True}, HeaderEdit(name="x-a", delete=True)),
        ({"name": "x-a", "value": None, "delete": True}, HeaderEdit(name="x-a", delete=True)),
    ],
    ids=["value", "empty value", "with a tab", "deletion", "deletion with null"],
)
def test_a_header_edit_sets_or_deletes(
    structurer: Structurer, entry: Any, edit: HeaderEdit
) -> None:
    """A header may be set to nothing, which is not the same as deleting it."""
    made = structurer.structure(entry, TargetedHeaderEdit)

    assert made == TargetedHeaderEdit(edit=edit, target=EVERYWHERE)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ({}, EVERYWHERE),
        ({"variant_name": None, "model_name": None, "provider_name": None}, EVERYWHERE),
        ({"variant_name": "v"}, EditTarget(variant_name="v")),
        ({"model_name": "m"}, EditTarget(model_name="m")),
        ({"model_name": "m", "provider_name": "p"}, EditTarget(model_name="m", provider_name="p")),
    ],
    ids=["everywhere", "nulls", "variant", "model", "provider"],
)
def test_an_edit_may_have_a_target(
    structurer: Structurer, target: dict[str, Any], found: EditTarget
) -> None:
    """Without a target an edit applies everywhere."""
    body = structurer.structure({"pointer": "/a", "value": 1, **target}, TargetedBodyEdit)
    header = structurer.structure({"name": "a", "value": "1", **target}, TargetedHeaderEdit)

    assert body.target == header.target == found


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ({}, "here: found neither `value` nor `delete`; wanted one of them"),
        (
            {"value": "1", "delete": True},
            "here: found both `value` and `delete`; wanted one of them",
        ),
        ({"delete": False}, "here.delete: found false; wanted true"),
        ({"value": "1", "delete": False}, "here.delete: found false; wanted true"),
        ({"delete": "true"}, 'here.delete: found "true"; wanted true'),
        ({"delete": 1}, "here.delete: found 1; wanted true"),
        (
            {"value": "1", "variant_name": "v", "model_name": "m"},
            "here: found both `variant_name` and `model_name`; wanted at most one target",
        ),
        (
            {"value": "1", "variant_name": "v", "provider_name": "p"},
            "here: found both `variant_name` and `model_name`; wanted at most one target",
        ),
        (
            {"value": "1", "provider_name": "p"},
            "here: found `provider_name` without `model_name`; wanted both of them",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_edit_of_another_shape_is_refused(
    structurer: Structurer, rest: dict[str, Any], told: str
) -> None:
    """Both kinds of edits know the same rules."""
    assert problem(structurer, {"pointer": "/a", **rest}, TargetedBodyEdit) == told
    assert problem(structurer, {"name": "a", **rest}, TargetedHeaderEdit) == told


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\x00", "\x7f"], ids=repr)
def test_a_header_value_that_would_break_http_is_refused(
    structurer: Structurer, value: str
) -> None:
    """Line ends and control characters do not reach a provider."""
    told = problem(structurer, {"name": "a", "value": value}, TargetedHeaderEdit)

    assert told == "here: found a name or value with illegal characters; wanted a legal HTTP header"


@pytest.mark.parametrize("name", ["", "a b", "a:", "caf\u00e9", "a\n", "(a)"], ids=repr)
def test_a_header_name_that_would_break_http_is_refused(structurer: Structurer, name: str) -> None:
    """A name is a token, whether it is set or deleted."""
    wanted = "here: found a name or value with illegal characters; wanted a legal HTTP header"

    assert problem(structurer, {"name": name, "value": "1"}, TargetedHeaderEdit) == wanted
    assert problem(structurer, {"name": name, "delete": True}, TargetedHeaderEdit) == wanted
