"""The check of a store: every record has its index keys, and every index key its record.

It reads everything in one snapshot; meant for tests and for the doubtful, not for every start.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

import attrs

from lsd.conversation import encode_json
from lsd.store import _encoding as encoding
from lsd.store import layout
from lsd.store.layout import ID_BYTES, end_of, id_key, id_text, tag_key, value_key
from lsd.store.names import FUNCTION, METRIC, VARIANT, Names
from lsd.store.records import FeedbackRecord, InferenceRecord
from lsd.store.store import Store
from lsd.store.transaction import Database, Transaction

_PROBLEMS_MAX = 1_000
"""Where one thing is broken, a million may be; the first thousand tell enough."""

_DERIVED: tuple[Database, ...] = (
    layout.BY_ID,
    layout.BY_FUNCTION,
    layout.BY_VARIANT,
    layout.BY_EPISODE,
    layout.EPISODES,
    layout.EPISODES_BY_FUNCTION,
    layout.BY_TAG,
    layout.FAILED_BY_EPISODE,
    layout.DEMONSTRATED,
    layout.LATEST_FEEDBACK,
    layout.BY_METRIC,
    layout.BY_VALUE,
    layout.NAMES_BY_NUMBER,
    layout.EXAMPLE_VECTORS,
    layout.CACHE_BY_AGE,
)
"""Databases whose every key follows from a record or from another index."""


def verify(store: Store) -> list[str]:
    """What is wrong with the store, one line each; empty for a good store. Scans everything."""
    with store.data.read() as transaction:
        data = _Check(transaction)
        data.check_inferences()
        data.check_model_inferences()
        data.check_feedback()
        data.check_names()
        data.check_examples()
        data.check_counts(_DERIVED[:-1])
    with store.state.read() as transaction:
        state = _Check(transaction)
        state.check_cache()
        state.check_counts(_DERIVED[-1:])
    return data.problems + state.problems


@attrs.define(eq=False)
class _Check:
    """Looks up what must be there, and counts it: more keys than that are leftovers."""

    _transaction: Transaction
    problems: list[str] = attrs.field(factory=list, init=False)
    _names: Names = attrs.field(factory=Names, init=False)
    _expected: Counter[Database] = attrs.field(factory=Counter, init=False)

    def check_inferences(self) -> None:
        """Inferences, their indexes, and what is counted over the indexes."""
        for key, head in self._all(layout.INFERENCES):
            self._expect_keys_of(key, encoding.read_inference(id_text(key), head))
        for key, _ in self._all(layout.INFERENCE_BODIES):
            self._require(layout.INFERENCES, key, layout.INFERENCE_BODIES)
        self._expect_episodes()
        self._expect_variant_counts()

    def check_model_inferences(self) -> None:
        """They belong to an inference, to embeddings, or to an inference that failed as a whole."""
        failed = set()
        for key, head in self._all(layout.MODEL_INFERENCES):
            inference, own = key[:ID_BYTES], key[ID_BYTES:]
            self._expect(layout.BY_ID, own, layout.OF_MODEL_INFERENCE + inference)
            call = encoding.read_model_inference(id_text(inference), id_text(own), head)
            if call.function_name is None:
                self._require(layout.EMBEDDINGS, inference, layout.MODEL_INFERENCES)
            elif call.episode_id is None:
                self._require(layout.INFERENCES, inference, layout.MODEL_INFERENCES)
            else:
                failed.add(id_key(call.episode_id) + inference)
        for key in failed:
            self._expect(layout.FAILED_BY_EPISODE, key, b"")
        for key, _ in self._all(layout.EMBEDDINGS):
            calls = self._transaction.range(layout.MODEL_INFERENCES, key, end_of(key), limit=1)
            if not any(True for _ in calls):
                self._add(f"{layout.EMBEDDINGS}: {id_text(key)}: found no call; wanted one")
        for key, _ in self._all(layout.MODEL_INFERENCE_BODIES):
            self._require(layout.MODEL_INFERENCES, key, layout.MODEL_INFERENCE_BODIES)

    def check_feedback(self) -> None:
        """Feedback entries, and which of them is the latest."""
        by_target = groupby(self._all(layout.FEEDBACK), key=lambda entry: entry[0][:ID_BYTES])
        for target, entries in by_target:
            records = [
                encoding.read_feedback(id_text(target), id_text(key[ID_BYTES:]), value)
                for key, value in entries
            ]
            for record in records:
                self._expect(layout.BY_ID, id_key(record.id), layout.OF_FEEDBACK + target)
            self._expect_latest(target, records)
            self._expect_demonstrations(target, records)
        for key, _ in self._all(layout.JUDGEMENTS):
            self._require(layout.BY_ID, key[-ID_BYTES:], layout.JUDGEMENTS)

    def check_names(self) -> None:
        """Names and numbers point at each other."""
        for key, number in self._all(layout.NAMES):
            self._expect(layout.NAMES_BY_NUMBER, key[:1] + number, None)

    def check_examples(self) -> None:
        """Examples have vectors, and their variants have versions."""
        for key, _ in self._all(layout.EXAMPLES):
            self._expect(layout.EXAMPLE_VECTORS, key, None)
            self._require(layout.EXAMPLE_VERSIONS, key[:-ID_BYTES], layout.EXAMPLES)
        for key, _ in self._all(layout.EXAMPLE_VERSIONS):
            self._require(layout.NAMES_BY_NUMBER, FUNCTION + key[:4], layout.EXAMPLE_VERSIONS)
            self._require(layout.NAMES_BY_NUMBER, VARIANT + key[4:], layout.EXAMPLE_VERSIONS)

    def check_cache(self) -> None:
        """Cached entries stand in the order in which they were put, and their bytes are counted."""
        total = 0
        for key, row in self._all(layout.CACHE):
            _, turn = layout.CACHE_TIMES.unpack_from(row)
            place = layout.UNSIGNED.pack(turn) + key
            found = self._transaction.get(layout.CACHE_BY_AGE, place)
            self._expect(layout.CACHE_BY_AGE, place, None)
            total += layout.UNSIGNED.unpack(found)[0] if found else 0
        rows = self._all(layout.CACHE_SIZE)
        counted = sum(layout.SIGNED.unpack(row)[0] for _, row in rows)
        if counted != total:
            self._add(f"{layout.CACHE_SIZE}: found {counted} bytes; wanted {total}")

    def check_counts(self, databases: tuple[Database, ...]) -> None:
        """Nothing is in the databases but what has been expected."""
        for database in databases:
            found, wanted = self._transaction.count(database), self._expected[database]
            if found != wanted:
                self._add(f"{database}: found {found} keys; wanted {wanted}")

    def _expect_keys_of(self, inference: bytes, record: InferenceRecord) -> None:
        function = self._number(FUNCTION, record.function_name)
        variant = self._number(VARIANT, record.variant_name)
        self._expect(layout.BY_FUNCTION, function + inference, variant)
        self._expect(layout.BY_VARIANT, function + variant + inference, b"")
        episode = id_key(record.episode_id)
        self._expect(layout.BY_EPISODE, episode + inference, function + variant)
        for key, value in record.tags.items():
            self._expect(layout.BY_TAG, tag_key(key, value) + inference, b"")

    def _expect_episodes(self) -> None:
        rows = self._all(layout.BY_EPISODE)
        for episode, entries in groupby(rows, key=lambda entry: entry[0][:ID_BYTES]):
            members = list(entries)
            inferences = [key[ID_BYTES:] for key, _ in members]
            row = layout.COUNT_AND_IDS.pack(len(inferences), inferences[0], inferences[-1])
            self._expect(layout.EPISODES, episode, row)
            counts = Counter(value for _, value in members)
            for function in {pair[:4] for pair in counts}:
                row = b"".join(
                    layout.NUMBER_AND_COUNT.pack(pair[4:], count)
                    for pair, count in sorted(counts.items())
                    if pair[:4] == function
                )
                self._expect(layout.EPISODES_BY_FUNCTION, function + episode, row)

    def _expect_variant_counts(self) -> None:
        counted: Counter[bytes] = Counter()
        for key, row in self._all(layout.VARIANT_COUNTS):
            counted[key[:8]] += layout.COUNT_AND_ID.unpack(row)[0]
        stored = Counter(key[:8] for key, _ in self._all(layout.BY_VARIANT))
        for pair in counted.keys() | stored.keys():
            if counted[pair] != stored[pair]:
                self._add(
                    f"{layout.VARIANT_COUNTS}: {pair.hex()}: found {counted[pair]}; "
                    f"wanted {stored[pair]}"
                )

    def _expect_latest(self, target: bytes, records: list[FeedbackRecord]) -> None:
        latest = {
            record.metric_name: record  # ascending by id, so the last one stays
            for record in records
            if record.kind in ("boolean", "float")
        }
        for name, record in latest.items():
            row = id_key(record.id) + encode_json(record.value)
            metric = self._number(METRIC, name)
            self._expect(layout.LATEST_FEEDBACK, target + metric, row)
            self._expect(layout.BY_METRIC, metric + target, b"")
            self._expect(
                layout.BY_VALUE, metric + value_key(encoding.metric_value(record)) + target, b""
            )

    def _expect_demonstrations(self, target: bytes, records: list[FeedbackRecord]) -> None:
        ids = [id_key(record.id) for record in records if record.kind == "demonstration"]
        if not ids:
            return
        head = self._transaction.get(layout.INFERENCES, target)
        if head is None:
            self._add(f"{layout.FEEDBACK}: {id_text(target)}: found a demonstration of nothing")
            return
        function_name = encoding.read_inference(id_text(target), head).function_name
        key = self._number(FUNCTION, function_name) + target
        self._expect(layout.DEMONSTRATED, key, layout.ID_AND_COUNT.pack(ids[-1], len(ids)))

    def _number(self, kind: bytes, name: str) -> bytes:
        number = self._names.find(self._transaction, kind, name)
        if number is None:
            self._add(f"{layout.NAMES}: {name!r}: found no number; wanted one")
        return number or bytes(4)

    def _all(self, database: Database) -> Iterator[tuple[bytes, bytes]]:
        return self._transaction.range(database)

    def _expect(self, database: Database, key: bytes, value: bytes | None) -> None:
        """The key must be there; with this value, unless that is None."""
        self._expected[database] += 1
        found = self._transaction.get(database, key)
        if found is None:
            self._add(f"{database}: {key.hex()}: found no entry; wanted one")
        elif value is not None and found != value:
            self._add(f"{database}: {key.hex()}: found {found.hex()}; wanted {value.hex()}")

    def _require(self, database: Database, key: bytes, origin: Database) -> None:
        """Something in `origin` needs the key."""
        if self._transaction.get(database, key) is None:
            self._add(f"{origin}: {key.hex()}: found nothing in {database}; wanted its record")

    def _add(self, problem: str) -> None:
        if len(self.problems) < _PROBLEMS_MAX:
            self.problems.append(problem)
