"""The check of feedback: the entries, which of them count, and for which variants."""

from itertools import groupby

from lsd.conversation import encode_json
from lsd.store import _encoding as encoding
from lsd.store import layout
from lsd.store._attribution import (
    ALL_NAMESPACES,
    NOBODY,
    OF_EPISODE,
    OF_INFERENCE,
    Attribution,
    attribution_of_episode,
    attribution_of_inference,
)
from lsd.store._check_list import CheckList
from lsd.store._check_sums import Sums
from lsd.store.layout import ID_BYTES, id_key, id_text, value_key
from lsd.store.names import FUNCTION, METRIC
from lsd.store.records import FeedbackRecord


def check_feedback(check: CheckList, sums: Sums) -> None:
    """Feedback entries, and which of them is the latest."""
    by_target = groupby(check.all(layout.FEEDBACK), key=lambda entry: entry[0][:ID_BYTES])
    for target, entries in by_target:
        records = [
            encoding.read_feedback(id_text(target), id_text(key[ID_BYTES:]), value)
            for key, value in entries
        ]
        for record in records:
            check.expect(layout.BY_ID, id_key(record.id), layout.OF_FEEDBACK + target)
        _expect_latest(check, target, records)
        _expect_demonstrations(check, target, records)
        _expect_attribution(check, sums, target, records)


def _expect_latest(check: CheckList, target: bytes, records: list[FeedbackRecord]) -> None:
    latest = {
        record.metric_name: record  # ascending by id, so the last one stays
        for record in records
        if record.kind in ("boolean", "float")
    }
    for name, record in latest.items():
        row = id_key(record.id) + encode_json(record.value)
        metric = check.number(METRIC, name)
        check.expect(layout.LATEST_FEEDBACK, target + metric, row)
        check.expect(layout.BY_METRIC, metric + target, b"")
        check.expect(
            layout.BY_VALUE, metric + value_key(encoding.metric_value(record)) + target, b""
        )


def _expect_demonstrations(check: CheckList, target: bytes, records: list[FeedbackRecord]) -> None:
    ids = [id_key(record.id) for record in records if record.kind == "demonstration"]
    if not ids:
        return
    head = check.transaction.get(layout.INFERENCES, target)
    if head is None:
        check.add(f"{layout.FEEDBACK}: {id_text(target)}: found a demonstration of nothing")
        return
    function_name = encoding.read_inference(id_text(target), head).function_name
    key = check.number(FUNCTION, function_name) + target
    check.expect(layout.DEMONSTRATED, key, layout.ID_AND_COUNT.pack(ids[-1], len(ids)))


def _expect_attribution(
    check: CheckList, sums: Sums, target: bytes, records: list[FeedbackRecord]
) -> None:
    """The entries count for the right variants."""
    for kind, target_type in ((OF_INFERENCE, "inference"), (OF_EPISODE, "episode")):
        counting = [
            each for each in records if each.target_type == target_type and each.kind != "comment"
        ]
        counting.sort(key=lambda each: each.metric_name)
        to = _attribution(check, kind, target) if counting else NOBODY
        for name, of_metric in groupby(counting, key=lambda each: each.metric_name):
            metric = check.number(METRIC, name)
            _expect_entries(check, sums, kind, target, metric, list(of_metric), to)


def _expect_entries(
    check: CheckList,
    sums: Sums,
    kind: bytes,
    target: bytes,
    metric: bytes,
    entries: list[FeedbackRecord],
    to: Attribution,
) -> None:
    """`entries` are of one metric, or demonstrations; the latest is the last."""
    has_values = entries[0].kind != "demonstration"
    for share in to.shares:
        place = share[:4] + metric + share[4:8]
        row = sums.feedback(place + share[8:])
        row.entries += len(entries)
        if has_values:
            row.moments = row.moments.plus(encoding.metric_value(entries[-1]))
        if has_values and share.endswith(ALL_NAMESPACES):
            for entry in entries:
                value = target + encode_json(encoding.metric_value(entry))
                check.expect(layout.FEEDBACK_BY_VARIANT, place + id_key(entry.id), value)
    if has_values:
        value = kind + encode_json(encoding.metric_value(entries[-1]))
        for pair in to.pairs:
            key = pair[:4] + metric + pair[4:] + target
            check.expect(layout.LATEST_BY_VARIANT, key, value)


def _attribution(check: CheckList, kind: bytes, target: bytes) -> Attribution:
    if kind == OF_EPISODE:
        return attribution_of_episode(check.transaction, target)
    head = check.transaction.get(layout.INFERENCES, target)
    if head is None:
        return NOBODY
    record = encoding.read_inference("", head)
    return attribution_of_inference(check.pair(record), check.namespace(record))
