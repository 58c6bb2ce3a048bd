"""A desk where feedback is given: a real store, a small configuration, and a fake of what runs."""

from collections.abc import Mapping
from random import Random
from typing import Any, Literal

import attrs
import trio

from lsd.config import (
    ChatFunction,
    Config,
    Gateway,
    JsonFunction,
    Metric,
    Observability,
    Tool,
)
from lsd.conversation import Fragment, IdGenerator, Schema, decode_json, encode_json
from lsd.feedback import FeedbackService, read_feedback_request
from lsd.store import FeedbackRecord, InferenceBody, InferenceRecord, Store, Writer

NOW_MS = 1_770_000_000_000
"""Some time in February 2026."""
NOW_NS = NOW_MS * 1_000_000

CONFIG_HASH = "c0" * 32
"""The hash of the configuration that is running at the desk."""

ORDER_PARAMETERS: Mapping[str, Any] = {
    "type": "object",
    "properties": {"order": {"type": "integer"}},
    "required": ["order"],
}
VERDICT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"urgent": {"type": "boolean"}},
    "required": ["urgent"],
}


def desk_config(*, gateway: Gateway | None = None, **changes: Any) -> Config:
    """A chat function with a tool, one without, a json function, and a metric of each kind."""
    config = Config(
        gateway=gateway or Gateway(),
        functions={
            "support": ChatFunction(variants={}, tools=("lookup",)),
            "chatter": ChatFunction(variants={}),
            "triage": JsonFunction(variants={}, output_schema=Schema.compile(VERDICT_SCHEMA)),
        },
        tools={
            "lookup": Tool(
                name="lookup_order",
                description="Finds an order",
                parameters=Schema.compile(ORDER_PARAMETERS),
            ),
            "refund": Tool(name="refund", description="Pays back", parameters=Schema.compile({})),
        },
        metrics={
            "solved": Metric(type="boolean", optimize="max", level="inference"),
            "rating": Metric(type="float", optimize="max", level="inference"),
            "resolved": Metric(type="boolean", optimize="max", level="episode"),
        },
    )
    return attrs.evolve(config, **changes)


def without_records() -> Config:
    """A configuration with observability off."""
    return desk_config(gateway=Gateway(observability=Observability(enabled=False)))


def without_target_validation() -> Config:
    """A configuration that takes feedback on anything."""
    return desk_config(gateway=Gateway(unstable_disable_feedback_target_validation=True))


@attrs.define(eq=False)
class FakeRunning:
    """An inference in progress, until the test ends it."""

    is_dryrun: bool = False
    is_awaited: trio.Event = attrs.field(factory=trio.Event, init=False)
    ended: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def wait_ended(self) -> None:
        self.is_awaited.set()
        await self.ended.wait()


@attrs.define(eq=False)
class FakeRunningInferences:
    """What the test says is in progress, by id."""

    inferences: dict[str, FakeRunning] = attrs.field(factory=dict, init=False)
    episodes: dict[str, FakeRunning] = attrs.field(factory=dict, init=False)

    def find(self, target_id: str, level: Literal["inference", "episode"]) -> FakeRunning | None:
        found = self.inferences if level == "inference" else self.episodes
        running = found.get(target_id)
        return None if running is None or running.ended.is_set() else running


@attrs.define(eq=False)
class Desk:
    """Everything that takes part in giving feedback."""

    store: Store
    writer: Writer
    ids: IdGenerator = attrs.field(factory=lambda: IdGenerator(lambda: NOW_NS, Random(7)))
    running: FakeRunningInferences = attrs.field(factory=FakeRunningInferences)
    accepted: list[str] = attrs.field(factory=list)
    service: FeedbackService = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.configure(desk_config())

    def configure(self, config: Config) -> None:
        """From now on, this configuration is running."""
        self.service = FeedbackService(
            config=config,
            config_hash=CONFIG_HASH,
            store=self.store,
            writer=self.writer,
            ids=self.ids,
            running=self.running,
            on_accepted=self.accepted.append,
        )

    async def give(self, *, api_key_public_id: str | None = None, **fields: Any) -> str:
        """Sends the fields as a JSON body."""
        request = read_feedback_request(encode_json(fields))
        return await self.service.give(request, api_key_public_id=api_key_public_id)

    def new_inference(
        self, function_name: str = "support", *, is_expired: bool = False, **changes: Any
    ) -> InferenceRecord:
        """A record as inferences make it; not stored yet."""
        is_json = function_name == "triage"
        fields: dict[str, Any] = {"input": {"messages": []}, "output": []}
        if is_json:
            fields["output"] = {"raw": '{"urgent":true}', "parsed": {"urgent": True}}
            fields["output_schema"] = VERDICT_SCHEMA
        fields |= changes.pop("body", {})
        return InferenceRecord(
            **{
                "inference_id": self.ids.new(),
                "episode_id": self.ids.new(),
                "function_name": function_name,
                "variant_name": "terse",
                "function_type": "json" if is_json else "chat",
                "snapshot_hash": CONFIG_HASH,
                "body": None if is_expired else InferenceBody(**fields),
                **changes,
            }
        )

    def queue(self, inference: InferenceRecord) -> None:
        """Has an inference stored soon, as a gateway does that answers first."""
        self.writer.queue_nowait(self.store.inferences.record(inference))

    async def infer(self, function_name: str = "support", **changes: Any) -> InferenceRecord:
        """An inference, stored."""
        inference = self.new_inference(function_name, **changes)
        await self.writer.commit(self.store.inferences.record(inference))
        return inference

    async def keep_snapshot(self, hash: str, config: Any) -> None:  # noqa: A002
        """Stores the tables of an older configuration, as a start does."""
        snapshot = encode_json({"format": 1, "config": config, "template_files": {}})
        write = self.store.snapshots.record(
            hash=hash, config=Fragment(snapshot), extra_templates={}, tags={}, now_ms=1
        )
        await self.writer.commit(write)

    def entries(self, target_id: str) -> list[FeedbackRecord]:
        """What is stored on a target, oldest first."""
        return self.store.feedback.page(target_id, limit=1000)[::-1]

    def demonstrated(self, inference_id: str) -> Any:
        """The value of the latest demonstration."""
        record = self.store.feedback.latest_demonstration(inference_id)
        assert record is not None
        assert isinstance(record.value, str)
        return decode_json(record.value)
