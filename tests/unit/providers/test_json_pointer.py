"""Pointers set, append and delete, and never write into what they were given."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import decode_json, encode_json
from lsd.providers.json_pointer import BadPointer, with_value, without

BODY: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user"}, {"role": "assistant"}],
    "a/b": {"m~n": 1},
    "nothing": None,
}


@pytest.mark.parametrize(
    ("pointer", "changed"),
    [
        ("/model", {"model": 9}),
        ("/temperature", {"temperature": 9}),
        ("/a/b/c", {"a": {"b": {"c": 9}}}),
        ("/messages/-", {"messages": [*BODY["messages"], 9]}),
        ("/tools/-", {"tools": [9]}),
        ("/a/b/-", {"a": {"b": [9]}}),
        ("/messages/0", {"messages": [9, {"role": "assistant"}]}),
        ("/messages/1/name", {"messages": [{"role": "user"}, {"role": "assistant", "name": 9}]}),
        ("/a~1b/m~0n", {"a/b": {"m~n": 9}}),
        ("/a~1b/0", {"a/b": {"m~n": 1, "0": 9}}),
        ("/x//y", {"x": {"": {"y": 9}}}),
    ],
)
def test_a_value_is_put_where_the_pointer_leads(pointer: str, changed: dict[str, Any]) -> None:
    """Fields are set, missing parents made, array elements replaced or appended."""
    assert with_value(BODY, pointer, 9) == {**BODY, **changed}


@pytest.mark.parametrize(
    ("pointer", "reason"),
    [
        ("", "found nothing; wanted a pointer such as /temperature"),
        ("model", "does not start with `/`"),
        ("/", "ends in `/`"),
        ("/messages/", "ends in `/`"),
        ("/a~2", "has a `~` without 0 or 1 after it"),
        ("/model/x", "`model` is neither an object nor an array"),
        ("/nothing/x", "`nothing` is neither an object nor an array"),
        ("/messages/2", "there is no element 2 in an array of 2; `-` appends"),
        ("/messages/2/x", "there is no element 2 in an array of 2"),
        ("/messages/01", "`01` is no index of an array"),
        ("/messages/last", "`last` is no index of an array"),
        ("/messages/-/x", "`-` may only be last"),
        ("/a~1b/-", "`-` may only be last"),
        ("/-", "`-` may only be last"),
        ("/tools/0", "`tools` is missing, so there is no array in which `0` could be"),
        ("/tools/-/x", "`tools` is missing, so there is no array in which `-` could be"),
        ("/x/y/007/z", "`x` is missing, so there is no array in which `007` could be"),
    ],
)
def test_a_pointer_that_leads_nowhere_says_why(pointer: str, reason: str) -> None:
    """The error names the pointer and what is wrong with it."""
    with pytest.raises(BadPointer) as refused:
        with_value(BODY, pointer, 9)

    assert reason in str(refused.value)
    assert str(refused.value).startswith(f"pointer {pointer!r}: ")


@pytest.mark.parametrize(
    ("pointer", "left"),
    [
        ("/model", {key: BODY[key] for key in ("messages", "a/b", "nothing")}),
        ("/messages/0", {**BODY, "messages": [{"role": "assistant"}]}),
        ("/a~1b/m~0n", {**BODY, "a/b": {}}),
    ],
)
def test_what_is_deleted_is_gone(pointer: str, left: dict[str, Any]) -> None:
    """Fields and array elements are deleted; later elements move up."""
    assert without(BODY, pointer) == (left, True)


@pytest.mark.parametrize("pointer", ["/top_p", "/x/y/z", "/messages/2", "/messages/7/role"])
def test_deleting_what_is_absent_changes_nothing(pointer: str) -> None:
    """The caller is told that there was nothing."""
    assert without(BODY, pointer) == (BODY, False)


@pytest.mark.parametrize(
    "pointer", ["", "x", "/x/", "/messages/-", "/-", "/model/x", "/messages/x", "/-/x"]
)
def test_deleting_by_a_bad_pointer_is_refused(pointer: str) -> None:
    """`-` names no element, and a scalar holds nothing."""
    with pytest.raises(BadPointer):
        without(BODY, pointer)


documents = st.recursive(
    st.none() | st.integers(-9, 9) | st.text("ab0", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab0-", max_size=2), inner),
    max_leaves=12,
)
pointers = st.lists(
    st.sampled_from(["a", "b", "0", "1", "-", "~0", "~1", "", "~"]), max_size=4
).map(lambda parts: "".join("/" + part for part in parts))


@given(document=st.dictionaries(st.text("ab0-", max_size=2), documents), pointer=pointers)
def test_documents_are_never_written_into(document: dict[str, Any], pointer: str) -> None:
    """Whatever pointer is tried, the document given stays as it was."""
    before = encode_json(document)
    for change in (
        lambda: with_value(document, pointer, "new"),
        lambda: without(document, pointer),
    ):
        with suppress(BadPointer):
            change()
        assert encode_json(document) == before


@given(document=st.dictionaries(st.text("ab0-", max_size=2), documents), pointer=pointers)
def test_what_was_set_can_be_deleted(document: dict[str, Any], pointer: str) -> None:
    """Deleting finds what setting has put, appended elements aside."""
    try:
        changed = with_value(document, pointer, "new")
    except BadPointer:
        return
    if not pointer.endswith("/-"):
        left, found = without(changed, pointer)
        assert found
        assert '"new"' not in encode_json(left).decode()


def test_a_value_put_in_is_not_written_into_by_a_later_edit() -> None:
    """An edit of the configuration keeps its value, whatever the request's own edits do."""
    configured: dict[str, Any] = {"type": "enabled"}

    body = with_value(with_value({}, "/thinking", configured), "/thinking/type", "disabled")

    assert body == {"thinking": {"type": "disabled"}}
    assert configured == {"type": "enabled"}


def test_a_pointer_of_many_parts_is_no_trouble() -> None:
    """A caller's pointer cannot exhaust the stack."""
    body = with_value({}, "/a" * 500, 1)

    assert encode_json({"b": decode_json("1")}) == b'{"b":1}'
    assert without(body, "/a" * 500)[1]
