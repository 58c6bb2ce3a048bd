"""The check of datapoints: their bodies, the indexes that live ones stand in, and their counts."""

from collections import Counter

from lsd.store import _encoding as encoding
from lsd.store import layout
from lsd.store._check_list import CheckList
from lsd.store._datapoint_writes import live_keys
from lsd.store._writing import Writing
from lsd.store.layout import id_text
from lsd.store.names import DATASET, FUNCTION, Names


def check_datapoints(check: CheckList) -> None:
    """Datapoints have bodies; live ones stand in the indexes, and are counted."""
    writing = Writing(check.transaction, Names(), 0)
    counts: Counter[bytes] = Counter()
    for key, head in check.all(layout.DATAPOINTS):
        datapoint = encoding.read_datapoint(id_text(key), head)
        check.expect(layout.DATAPOINT_BODIES, key, None)
        dataset = check.number(DATASET, datapoint.dataset_name)
        function = check.number(FUNCTION, datapoint.function_name)
        if datapoint.staled_at_us is None:
            counts[dataset + function] += 1
            for database, index_key in live_keys(writing, datapoint):
                check.expect(database, index_key, b"")
    for pair, count in counts.items():
        check.expect(layout.DATAPOINT_COUNTS, pair, layout.UNSIGNED.pack(count))
