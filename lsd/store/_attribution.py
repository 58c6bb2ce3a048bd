"""Which variants a target's feedback counts for, and the rows in which it does.

Feedback on an inference counts for its variant. Feedback on an episode counts for each function of
which one variant alone served the episode: in sums and in the entries of a variant, its *shares*.
That changes with each new inference. Its latest values are also kept for every variant that served
the episode, its *pairs*.
"""

from itertools import groupby
from typing import Final

import attrs

from lsd.conversation import encode_json
from lsd.store import _encoding as encoding
from lsd.store._feedback_sums import FeedbackSums
from lsd.store._writing import Writing
from lsd.store.layout import (
    EPISODE_VARIANTS,
    FEEDBACK,
    FEEDBACK_BY_VARIANT,
    FEEDBACK_SUMS,
    ID_BYTES,
    LATEST_BY_VARIANT,
    SHARD,
    end_of,
    id_key,
    id_text,
)
from lsd.store.names import METRIC, NAMESPACE
from lsd.store.records import FeedbackRecord, Tags
from lsd.store.transaction import Transaction

NAMESPACE_TAG: Final = "lsd::namespace"
"""The tag of an inference that names its namespace."""

ALL_NAMESPACES: Final = bytes(4)
"""The number that stands for all of them together; it is no name's."""

OF_INFERENCE: Final = b"i"
OF_EPISODE: Final = b"e"
"""What the target of a latest value is."""


@attrs.frozen
class Attribution:
    """The variants that something counts for: function and variant, shares with a namespace."""

    pairs: frozenset[bytes] = frozenset()
    shares: frozenset[bytes] = frozenset()


NOBODY: Final = Attribution()


def attribution_of_inference(pair: bytes, namespace: bytes) -> Attribution:
    """That of the feedback on one inference."""
    return Attribution(frozenset((pair,)), frozenset((pair + ALL_NAMESPACES, pair + namespace)))


def attribution_of_episode(transaction: Transaction, episode: bytes) -> Attribution:
    """That of the feedback on an episode, as the episode is at the moment."""
    pairs: set[bytes] = set()
    shares: set[bytes] = set()
    members = transaction.range(EPISODE_VARIANTS, episode, end_of(episode))
    keys = (key[ID_BYTES:] for key, _ in members)
    for _, of_function in groupby(keys, key=lambda key: key[:4]):
        served = list(of_function)
        variants = {key[:8] for key in served}
        pairs |= variants
        if len(variants) == 1:
            shares.update(served)
            shares.update(pair + ALL_NAMESPACES for pair in variants)
    return Attribution(frozenset(pairs), frozenset(shares))


def namespace_of(writing: Writing, tags: Tags) -> bytes:
    """The number of the namespace that tags name; inside a write."""
    name = tags.get(NAMESPACE_TAG)
    return ALL_NAMESPACES if name is None else writing.number(NAMESPACE, name)


@attrs.frozen(kw_only=True)
class Entry:
    """An entry of a metric, and the latest value before it."""

    metric: bytes
    feedback: bytes
    value: bool | float
    previous: bool | float | None
    is_latest: bool


def attribute_entry(
    writing: Writing, target: bytes, kind: bytes, to: Attribution, entry: Entry
) -> None:
    """Counts a new entry of a metric. `kind` is OF_INFERENCE or OF_EPISODE."""
    encoded = encode_json(entry.value)
    for share in to.shares:
        row = _sums(writing, entry.metric, share)
        row.entries += 1
        if entry.is_latest:
            row.moments = row.moments.plus(entry.value)
            if entry.previous is not None:
                row.moments = row.moments.plus(entry.previous, -1)
        if share.endswith(ALL_NAMESPACES):
            key = _key(entry.metric, share, entry.feedback)
            writing.transaction.put(FEEDBACK_BY_VARIANT, key, target + encoded)
    if entry.is_latest:
        for pair in to.pairs:
            key = _key(entry.metric, pair, target)
            writing.transaction.put(LATEST_BY_VARIANT, key, kind + encoded)


def attribute_demonstration(
    writing: Writing, metric: bytes, to: Attribution, times: int = 1
) -> None:
    """Counts a demonstration; only that there is one."""
    for share in to.shares:
        _sums(writing, metric, share).entries += times


def move_feedback(
    writing: Writing,
    target: bytes,
    kind: bytes,
    before: Attribution,
    after: Attribution,
) -> None:
    """Counts all entries on a target for other variants than before."""
    if before == after:
        return
    entries = [
        encoding.read_feedback(id_text(target), id_text(key[ID_BYTES:]), value)
        for key, value in writing.transaction.range(FEEDBACK, target, end_of(target))
    ]
    wanted = "inference" if kind == OF_INFERENCE else "episode"
    by_metric: dict[str, list[FeedbackRecord]] = {}
    for entry in entries:
        if entry.target_type == wanted and entry.kind != "comment":
            by_metric.setdefault(entry.metric_name, []).append(entry)
    for name, of_metric in by_metric.items():
        metric = writing.number(METRIC, name)
        if of_metric[0].kind == "demonstration":
            _move_demonstrations(writing, metric, len(of_metric), before, after)
        else:
            _move_values(writing, target, kind, metric, of_metric, before, after)


def _move_demonstrations(
    writing: Writing,
    metric: bytes,
    count: int,
    before: Attribution,
    after: Attribution,
) -> None:
    attribute_demonstration(writing, metric, before, -count)
    attribute_demonstration(writing, metric, after, count)


def _move_values(
    writing: Writing,
    target: bytes,
    kind: bytes,
    metric: bytes,
    entries: list[FeedbackRecord],
    before: Attribution,
    after: Attribution,
) -> None:
    """`entries` are all of one metric, the latest last."""
    latest = encoding.metric_value(entries[-1])
    for share in before.shares - after.shares:
        row = _sums(writing, metric, share)
        row.entries -= len(entries)
        row.moments = row.moments.plus(latest, -1)
        if share.endswith(ALL_NAMESPACES):
            for entry in entries:
                key = _key(metric, share, id_key(entry.id))
                writing.transaction.delete(FEEDBACK_BY_VARIANT, key)
    for share in after.shares - before.shares:
        row = _sums(writing, metric, share)
        row.entries += len(entries)
        row.moments = row.moments.plus(latest)
        if share.endswith(ALL_NAMESPACES):
            for entry in entries:
                key = _key(metric, share, id_key(entry.id))
                value = encode_json(encoding.metric_value(entry))
                writing.transaction.put(FEEDBACK_BY_VARIANT, key, target + value)
    for pair in before.pairs - after.pairs:
        writing.transaction.delete(LATEST_BY_VARIANT, _key(metric, pair, target))
    for pair in after.pairs - before.pairs:
        value = kind + encode_json(latest)
        writing.transaction.put(LATEST_BY_VARIANT, _key(metric, pair, target), value)


def _sums(writing: Writing, metric: bytes, share: bytes) -> FeedbackSums:
    key = _key(metric, share, share[8:] + SHARD.pack(writing.shard))
    return writing.transaction.row(FEEDBACK_SUMS, key, FeedbackSums.read)


def _key(metric: bytes, pair: bytes, rest: bytes) -> bytes:
    """Function, metric, variant, and what follows; `pair` begins with function and variant."""
    return pair[:4] + metric + pair[4:8] + rest
