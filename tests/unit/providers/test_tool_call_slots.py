"""Tool calls come together whatever the server does with indexes, ids and names."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import ToolCallChunk
from lsd.providers._tool_call_slots import BadToolCall, ToolCallSlots, arguments_text

Called = list[tuple[str, str, str]]


def item(
    index: int | None = 0, identifier: str | None = None, name: str | None = None, more: Any = None
) -> dict[str, Any]:
    """One element of `delta.tool_calls`."""
    return {"index": index, "id": identifier, "function": {"name": name, "arguments": more}}


def slots() -> ToolCallSlots:
    """Slots that name calls g1, g2, … where the server does not."""
    numbers: Iterator[int] = count(1)
    return ToolCallSlots(lambda: f"g{next(numbers)}")


def collected(*items: Any) -> Called:
    """The calls after these deltas, as (id, name, arguments) in order of first appearance."""
    calls: dict[str, tuple[str, str]] = {}
    reader = slots()
    for each in items:
        chunk = reader.take(each)
        if chunk is not None:
            name, arguments = calls.get(chunk.id, ("", ""))
            calls[chunk.id] = (name + chunk.raw_name, arguments + chunk.raw_arguments)
    return [(identifier, *call) for identifier, call in calls.items()]


@pytest.mark.parametrize(
    ("items", "calls"),
    [
        pytest.param(
            [
                item(0, "a", "wx", '{"c"'),
                item(1, "b", "tm", ""),
                item(0, None, None, ':"Oslo"}'),
                item(1, None, None, "{}"),
            ],
            [("a", "wx", '{"c":"Oslo"}'), ("b", "tm", "{}")],
            id="case 30: interleaved by index",
        ),
        pytest.param(
            [item(0, "a", "wx", "1"), item(0, "", more="2"), item(0, "b", "tm"), item(0, more="3")],
            [("a", "wx", "12"), ("b", "tm", "3")],
            id="index 0 for every call",
        ),
        pytest.param(
            [item(0, "a", "wx", "1"), item(0, "b", "tm", "2"), item(0, "a", None, "3")],
            [("a", "wx", "13"), ("b", "tm", "2")],
            id="index 0 for every call, interleaved by id",
        ),
        pytest.param(
            [item(None, "a", "wx", "1"), item(None, "b", "tm", "2"), item(None, "b", None, "3")],
            [("a", "wx", "1"), ("b", "tm", "23")],
            id="index null, id repeated",
        ),
        pytest.param(
            [item(None, "a", "wx", "1"), item(None, None, None, "2")],
            [("a", "wx", "12")],
            id="neither index nor id: the newest call goes on",
        ),
        pytest.param(
            [item(0, "a", "wx", "1"), item(1, "b", "tm", "2"), item(None, "a", None, "3")],
            [("a", "wx", "13"), ("b", "tm", "2")],
            id="index null finds the slot that holds the id",
        ),
        pytest.param(
            [item(0, "a", "wx", "1"), item(0, "a", "wx", "2")],
            [("a", "wx", "12")],
            id="id and name repeated",
        ),
        pytest.param(
            [item(0, "a", "get_"), item(0, None, "weather"), item(0, None, "no", "{}")],
            [("a", "get_weatherno", "{}")],
            id="the name in pieces",
        ),
        pytest.param(
            [item(0, "a", "wx", "{"), item(0, None, "tail", "}")],
            [("a", "wx", "{}")],
            id="no more of the name once there are arguments",
        ),
        pytest.param(
            [item(0, "a", None, "{"), item(0, None, "wx", "}")],
            [("a", "wx", "{}")],
            id="a late name",
        ),
        pytest.param(
            [item(0, None, "wx", "1"), item(0, "", None, "2"), item(1, "", "tm", "3")],
            [("g1", "wx", "12"), ("g2", "tm", "3")],
            id="case 25: missing ids are generated once a call",
        ),
        pytest.param(
            [item(0, "a", "wx", {"c": "Oslo"}), item(0, "a", "wx", {"c": "Oslo"})],
            [("a", "wx", '{"c":"Oslo"}')],
            id="an object is serialized once",
        ),
        pytest.param(
            [{"id": "a", "type": "custom", "custom": {"name": "sql", "input": "SEL"}},
             {"index": 0, "custom": {"input": "ECT"}}],
            [("a", "sql", "SELECT")],
            id="a custom tool",
        ),
        pytest.param(
            [{"id": 7, "index": "0", "function": {"name": "wx"}}],
            [("7", "wx", "")],
            id="numbers as ids, strings as indexes",
        ),
        pytest.param(
            [item(0, "a", "wx", "1"), item(1, "a", "tm", "2"), item(1, "a", None, "3")],
            [("a", "wx", "1"), ("g1", "tm", "23")],
            id="one id for two calls",
        ),
        pytest.param(
            [item(0, "a", "wx", "1"), item(1, "a", None, "2")],
            [("a", "wx", "12")],
            id="a new index for the same call",
        ),
    ],
)  # fmt: skip
def test_deltas_become_calls(items: list[Any], calls: Called) -> None:
    """Each delta goes to the call that it belongs to."""
    assert collected(*items) == calls


def test_a_call_is_told_from_its_start_and_only_when_it_grows() -> None:
    """The start is told even without arguments; a continuation that adds nothing is not."""
    reader = slots()

    assert reader.take(item(0, "a", "wx", "")) == ToolCallChunk(id="a", raw_name="wx")
    assert reader.take(item(0, "a", "wx", "")) is None
    assert reader.take(item(0, None, None, "{}")) == ToolCallChunk(id="a", raw_arguments="{}")


@pytest.mark.parametrize("bad", [item(3, None, None, "{}"), item(0, "", ""), "x", None, [], {}])
def test_a_continuation_of_nothing_is_refused(bad: object) -> None:
    """Arguments for a call that was never begun belong nowhere."""
    with pytest.raises(BadToolCall):
        slots().take(bad)


def test_calls_without_a_name_are_known_at_the_end() -> None:
    """A call that never got a name cannot be made."""
    reader = slots()
    for each in (item(0, "a"), item(0, "b"), item(1, "c", "wx")):
        reader.take(each)

    assert reader.nameless() == ["a", "b"]


def test_arguments_nested_too_deeply_are_refused() -> None:
    """What cannot be written as JSON again is no arguments."""
    deep: Any = {}
    for _ in range(900):
        deep = {"a": deep}

    with pytest.raises(BadToolCall):
        arguments_text(deep)


anything = st.none() | st.sampled_from(["", "a", "b", 0, 1, -1, True, 2.5, {"x": 1}, [1]])


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "index": anything,
                "id": anything,
                "type": anything,
                "function": anything
                | st.fixed_dictionaries({}, optional={"name": anything, "arguments": anything}),
                "custom": anything,
            },
        )
        | anything
    )
)
def test_no_delta_is_too_strange(items: list[Any]) -> None:
    """Whatever a server sends is either understood or refused, and chunks say something."""
    reader = slots()
    seen: set[str] = set()
    for each in items:
        try:
            chunk = reader.take(each)
        except BadToolCall as refused:
            assert str(refused)  # noqa: PT017 (each item may be refused or not)
            continue
        if chunk is not None:
            assert chunk.id not in seen or chunk.raw_name or chunk.raw_arguments
            seen.add(chunk.id)


@given(
    calls=st.lists(st.lists(st.text(min_size=1), max_size=4), min_size=1, max_size=4),
    random=st.randoms(use_true_random=False),
)
def test_interleaved_calls_keep_their_arguments(calls: list[list[str]], random: Any) -> None:
    """However the deltas of several calls are mixed, each call gets its own, in order."""
    queues = [
        [
            item(place, f"id{place}", f"name{place}"),
            *(item(place, None, None, each) for each in pieces),
        ]
        for place, pieces in enumerate(calls)
    ]
    mixed = []
    while any(queues):
        mixed.append(random.choice([queue for queue in queues if queue]).pop(0))

    assert sorted(collected(*mixed)) == sorted(
        (f"id{place}", f"name{place}", "".join(pieces)) for place, pieces in enumerate(calls)
    )
