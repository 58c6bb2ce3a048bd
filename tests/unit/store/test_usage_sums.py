"""Sums of what one commit adds to usage."""

from pathlib import Path

from lsd.store._usage_periods import OF_VARIANTS
from lsd.store._usage_row import usage_of
from lsd.store._usage_sums import UsageSums, VariantSums
from lsd.store.layout import COUNT_AND_ID, VARIANT_COUNTS, VARIANT_USAGE_BY_MINUTE, id_key
from tests.unit.store.makers import Maker, open_store

PAIR = b"\0\0\0\1\0\0\0\2"


def test_all_that_a_commit_adds_is_in_the_rows_of_each_length(tmp_path: Path, make: Maker) -> None:
    """Sums and the buckets of times, in one row each of a minute, an hour, a day, and of all."""
    store = open_store(tmp_path)  # nobody checks it afterwards: it has usage without inferences
    sums = UsageSums(OF_VARIANTS, PAIR, 3)
    sums.ids += (id_key(make.id()), id_key(make.id()))
    sums.figures += (
        (10, None, None, None, None, False, 100, 1),
        (2, None, None, None, None, False, 100, None),
    )

    store.data.write(sums.settle)

    with store.data.read() as transaction:
        rows = [
            value
            for database in OF_VARIANTS.databases
            for key, value in transaction.range(database, PAIR)
            if key.endswith(b"\0\3")
        ]
    store.close()
    assert len(rows) == 4
    for row in rows:
        usage = usage_of(row)
        assert (usage.count, usage.input_tokens, usage.output_tokens) == (2, 12, None)
        assert (usage.durations, usage.first_tokens) == ({425: 2}, {0: 1})


def test_each_minute_of_a_commit_has_its_row(tmp_path: Path, make: Maker) -> None:
    """In whatever order they come: ids are made before what they name ends."""
    store = open_store(tmp_path)
    sums = UsageSums(OF_VARIANTS, PAIR, 3)
    first = id_key(make.id())
    make.clock.advance_s(60)
    sums.ids += (id_key(make.id()), first, id_key(make.id()))
    sums.figures += [(None, each, None, None, None, False, None, None) for each in (4, 2, 1)]

    store.data.write(sums.settle)

    with store.data.read() as transaction:
        rows = transaction.range(VARIANT_USAGE_BY_MINUTE, PAIR)
        assert [usage_of(row).output_tokens for _, row in rows] == [2, 5]
    store.close()


def test_a_variant_is_counted_with_its_latest_inference(tmp_path: Path, make: Maker) -> None:
    """Which need not be the last that was stored."""
    store = open_store(tmp_path)
    early, late = id_key(make.id()), id_key(make.id())
    for ids in ([late, early], [early]):
        sums = VariantSums(OF_VARIANTS, PAIR, 3)
        sums.ids += ids
        sums.figures += [(None, None, None, None, None, False, None, None)] * len(ids)
        store.data.write(sums.settle)

    with store.data.read() as transaction:
        ((key, row),) = transaction.range(VARIANT_COUNTS, PAIR)
    store.close()
    assert (key, COUNT_AND_ID.unpack(row)) == (PAIR + b"\0\3", (3, late))
