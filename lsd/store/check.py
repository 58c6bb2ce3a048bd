"""The check of a store: every record has its index keys, and every index key its record.

It reads everything in one snapshot; meant for tests and for the doubtful, not for every start.
"""

from lsd.store import layout
from lsd.store._check_batches import check_batches
from lsd.store._check_datapoints import check_datapoints
from lsd.store._check_feedback import check_feedback
from lsd.store._check_inferences import check_inferences, check_model_inferences
from lsd.store._check_list import CheckList
from lsd.store._check_sums import Sums
from lsd.store.layout import ID_BYTES
from lsd.store.names import FUNCTION, VARIANT
from lsd.store.store import Store
from lsd.store.transaction import Database

_DERIVED: tuple[Database, ...] = (
    layout.BY_ID,
    layout.BY_FUNCTION,
    layout.BY_VARIANT,
    layout.BY_EPISODE,
    layout.EPISODES,
    layout.EPISODE_VARIANTS,
    layout.EPISODES_BY_FUNCTION,
    layout.BY_TAG,
    layout.FAILED_BY_EPISODE,
    layout.DEMONSTRATED,
    layout.LATEST_FEEDBACK,
    layout.BY_METRIC,
    layout.BY_VALUE,
    layout.LATEST_BY_VARIANT,
    layout.FEEDBACK_BY_VARIANT,
    layout.NAMES_BY_NUMBER,
    layout.EXAMPLE_VECTORS,
    layout.DATAPOINT_BODIES,
    layout.BY_DATASET,
    layout.BY_DATASET_AND_FUNCTION,
    layout.BY_DATASET_AND_TAG,
    layout.DATAPOINT_COUNTS,
    layout.BATCHES,
    layout.BATCH_COUNTS,
    layout.BATCH_ITEM_REQUESTS,
    layout.BATCH_ITEMS_BY_INFERENCE,
    layout.BATCH_QUEUE,
    layout.BATCH_RUNNING,
    layout.CACHE_BY_AGE,
)
"""Databases whose every key follows from a record or from another index."""


def verify(store: Store) -> list[str]:
    """What is wrong with the store, one line each; empty for a good store. Scans everything."""
    with store.data.read() as transaction:
        data, sums = CheckList(transaction), Sums()
        check_inferences(data, sums)
        check_model_inferences(data, sums)
        check_feedback(data, sums)
        check_datapoints(data)
        check_batches(data)
        _check_names(data)
        _check_examples(data)
        for problem in sums.problems(transaction):
            data.add(problem)
        data.compare_counts(_DERIVED[:-1])
    with store.state.read() as transaction:
        state = CheckList(transaction)
        _check_cache(state)
        state.compare_counts(_DERIVED[-1:])
    return data.problems + state.problems


def _check_names(check: CheckList) -> None:
    """Names and numbers point at each other."""
    for key, number in check.all(layout.NAMES):
        check.expect(layout.NAMES_BY_NUMBER, key[:1] + number, None)


def _check_examples(check: CheckList) -> None:
    """Examples have vectors, and their variants have versions."""
    for key, _ in check.all(layout.EXAMPLES):
        check.expect(layout.EXAMPLE_VECTORS, key, None)
        check.require(layout.EXAMPLE_VERSIONS, key[:-ID_BYTES], layout.EXAMPLES)
    for key, _ in check.all(layout.EXAMPLE_VERSIONS):
        check.require(layout.NAMES_BY_NUMBER, FUNCTION + key[:4], layout.EXAMPLE_VERSIONS)
        check.require(layout.NAMES_BY_NUMBER, VARIANT + key[4:], layout.EXAMPLE_VERSIONS)


def _check_cache(check: CheckList) -> None:
    """Cached entries stand in the order in which they were put, and their bytes are counted."""
    total = 0
    for key, row in check.all(layout.CACHE):
        _, turn = layout.CACHE_TIMES.unpack_from(row)
        place = layout.UNSIGNED.pack(turn) + key
        found = check.transaction.get(layout.CACHE_BY_AGE, place)
        check.expect(layout.CACHE_BY_AGE, place, None)
        total += layout.UNSIGNED.unpack(found)[0] if found else 0
    rows = check.all(layout.CACHE_SIZE)
    counted = sum(layout.SIGNED.unpack(row)[0] for _, row in rows)
    if counted != total:
        check.add(f"{layout.CACHE_SIZE}: found {counted} bytes; wanted {total}")
