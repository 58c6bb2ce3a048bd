"""Statistics of usage: what is summed up as things happen is what adding everything up gives."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from lsd.store import Store, verify
from lsd.store._usage_periods import OF_VARIANTS
from tests.unit.store.makers import Maker, open_store, stored
from tests.unit.store.random_store import Filler
from tests.unit.store.statistics_agree import check_usage


@pytest.mark.parametrize("seed", range(3))
def test_statistics_are_those_of_the_records(tmp_path: Path, seed: int) -> None:
    """Also when several processes have counted, one after the other."""
    filler = Filler(Random(seed))
    for shard in range(3):
        store = open_store(tmp_path, shard=shard)
        filler.fill(store, 25)
        store.close()
    store = open_store(tmp_path)

    for function in ("haiku", "triage", "unknown"):
        check_usage(store, filler.plain, function, filler.make.clock.now_ms())

    assert verify(store) == []
    store.close()


def test_models_are_chosen_by_name(store: Store, make: Maker) -> None:
    """By that of the model, of the provider, or both; the unknown have no usage."""
    record = make.inference()
    calls = [
        make.call(record.inference_id, model_name=model, model_provider_name=provider)
        for model, provider in (("a", "x"), ("a", "y"), ("b", "y"))
    ]
    stored(store, record, *calls)

    def found(**names: str) -> list[tuple[str, str]]:
        rows = store.usage.model_periods("day", 1, **names)
        return sorted((each.model_name, each.provider_name) for each in rows)

    assert found(model_name="a") == [("a", "x"), ("a", "y")]
    assert found(provider_name="y") == [("a", "y"), ("b", "y")]
    assert found(model_name="a", provider_name="y") == [("a", "y")]
    assert found(model_name="unknown") == found(provider_name="unknown") == []


def test_what_has_no_data_in_a_time_is_left_out(store: Store, make: Maker) -> None:
    """Time is told by who asks."""
    record = make.inference()
    stored(store, record, make.call(record.inference_id))
    now_ms = make.clock.now_ms()

    assert len(store.usage.models_between("minute", now_ms)) == 1
    assert store.usage.models_between("minute", now_ms + 120_000) == []
    assert len(store.usage.models_between("cumulative", now_ms + 10**12)) == 1


@given_any(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_time_is_put_together_of_few_rows(first: int, end: int) -> None:
    """Each minute of it is in one of them, and none besides; days and hours where they fit."""
    lengths = {database: length for length, database in OF_VARIANTS.by_length}
    minutes: list[int] = []
    rows = 0
    for database, start, stop in OF_VARIANTS.spans(first, end):
        minutes += range(start * lengths[database], stop * lengths[database])
        rows += max(0, stop - start)

    assert minutes == list(range(first, end))
    assert rows <= 2 * 59 + 2 * 23 + 7
