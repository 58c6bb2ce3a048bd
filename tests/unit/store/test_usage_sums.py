"""Sums of what one commit adds to usage."""

from pathlib import Path

from lsd.store._usage_periods import OF_VARIANTS
from lsd.store._usage_row import usage_of
from lsd.store._usage_sums import UsageSums
from lsd.store._usage_writes import calls_usage
from lsd.store.layout import id_key
from tests.unit.store.makers import Maker, open_store

PAIR = b"\0\0\0\1\0\0\0\2"


def test_all_that_a_commit_adds_is_in_the_rows_of_each_length(tmp_path: Path, make: Maker) -> None:
    """Sums and the buckets of times, in one row each of a minute, an hour, a day, and of all."""
    store = open_store(tmp_path)  # nobody checks it afterwards: it has usage without inferences
    sums = UsageSums(OF_VARIANTS, PAIR, 3, calls_usage)
    call = {"status": "ok", "cached": False, "input_tokens": 10, "response_time_ms": 100}
    sums.added.append((id_key(make.id()), {**call, "ttft_ms": 1}))
    sums.added.append((id_key(make.id()), {**call, "input_tokens": 2}))

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
