"""Lists of inferences: pages next to a cursor, from whichever index is the narrowest."""

from itertools import product

import attrs
import pytest

from lsd.store import InferenceRecord, Selection, Store, TagIs, _query_plan
from tests.unit.store.makers import Maker, stored
from tests.unit.store.plain import Plain

ACME = TagIs(key="tenant", value="acme")


def plain_of(records: list[InferenceRecord]) -> Plain:
    """The same inferences without a store."""
    return Plain(inferences={record.inference_id: record for record in records})


@pytest.fixture
def records(store: Store, make: Maker) -> list[InferenceRecord]:
    """Twelve inferences of two functions, two variants and three episodes, oldest first."""
    episodes = [make.id() for _ in range(3)]
    return [
        attrs.evolve(
            stored(
                store,
                make.inference(
                    function_name=function,
                    variant_name=variant,
                    episode_id=episode,
                    tags={"number": str(number % 2), "tenant": "acme"},
                ),
            ),
            body=None,
        )
        for number, (function, variant, episode) in enumerate(
            product(("haiku", "triage"), ("terse", "warm"), episodes)
        )
    ]


@pytest.mark.parametrize("function", [None, "haiku", "unknown"])
@pytest.mark.parametrize("variant", [None, "warm", "unknown"])
@pytest.mark.parametrize("tag", [None, ("number", "1"), ("number", "7"), ("nothing", "1")])
@pytest.mark.parametrize("with_episode", [False, True])
def test_a_list_holds_exactly_what_was_selected(
    store: Store,
    records: list[InferenceRecord],
    function: str | None,
    variant: str | None,
    tag: tuple[str, str] | None,
    with_episode: bool,
) -> None:
    """Every combination of conditions gives what going through all records gives."""
    selection = Selection(
        function_name=function,
        variant_name=variant,
        filter=None if tag is None else TagIs(key=tag[0], value=tag[1]),
        episode_id=records[1].episode_id if with_episode else None,
    )

    found = store.inferences.page(selection, limit=100)

    assert found == plain_of(records).newest(selection)
    assert store.inferences.count(selection) == len(found)


def test_pages_follow_each_other(store: Store, records: list[InferenceRecord]) -> None:
    """Going back by the last row's id shows each record once, and then nothing."""
    seen: list[InferenceRecord] = []
    before = None
    while page := store.inferences.page(Selection(), before=before, limit=5):
        seen += page
        before = page[-1].inference_id

    assert seen == records[::-1]


@pytest.mark.parametrize("selection", [Selection(), Selection(filter=ACME)])
def test_a_page_after_a_cursor_is_next_to_it(
    store: Store, records: list[InferenceRecord], selection: Selection
) -> None:
    """Going forward gives the neighbours of the cursor, newest first all the same."""
    found = store.inferences.page(selection, after=records[4].inference_id, limit=2)

    assert found == [records[6], records[5]]


def test_a_cursor_need_not_exist(store: Store, records: list[InferenceRecord], make: Maker) -> None:
    """Cursors work by value."""
    zero, later = "00000000-0000-7000-8000-000000000000", make.id()

    assert store.inferences.page(Selection(), before=later, limit=1) == [records[-1]]
    assert store.inferences.page(Selection(), after=zero, limit=1) == [records[0]]
    assert store.inferences.page(Selection(), before=zero, limit=1) == []
    assert store.inferences.page(Selection(), after=later, limit=1) == []


def test_a_limit_of_nothing_is_an_empty_page(store: Store, records: list[InferenceRecord]) -> None:
    """Asking for no rows gives none."""
    assert store.inferences.page(Selection(), limit=0) == []


@pytest.mark.parametrize("direction", ["before", "after"])
def test_a_long_list_is_read_in_several_snapshots(
    store: Store,
    records: list[InferenceRecord],
    direction: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where one snapshot ends and the next begins does not show."""
    monkeypatch.setattr(_query_plan, "_STEPS_PER_READ_MAX", 2)
    selection = Selection(variant_name="warm")
    wanted = plain_of(records).newest(selection)
    ends = {"before": records[-1], "after": records[0]}
    cursor = {direction: ends[direction].inference_id}

    found = store.inferences.page(selection, **cursor, limit=100)

    assert found == [record for record in wanted if record != ends[direction]]


def test_two_cursors_at_once_are_a_bug(store: Store, make: Maker) -> None:
    """A page lies on one side of one cursor."""
    with pytest.raises(AssertionError):
        store.inferences.page(Selection(), before=make.id(), after=make.id(), limit=1)
