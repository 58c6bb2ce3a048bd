"""Filters, orders and cursors: a store answers any query like going through all of its records."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from lsd.store import (
    AllOf,
    AnyOf,
    ByMetric,
    ByRelevance,
    ByTime,
    Demonstrated,
    Filter,
    InferenceBody,
    InferenceQuery,
    MetricGiven,
    MetricIs,
    Not,
    Selection,
    Store,
    TagIs,
    TimeIs,
    _inference_order,
    _query_plan,
    verify,
)
from lsd.store.filters import conditions_of
from tests.unit.store.makers import Maker, given, open_store, stored
from tests.unit.store.plain import Plain

BEGINNING_NS = Maker().clock.now_ms() * 1_000_000
COMPARISONS = st.sampled_from(["<", "<=", "=", ">", ">=", "!="])
LEVELS = {"resolved": "episode", "polite": "inference", "cost": "inference", "effort": "episode"}
"""Metrics: of each type one on each level."""


@attrs.frozen
class Filled:
    """A store with some of everything in it, and the same without a store."""

    store: Store
    plain: Plain


def fill(store: Store) -> Plain:
    """Sixty inferences, a second apart, of twenty episodes, with feedback on most of them."""
    make, plain = Maker(), Plain()
    episodes = [make.id() for _ in range(20)]
    for number in range(60):
        make.clock.advance_s(1)
        record = make.inference(
            function_name=("haiku", "triage", "haiku")[number % 3],
            variant_name=("terse", "warm")[number % 2],
            episode_id=episodes[number % 20 if number < 40 else 3],
            tags={"tenant": "ab"[number % 2]} if number % 5 else {},
            body=InferenceBody(input={"text": "Pond " * (number % 4)}, output="a\tpond or 50%"),
        )
        plain.inferences[record.inference_id] = stored(store, record)
    for number, record in enumerate(list(plain.inferences.values())):
        for metric_name, value in (
            ("resolved", number % 7 > 2),
            ("polite", number % 5 > 1),
            ("cost", float(number % 6) - 2.5),
            ("effort", float(number % 4)),
        ):
            if (number + len(metric_name)) % 3:
                is_on_inference = LEVELS[metric_name] == "inference"
                entry = make.feedback(
                    record.inference_id if is_on_inference else record.episode_id,
                    target_type=LEVELS[metric_name],
                    kind="boolean" if isinstance(value, bool) else "float",
                    metric_name=metric_name,
                    value=value,
                )
                plain.feedback.setdefault(entry.target_id, []).append(given(store, entry))
        if number % 4 == 0:
            entry = make.feedback(
                record.inference_id, kind="demonstration", metric_name="demonstration", value='"x"'
            )
            plain.feedback.setdefault(entry.target_id, []).append(given(store, entry))
    return plain


@pytest.fixture(scope="module")
def filled() -> Iterator[Filled]:
    """For all tests of this file, none of which changes it."""
    with tempfile.TemporaryDirectory(prefix="lsd-filters-") as folder:
        store = open_store(Path(folder) / "lsd-data")
        yield Filled(store, fill(store))
        problems = verify(store)
        store.close()
        assert problems == []


METRIC_LEAVES = st.one_of(
    st.builds(
        lambda name, value: MetricIs(metric_name=name, level=LEVELS[name], value=value),
        st.sampled_from(["resolved", "polite"]),
        st.booleans(),
    ),
    st.builds(
        lambda name, comparison, value: MetricIs(
            metric_name=name, level=LEVELS[name], comparison=comparison, value=value
        ),
        st.sampled_from(["cost", "effort"]),
        COMPARISONS,
        st.sampled_from([-2.5, -0.5, 0.0, 1.0, 1.2, 9.0]),
    ),
    st.builds(
        lambda name: MetricGiven(metric_name=name, level=LEVELS[name]), st.sampled_from([*LEVELS])
    ),
)
LEAVES = st.one_of(
    METRIC_LEAVES,
    st.just(Demonstrated()),
    st.builds(
        TagIs,
        key=st.sampled_from(["tenant", "other"]),
        value=st.sampled_from("abc"),
        equal=st.booleans(),
    ),
    st.builds(
        TimeIs,
        comparison=COMPARISONS,
        time_ns=st.integers(-1, 62).map(lambda s: BEGINNING_NS + s * 1_000_000_000)
        | st.integers(0, 61 * 2).map(lambda half: BEGINNING_NS + half * 500_000_000 + 1),
    ),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)
ORDERS = st.lists(
    st.one_of(
        st.builds(ByTime, ascending=st.booleans()),
        st.builds(ByRelevance, ascending=st.booleans()),
        st.builds(
            lambda name, ascending: ByMetric(
                metric_name=name, level=LEVELS[name], ascending=ascending
            ),
            st.sampled_from([*LEVELS]),
            st.booleans(),
        ),
    ),
    max_size=3,
).map(tuple)
SELECTIONS = st.builds(
    Selection,
    function_name=st.sampled_from([None, None, "haiku", "triage", "unknown"]),
    variant_name=st.sampled_from([None, None, "terse", "unknown"]),
    filter=st.none() | FILTERS,
    search=st.sampled_from([None, None, "", "POND", "pond pond", "a\tp", "50%"]),
)


@pytest.mark.parametrize("few", [False, True], ids=["usual bounds", "tiny bounds"])
def test_any_query_is_answered_as_by_going_through_everything(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, *, few: bool
) -> None:
    """Whichever indexes a query is read from, and in however many snapshots."""
    if few:
        monkeypatch.setattr(_query_plan, "_COLLECTED_MAX", 3)
        monkeypatch.setattr(_query_plan, "_UNITED_MAX", 1)
        monkeypatch.setattr(_query_plan, "_STEPS_PER_READ_MAX", 3)
        monkeypatch.setattr(_inference_order, "_SORTED_MAX", 5)
        monkeypatch.setattr(_inference_order, "_KEYS_PER_READ", 4)

    @settings(max_examples=250, deadline=None)
    @given_any(
        selection=SELECTIONS,
        episode=st.sampled_from([None, None, 3, 5]),
        order=ORDERS,
        offset=st.integers(0, 5),
        limit=st.none() | st.integers(0, 70),
    )
    def check(
        selection: Selection, episode: int | None, order: tuple, offset: int, limit: int | None
    ) -> None:
        if episode is not None:
            record = list(filled.plain.inferences.values())[episode]
            selection = attrs.evolve(selection, episode_id=record.episode_id)
        query = InferenceQuery(selection=selection, order=order, offset=offset, limit=limit)

        wanted = filled.plain.select(query)
        found = filled.store.inferences.select(query, with_bodies=False)

        assert found == wanted
        assert filled.store.inferences.count(selection) == len(filled.plain.newest(selection))

    check()


@settings(max_examples=250, deadline=None)
@given_any(
    selection=SELECTIONS,
    place=st.integers(0, 59),
    ascending=st.none() | st.booleans(),
    limit=st.integers(0, 70),
    is_after=st.booleans(),
)
def test_a_page_holds_what_lies_next_to_its_cursor(
    filled: Filled,
    selection: Selection,
    place: int,
    ascending: bool | None,
    limit: int,
    is_after: bool,
) -> None:
    """4.13, 5 and 6: of newer ones the nearest; ascending is the same page, reversed."""
    cursor = list(filled.plain.inferences)[place]
    query = InferenceQuery(
        selection=selection,
        order=() if ascending is None else (ByTime(ascending=ascending),),
        before=None if is_after else cursor,
        after=cursor if is_after else None,
        limit=limit,
    )

    found = filled.store.inferences.select(query, with_bodies=False)

    assert found == filled.plain.select(query)


def test_nested_conditions_that_must_all_hold_are_laid_flat() -> None:
    """So that an index can answer each of them."""
    first, second, third = Demonstrated(), TagIs(key="a", value="b"), AnyOf(())

    assert conditions_of(AllOf((first, AllOf((second, third))))) == [first, second, third]
    assert conditions_of(None) == []
    assert Selection(filter=first).also(second).filter == AllOf((first, second))
    assert Selection().also(second).filter == second
