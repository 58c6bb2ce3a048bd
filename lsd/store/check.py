"""The check of a store: every record has its index keys, and every index key its record.

It reads everything in one snapshot; meant for tests and for the doubtful, not for every start.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

import attrs

from lsd.conversation import encode_json, reread_json
from lsd.store import _encoding as encoding
from lsd.store import layout
from lsd.store._attribution import (
    ALL_NAMESPACES,
    NAMESPACE_TAG,
    NOBODY,
    OF_EPISODE,
    OF_INFERENCE,
    Attribution,
    attribution_of_episode,
    attribution_of_inference,
)
from lsd.store._check_sums import Sums
from lsd.store._datapoint_writes import live_keys
from lsd.store._usage_writes import call_usage, inference_usage
from lsd.store._writing import Writing
from lsd.store.layout import ID_BYTES, end_of, id_key, id_text, tag_key, value_key
from lsd.store.names import DATASET, FUNCTION, METRIC, MODEL, NAMESPACE, PROVIDER, VARIANT, Names
from lsd.store.records import FeedbackRecord, InferenceRecord, ModelInferenceRecord
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
        data.check_datapoints()
        data.check_sums()
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
    _sums: Sums = attrs.field(factory=Sums, init=False)

    def check_inferences(self) -> None:
        """Inferences, their indexes, and what is counted over the indexes."""
        for key, head in self._all(layout.INFERENCES):
            record = encoding.read_inference(id_text(key), head)
            pair = self._pair(record)
            self._expect_keys_of(key, record, pair)
            self._sums.add_inference(pair, key, inference_usage(reread_json(head)))
        for key, _ in self._all(layout.INFERENCE_BODIES):
            self._require(layout.INFERENCES, key, layout.INFERENCE_BODIES)
        self._expect_episodes()

    def check_model_inferences(self) -> None:
        """They belong to an inference, to embeddings, or to an inference that failed as a whole."""
        failed = set()
        for key, head in self._all(layout.MODEL_INFERENCES):
            inference, own = key[:ID_BYTES], key[ID_BYTES:]
            self._expect(layout.BY_ID, own, layout.OF_MODEL_INFERENCE + inference)
            call = encoding.read_model_inference(id_text(inference), id_text(own), head)
            self._add_call(call)
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
            self._expect_attribution(target, records)

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

    def check_datapoints(self) -> None:
        """Datapoints have bodies; live ones stand in the indexes, and are counted."""
        writing = Writing(self._transaction, self._names, 0)
        counts: Counter[bytes] = Counter()
        for key, head in self._all(layout.DATAPOINTS):
            datapoint = encoding.read_datapoint(id_text(key), head)
            self._expect(layout.DATAPOINT_BODIES, key, None)
            dataset = self._number(DATASET, datapoint.dataset_name)
            function = self._number(FUNCTION, datapoint.function_name)
            if datapoint.staled_at_us is None:
                counts[dataset + function] += 1
                for database, index_key in live_keys(writing, datapoint):
                    self._expect(database, index_key, b"")
        for pair, count in counts.items():
            self._expect(layout.DATAPOINT_COUNTS, pair, layout.UNSIGNED.pack(count))

    def check_sums(self) -> None:
        """Counters and sums are what adding everything up gives."""
        for problem in self._sums.problems(self._transaction):
            self._add(problem)

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

    def _expect_keys_of(self, inference: bytes, record: InferenceRecord, pair: bytes) -> None:
        self._expect(layout.BY_FUNCTION, pair[:4] + inference, pair[4:])
        self._expect(layout.BY_VARIANT, pair + inference, b"")
        self._expect(layout.BY_EPISODE, id_key(record.episode_id) + inference, pair)
        for key, value in record.tags.items():
            self._expect(layout.BY_TAG, tag_key(key, value) + inference, b"")

    def _expect_episodes(self) -> None:
        rows = self._all(layout.BY_EPISODE)
        for episode, entries in groupby(rows, key=lambda entry: entry[0][:ID_BYTES]):
            inferences = [key[ID_BYTES:] for key, _ in entries]
            row = layout.COUNT_AND_IDS.pack(len(inferences), inferences[0], inferences[-1])
            self._expect(layout.EPISODES, episode, row)
            heads = [self._transaction.get(layout.INFERENCES, each) for each in inferences]
            records = [encoding.read_inference("", head) for head in heads if head is not None]
            members = Counter(self._pair(each) + self._namespace(each) for each in records)
            for member, count in members.items():
                row = layout.SIGNED.pack(count)
                self._expect(layout.EPISODE_VARIANTS, episode + member, row)
            for function in {member[:4] for member in members}:
                self._expect(layout.EPISODES_BY_FUNCTION, function + episode, b"")

    def _add_call(self, call: ModelInferenceRecord) -> None:
        usage = call_usage(call)
        if usage is not None:
            pair = self._number(MODEL, call.model_name)
            pair += self._number(PROVIDER, call.model_provider_name)
            self._sums.add_call(pair, id_key(call.id), usage)

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

    def _expect_attribution(self, target: bytes, records: list[FeedbackRecord]) -> None:
        """The entries count for the right variants."""
        for kind, target_type in ((OF_INFERENCE, "inference"), (OF_EPISODE, "episode")):
            counting = [
                each
                for each in records
                if each.target_type == target_type and each.kind != "comment"
            ]
            counting.sort(key=lambda each: each.metric_name)
            to = self._attribution(kind, target) if counting else NOBODY
            for name, of_metric in groupby(counting, key=lambda each: each.metric_name):
                metric = self._number(METRIC, name)
                self._expect_entries(kind, target, metric, list(of_metric), to)

    def _expect_entries(
        self,
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
            sums = self._sums.feedback(place + share[8:])
            sums.entries += len(entries)
            if has_values:
                sums.moments = sums.moments.plus(encoding.metric_value(entries[-1]))
            if has_values and share.endswith(ALL_NAMESPACES):
                for entry in entries:
                    value = target + encode_json(encoding.metric_value(entry))
                    self._expect(layout.FEEDBACK_BY_VARIANT, place + id_key(entry.id), value)
        if has_values:
            value = kind + encode_json(encoding.metric_value(entries[-1]))
            for pair in to.pairs:
                key = pair[:4] + metric + pair[4:] + target
                self._expect(layout.LATEST_BY_VARIANT, key, value)

    def _attribution(self, kind: bytes, target: bytes) -> Attribution:
        if kind == OF_EPISODE:
            return attribution_of_episode(self._transaction, target)
        head = self._transaction.get(layout.INFERENCES, target)
        if head is None:
            return NOBODY
        record = encoding.read_inference("", head)
        return attribution_of_inference(self._pair(record), self._namespace(record))

    def _pair(self, record: InferenceRecord) -> bytes:
        function = self._number(FUNCTION, record.function_name)
        return function + self._number(VARIANT, record.variant_name)

    def _namespace(self, record: InferenceRecord) -> bytes:
        name = record.tags.get(NAMESPACE_TAG)
        return ALL_NAMESPACES if name is None else self._number(NAMESPACE, name)

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
