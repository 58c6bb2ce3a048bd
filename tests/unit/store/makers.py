"""Records for tests: short to make, with ids in the order in which they are made."""

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import attrs

from lsd.conversation import IdGenerator
from lsd.store import (
    BatchItem,
    BatchPart,
    BatchRecord,
    Datapoint,
    DatapointBody,
    FeedbackRecord,
    InferenceBody,
    InferenceRecord,
    ModelInferenceBody,
    ModelInferenceRecord,
    NewItem,
    Store,
    StoreSettings,
    Write,
)

SMALL = StoreSettings(map_size=1 << 20, max_map_size=64 << 20, max_readers=64, durability="none")
"""A map that has to grow now and then, and no waiting for the disk."""

SNAPSHOT_HASH = "5e" * 32


@attrs.define(eq=False)
class HandClock:
    """A clock that the test moves."""

    milliseconds: int = 1_770_000_000_000

    def now_ms(self) -> int:
        return self.milliseconds

    def now_ns(self) -> int:
        return self.milliseconds * 1_000_000

    def monotonic(self) -> float:
        return self.milliseconds / 1000

    def advance_s(self, seconds: float) -> None:
        self.milliseconds += round(seconds * 1000)


@attrs.define(eq=False)
class Maker:
    """Makes records with fresh ids."""

    clock: HandClock = attrs.field(factory=HandClock)
    ids: IdGenerator = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.ids = IdGenerator(self.clock.now_ns, Random(7))

    def id(self) -> str:
        return self.ids.new()

    def inference(self, **fields: Any) -> InferenceRecord:
        body = InferenceBody(
            input={"messages": [{"role": "user", "content": [{"type": "text", "text": "A pond"}]}]},
            output=[{"type": "text", "text": "An old silent pond"}],
            inference_params={"chat_completion": {"temperature": 0.5}},
        )
        defaults: dict[str, Any] = {
            "inference_id": self.id(),
            "episode_id": self.id(),
            "function_name": "write_haiku",
            "variant_name": "terse",
            "function_type": "chat",
            "processing_time_ms": 120,
            "snapshot_hash": SNAPSHOT_HASH,
            "body": body,
        }
        return InferenceRecord(**defaults | fields)

    def call(self, inference_id: str, **fields: Any) -> ModelInferenceRecord:
        body = ModelInferenceBody(
            raw_request='{"model":"gpt"}',
            raw_response='{"choices":[]}',
            input_messages=[{"role": "user", "content": [{"type": "text", "text": "A pond"}]}],
            output=[{"type": "text", "text": "An old silent pond"}],
        )
        defaults: dict[str, Any] = {
            "id": self.id(),
            "inference_id": inference_id,
            "function_name": "write_haiku",
            "variant_name": "terse",
            "model_name": "gpt",
            "model_provider_name": "openai",
            "input_tokens": 12,
            "output_tokens": 7,
            "response_time_ms": 100,
            "cost": Decimal("0.000123"),
            "finish_reason": "stop",
            "snapshot_hash": SNAPSHOT_HASH,
            "body": body,
        }
        return ModelInferenceRecord(**defaults | fields)

    def feedback(self, target_id: str, **fields: Any) -> FeedbackRecord:
        defaults: dict[str, Any] = {
            "id": self.id(),
            "kind": "boolean",
            "target_id": target_id,
            "target_type": "inference",
            "metric_name": "resolved",
            "value": True,
            "snapshot_hash": SNAPSHOT_HASH,
        }
        return FeedbackRecord(**defaults | fields)

    def datapoint(self, **fields: Any) -> Datapoint:
        defaults: dict[str, Any] = {
            "id": self.id(),
            "dataset_name": "gold",
            "function_name": "write_haiku",
            "function_type": "chat",
            "snapshot_hash": SNAPSHOT_HASH,
            "body": self.datapoint_body("A pond", "An old silent pond"),
        }
        return Datapoint(**defaults | fields)

    def datapoint_body(self, asked: str, answered: str) -> DatapointBody:
        content = [{"type": "text", "text": asked}]
        return DatapointBody(
            input={"messages": [{"role": "user", "content": content}]},
            output=[{"type": "text", "text": answered}],
        )

    def batch(self, **fields: Any) -> BatchRecord:
        defaults: dict[str, Any] = {
            "batch_id": self.id(),
            "created_ms": self.clock.now_ms(),
            "shape": "rows",
            "snapshot_hash": SNAPSHOT_HASH,
        }
        return BatchRecord(**defaults | fields)

    def part(self, **fields: Any) -> BatchPart:
        defaults: dict[str, Any] = {
            "model_name": "m",
            "provider_name": "p",
            "variant_name": "terse",
            "job_id": "job",
        }
        return BatchPart(**defaults | fields)

    def new_item(self, **fields: Any) -> NewItem:
        defaults: dict[str, Any] = {
            "inference_id": self.id(),
            "episode_id": self.id(),
            "function_name": "write_haiku",
            "function_type": "chat",
        }
        return NewItem(item=BatchItem(**defaults | fields), request=b'{"input":{}}')

    def now_us(self) -> int:
        return self.clock.now_ns() // 1000


def open_store(folder: Path, settings: StoreSettings = SMALL, *, shard: int = 0) -> Store:
    """The store of a server, in `folder`."""
    return Store.open(folder, settings, is_server=True, shard=shard)


def put(store: Store, write: Write) -> None:
    """Commits a write."""
    store.data.write(write.apply)


def stored(store: Store, record: InferenceRecord, *calls: ModelInferenceRecord) -> InferenceRecord:
    """Commits an inference at once, and gives it back."""
    store.data.write(store.inferences.record(record, calls).apply)
    return record


def given(store: Store, record: FeedbackRecord, **options: Any) -> FeedbackRecord:
    """Commits a feedback entry at once, and gives it back."""
    store.data.write(store.feedback.record(record, **options).apply)
    return record
