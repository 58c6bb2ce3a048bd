"""Datapoints and datasets: what changes do to them, and how they are listed."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsd.store import (
    AllOf,
    AnyOf,
    ByRelevance,
    ByTime,
    Datapoint,
    DatapointQuery,
    Dataset,
    Filter,
    Not,
    Revision,
    Store,
    TagIs,
    TimeIs,
    UnknownDatapoint,
    verify,
)
from tests.unit.store.makers import Maker, open_store, put


def added(store: Store, make: Maker, *datapoints: Datapoint) -> list[Datapoint]:
    """Commits new datapoints, all of one dataset, and gives them back as they are stored."""
    write = store.datapoints.add(datapoints[0].dataset_name, datapoints, now_us=make.now_us())
    put(store, write)
    ids = [each.id for each in datapoints]
    return sorted(store.datapoints.get(ids), key=lambda each: ids.index(each.id))


def listed(store: Store, **query: Any) -> list[str]:
    """The ids of a list of `gold`."""
    found = store.datapoints.select(DatapointQuery(**{"dataset_name": "gold", **query}))
    return [each.id for each in found]


def deleted(store: Store, make: Maker, name: str, ids: Sequence[str] | None) -> int:
    """How many a delete has found."""
    count: list[int] = []
    put(store, store.datapoints.delete(name, ids, count, now_us=make.now_us()))
    return count[0]


def revision(make: Maker, old: Datapoint, **changes: Any) -> Revision:
    """A new version of `old`."""
    keeps_name = "name" not in changes
    version = attrs.evolve(old, id=make.id(), **changes)
    return Revision(replaced_id=old.id, version=version, keeps_name=keeps_name)


def test_what_is_added_is_read_back_with_one_time_for_all(store: Store, make: Maker) -> None:
    """The datapoints of one write have its time, to the microsecond; newest come first."""
    first, second = added(store, make, make.datapoint(tags={"a": "b"}), make.datapoint(name="n"))

    assert first.updated_at_us == second.updated_at_us == make.now_us()
    assert (first.tags, second.name, first.staled_at_us) == ({"a": "b"}, "n", None)
    assert listed(store) == [second.id, first.id]
    assert store.datapoints.count("gold") == 2


def test_no_two_changes_of_a_dataset_have_one_time(store: Store, make: Maker) -> None:
    """Not even when the clock stands still, or steps back."""
    (first,) = added(store, make, make.datapoint())
    make.clock.advance_s(-60)
    (second,) = added(store, make, make.datapoint())
    (elsewhere,) = added(store, make, make.datapoint(dataset_name="silver"))

    assert second.updated_at_us == first.updated_at_us + 1
    assert elsewhere.updated_at_us == make.now_us()


def test_a_revision_replaces_a_version(store: Store, make: Maker) -> None:
    """The old version can be read and is stale since the new one came."""
    (old,) = added(store, make, make.datapoint(name="pond", tags={"split": "test"}))
    make.clock.advance_s(1)
    change = revision(make, old, body=make.datapoint_body("A pond", "A frog jumps in"))

    put(store, store.datapoints.revise("gold", [change], now_us=make.now_us()))

    by_id = {each.id: each for each in store.datapoints.get([old.id, change.version.id])}
    new = by_id[change.version.id]
    assert by_id[old.id].staled_at_us == by_id[old.id].updated_at_us == new.updated_at_us
    assert by_id[old.id].body == old.body
    assert (new.name, new.tags, new.staled_at_us) == ("pond", {"split": "test"}, None)
    assert listed(store) == [new.id]
    assert store.datapoints.count("gold") == 1


def test_a_revision_keeps_the_name_that_there_is_when_it_is_made(store: Store, make: Maker) -> None:
    """A rename that came first is not lost."""
    (old,) = added(store, make, make.datapoint(name="early"))
    change = revision(make, old)
    put(store, store.datapoints.rename("gold", [old.id], {old.id: "late"}, now_us=make.now_us()))

    put(store, store.datapoints.revise("gold", [change], now_us=make.now_us()))

    (new,) = store.datapoints.get([change.version.id])
    assert new.name == "late"


@pytest.mark.parametrize("reason", ["unknown", "stale", "in another dataset"])
def test_a_revision_of_what_is_not_live_changes_nothing(
    store: Store, make: Maker, reason: str
) -> None:
    """One bad id spoils the whole write, which leaves no trace."""
    (good, stale) = added(store, make, make.datapoint(), make.datapoint())
    deleted(store, make, "gold", [stale.id])
    (foreign,) = added(store, make, make.datapoint(dataset_name="silver"))
    bad = {"unknown": make.datapoint(), "stale": stale, "in another dataset": foreign}[reason]
    changes = [revision(make, good), revision(make, bad)]

    with pytest.raises(UnknownDatapoint, match=f"{bad.id}.*'gold'"):
        put(store, store.datapoints.revise("gold", changes, now_us=make.now_us()))

    assert listed(store) == [good.id]
    assert store.datapoints.get([each.version.id for each in changes]) == []


def test_a_rename_leaves_the_version_and_moves_it_to_the_front(store: Store, make: Maker) -> None:
    """Content and id stay; without a name nothing changes at all."""
    first, second = added(store, make, make.datapoint(), make.datapoint(name="old"))
    make.clock.advance_s(1)

    put(store, store.datapoints.rename("gold", [second.id], {}, now_us=make.now_us()))
    assert store.datapoints.get([second.id]) == [second]
    put(store, store.datapoints.rename("gold", [first.id], {first.id: "x"}, now_us=make.now_us()))
    assert listed(store) == [first.id, second.id]
    put(store, store.datapoints.rename("gold", [second.id], {second.id: None}, now_us=0))

    (renamed,) = store.datapoints.get([first.id])
    (nameless,) = store.datapoints.get([second.id])
    assert attrs.evolve(renamed, name=None, updated_at_us=0) == attrs.evolve(first, updated_at_us=0)
    assert (renamed.name, nameless.name) == ("x", None)
    assert listed(store) == [second.id, first.id]


def test_a_rename_of_what_is_not_live_is_refused(store: Store, make: Maker) -> None:
    """Also without a name."""
    (stale,) = added(store, make, make.datapoint())
    deleted(store, make, "gold", None)

    with pytest.raises(UnknownDatapoint):
        put(store, store.datapoints.rename("gold", [stale.id], {}, now_us=make.now_us()))


def test_a_delete_counts_live_ones_of_its_dataset(store: Store, make: Maker) -> None:
    """Unknown, stale and foreign ids are passed over, and one given twice counts once."""
    live, stale = added(store, make, make.datapoint(tags={"a": "b"}), make.datapoint())
    (foreign,) = added(store, make, make.datapoint(dataset_name="silver"))
    assert deleted(store, make, "gold", [stale.id]) == 1

    ids = [live.id, make.id(), stale.id, foreign.id, live.id]
    assert deleted(store, make, "gold", ids) == 1
    assert deleted(store, make, "gold", ids) == 0
    assert deleted(store, make, "nowhere", None) == 0
    assert store.datapoints.count("silver") == 1


def test_a_dataset_is_there_while_it_has_something_live(store: Store, make: Maker) -> None:
    """It is listed with what it holds, of one function or of all; then its name is free again."""
    made = added(
        store,
        make,
        make.datapoint(),
        make.datapoint(function_name="triage", function_type="json"),
        make.datapoint(),
    )
    time_us = made[0].updated_at_us

    assert store.datapoints.datasets() == [
        Dataset(name="gold", datapoints=3, last_updated_us=time_us)
    ]
    assert store.datapoints.datasets("triage") == [
        Dataset(name="gold", datapoints=1, last_updated_us=time_us)
    ]
    assert store.datapoints.datasets("unknown") == []
    counts = [store.datapoints.count("gold", name) for name in ("write_haiku", "triage", "unknown")]
    assert counts == [2, 1, 0]

    assert deleted(store, make, "gold", None) == 3
    assert store.datapoints.datasets() == []
    assert store.datapoints.count("gold") == store.datapoints.count("nowhere") == 0
    (again,) = added(store, make, make.datapoint())
    assert listed(store) == [again.id]
    assert len(store.datapoints.get([each.id for each in made])) == 3


def test_a_clone_has_all_but_the_id_and_the_time(store: Store, make: Maker) -> None:
    """Sources may lie anywhere; those that are missing or stale are left out."""
    source, stale = added(
        store,
        make,
        make.datapoint(name="n", tags={"a": "b"}, is_custom=False, source_inference_id=make.id()),
        make.datapoint(),
    )
    deleted(store, make, "gold", [stale.id])
    copies = {each: make.id() for each in (source.id, make.id(), stale.id)}
    copied: set[str] = set()
    make.clock.advance_s(1)

    put(store, store.datapoints.clone("silver", copies, copied, now_us=make.now_us()))

    assert copied == {source.id}
    (clone,) = store.datapoints.get(copies.values())
    expected = attrs.evolve(
        source, id=copies[source.id], dataset_name="silver", updated_at_us=make.now_us()
    )
    assert clone == expected


def test_a_store_without_the_dataset_lists_nothing(store: Store, make: Maker) -> None:
    """Neither an unknown dataset nor an unknown function is an error."""
    added(store, make, make.datapoint())

    assert listed(store, dataset_name="nowhere") == []
    assert listed(store, function_name="unknown") == []
    assert listed(store, limit=0) == []
    assert listed(store, offset=1) == []


def test_ids_of_datapoints_are_never_issued_again(store: Store, make: Maker) -> None:
    """The generator of the next process goes on from them."""
    (datapoint,) = added(store, make, make.datapoint())

    assert store.greatest_id() == datapoint.id


def test_an_id_stands_for_a_stale_datapoint_too(store: Store, make: Maker) -> None:
    """Whoever has the id can find out what it was."""
    (datapoint,) = added(store, make, make.datapoint())
    deleted(store, make, "gold", None)

    (meaning,) = store.resolve(datapoint.id)
    assert isinstance(meaning, Datapoint)
    assert (meaning.id, meaning.dataset_name) == (datapoint.id, "gold")


def test_texts_are_found_in_input_and_output(store: Store, make: Maker) -> None:
    """In any letter case, quotes and percent signs taken as they are; more often comes first."""
    once, twice, never = added(
        store,
        make,
        make.datapoint(body=make.datapoint_body("A POND", "50% of it")),
        make.datapoint(body=make.datapoint_body("a pond", 'the "old" pond')),
        make.datapoint(body=make.datapoint_body("a lake", "500 frogs"), tags={"pond": "pond"}),
    )

    assert listed(store, search="Pond", order=(ByRelevance(),)) == [twice.id, once.id]
    assert listed(store, search="pond", order=(ByRelevance(ascending=True),)) == [once.id, twice.id]
    assert listed(store, search='"OLD"') == [twice.id]
    assert listed(store, search="50%") == [once.id]
    assert listed(store, search="") == [never.id, twice.id, once.id]


TAGS = st.dictionaries(st.sampled_from(["split", "kind"]), st.sampled_from(["a", "b"]))
TEXTS = st.sampled_from(["pond", "pond pond", "lake"])
START_US = Maker().now_us()


def filters() -> st.SearchStrategy[Filter]:
    """Filters of datapoints."""
    comparisons = st.sampled_from(["<", "<=", "=", ">", ">=", "!="])
    leaves = st.builds(
        TagIs,
        key=st.sampled_from(["split", "kind"]),
        value=st.sampled_from(["a", "b"]),
        equal=st.booleans(),
    ) | st.builds(
        TimeIs,
        comparison=comparisons,
        time_ns=st.integers(-3, 14).map(lambda n: START_US * 1000 + n * 500) | st.just(-5),
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(AllOf, st.lists(inner, max_size=3).map(tuple))
            | st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple))
            | st.builds(Not, inner)
        ),
        max_leaves=4,
    )


QUERIES = st.builds(
    DatapointQuery,
    dataset_name=st.just("gold"),
    function_name=st.none() | st.sampled_from(["haiku", "triage"]),
    filter=st.none() | filters(),
    search=st.none() | st.sampled_from(["pond", ""]),
    order=st.lists(
        st.sampled_from([ByTime, ByRelevance]).flatmap(
            lambda term: st.builds(term, ascending=st.booleans())
        ),
        max_size=2,
    ).map(tuple),
    offset=st.integers(0, 3),
    limit=st.none() | st.integers(0, 5),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    calls=st.lists(st.lists(st.tuples(TAGS, TEXTS, st.booleans()), max_size=4), max_size=6),
    gone=st.sets(st.integers(0, 20)),
    queries=st.lists(QUERIES, min_size=1, max_size=8),
)
def test_lists_are_what_going_through_everything_gives(
    calls: list[list[tuple[dict[str, str], str, bool]]],
    gone: set[int],
    queries: list[DatapointQuery],
) -> None:
    """Whatever is asked, the indexes answer like a plain look at each datapoint."""
    folder = Path(tempfile.mkdtemp(prefix="lsd-datapoints-"))
    store = open_store(folder)
    try:
        live = filled(store, calls, gone)
        for query in queries:
            assert store.datapoints.select(query) == plain(live, query)
        assert verify(store) == []
    finally:
        store.close()
        shutil.rmtree(folder)


def filled(
    store: Store, calls: list[list[tuple[dict[str, str], str, bool]]], gone: set[int]
) -> list[Datapoint]:
    """Fills a store, a write per call, deletes some, and gives what is live."""
    make = Maker()
    ids: list[str] = []
    for call in calls:
        made = [
            make.datapoint(
                tags=tags,
                function_name="haiku" if is_haiku else "triage",
                body=make.datapoint_body(text, "frog"),
            )
            for tags, text, is_haiku in call
        ]
        put(store, store.datapoints.add("gold", made, now_us=make.now_us()))
        ids += [each.id for each in made]
    deleted(store, make, "gold", [ids[place] for place in gone if place < len(ids)])
    return [each for each in store.datapoints.get(ids) if each.staled_at_us is None]


def plain(live: list[Datapoint], query: DatapointQuery) -> list[Datapoint]:
    """The list of a query, found without any index."""
    found = [each for each in live if query.function_name in (None, each.function_name)]
    found = [each for each in found if query.filter is None or holds(query.filter, each)]
    found = [each for each in found if not query.search or occurrences(each, query.search)]
    found.sort(key=lambda each: each.id, reverse=True)
    for term in reversed(query.order or (ByTime(),)):
        if isinstance(term, ByTime):
            found.sort(key=lambda each: each.updated_at_us, reverse=not term.ascending)
        else:
            found.sort(
                key=lambda each: occurrences(each, query.search or ""), reverse=not term.ascending
            )
    stop = None if query.limit is None else query.offset + query.limit
    return found[query.offset : stop]


def occurrences(datapoint: Datapoint, needle: str) -> int:
    """How often a text occurs in the one text that differs here."""
    assert datapoint.body is not None
    return str(datapoint.body.input).count(needle) if needle else 0


def holds(condition: Filter, datapoint: Datapoint) -> bool:
    """Whether a filter holds."""
    match condition:
        case TagIs(key=key, value=value, equal=equal):
            return key in datapoint.tags and (datapoint.tags[key] == value) == equal
        case TimeIs(comparison=comparison, time_ns=time_ns):
            found = datapoint.updated_at_us * 1000
            word = {"=": "==", "!=": "!="}.get(comparison, comparison)
            return bool(eval(f"{found} {word} {time_ns}"))
        case AllOf(children):
            return all(holds(child, datapoint) for child in children)
        case AnyOf(children):
            return any(holds(child, datapoint) for child in children)
        case Not(child):
            return not holds(child, datapoint)
    raise AssertionError(condition)
