"""Random histories: whatever happens, the store answers like plain dicts kept beside it."""

import shutil
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lsd.store import (
    InferenceQuery,
    InferenceRecord,
    Selection,
    Store,
    TagIs,
    Write,
    new_calls,
    verify,
)
from lsd.store._group_commit import commit_group
from tests.unit.store.makers import Maker, open_store
from tests.unit.store.plain import Plain
from tests.unit.store.statistics_agree import check_feedback, check_usage
from tests.unit.store.test_filters import ORDERS, SELECTIONS

FUNCTIONS = st.sampled_from(["haiku", "triage"])
VARIANTS = st.sampled_from(["terse", "warm"])
METRICS = st.sampled_from(["resolved", "polite"])
TAGS = st.dictionaries(
    st.sampled_from(["tenant", "lsd::namespace"]), st.sampled_from(["blue", "green"])
)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "model_name": st.sampled_from(["gpt", "claude"]),
            "status": st.sampled_from(["ok", "ok", "interrupted", "error"]),
            "input_tokens": st.none() | st.integers(1, 9),
            "provider_cache_read_input_tokens": st.none() | st.integers(0, 9),
            "cost": st.none() | st.integers(0, 5).map(lambda n: Decimal(n) / 1000),
            "response_time_ms": st.none() | st.integers(0, 300),
            "ttft_ms": st.none() | st.integers(0, 300),
            "cached": st.booleans(),
        }
    ),
    max_size=2,
)
PLACES = st.integers(0, 1000)
"""Chooses among what there is, modulo its number."""


class Histories(RuleBasedStateMachine):
    """Inferences, failures, feedback and restarts in any order; writes in groups of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lsd-histories-"))
        self.make = Maker()
        self.plain = Plain()
        self.waiting: list[Write] = []
        self.store: Store = open_store(self.folder)

    @initialize()
    def begin(self) -> None:
        """Every history begins with one inference, so that there is a target."""
        self.inference("haiku", "terse", {}, 0, [{}], known_episode=False)
        self.commit()

    @rule(
        function=FUNCTIONS,
        variant=VARIANTS,
        tags=TAGS,
        place=PLACES,
        calls=CALLS,
        known_episode=st.booleans(),
    )
    def inference(
        self,
        function: str,
        variant: str,
        tags: dict[str, str],
        place: int,
        calls: list[dict[str, Any]],
        *,
        known_episode: bool,
    ) -> None:
        """An inference, in an episode of its own or in one there was."""
        fields = {"function_name": function, "variant_name": variant, "tags": tags}
        if known_episode and self.plain.inferences:
            fields["episode_id"] = self.any_inference(place).episode_id
        record = self.make.inference(**fields)
        made = [self.make.call(record.inference_id, **self.failed(each)) for each in calls]
        self.plain.inferences[record.inference_id] = record
        self.plain.calls[record.inference_id] = made
        self.waiting.append(self.store.inferences.record(record, made))

    def failed(self, call: dict[str, Any]) -> dict[str, Any]:
        """A call as it is; one that failed has neither tokens nor cost."""
        if call.get("status") != "error":
            return call
        nothing = ("input_tokens", "output_tokens", "provider_cache_read_input_tokens", "cost")
        return {**call, **dict.fromkeys(nothing)}

    @rule(seconds=st.sampled_from([1, 59, 3_600, 86_400, 40 * 86_400]))
    def time_passes(self, seconds: int) -> None:
        """So that there are several minutes, hours, days, months."""
        self.make.clock.advance_s(seconds)

    @rule(place=PLACES)
    def failure(self, place: int) -> None:
        """An inference that fails as a whole, in a known episode."""
        episode_id = self.any_inference(place).episode_id
        inference_id = self.make.id()
        attempt = self.make.call(inference_id, **self.failed({"status": "error", "error": "503"}))
        marked = attrs.evolve(attempt, episode_id=episode_id)
        self.plain.failed.setdefault(episode_id, []).append(marked)
        write = self.store.inferences.record_attempts(
            inference_id, episode_id, new_calls([attempt])
        )
        self.waiting.append(write)

    @rule(
        place=PLACES,
        metric=METRICS,
        kind=st.sampled_from(["boolean", "float", "comment", "demonstration"]),
        value=st.booleans(),
        on_episode=st.booleans(),
    )
    def feedback(
        self, place: int, metric: str, kind: str, *, value: bool, on_episode: bool
    ) -> None:
        """An entry of some kind on something that is stored or about to be."""
        record = self.any_inference(place)
        is_on_episode = on_episode and kind != "demonstration"
        values = {"boolean": value, "float": float(value)}
        entry = self.make.feedback(
            record.episode_id if is_on_episode else record.inference_id,
            target_type="episode" if is_on_episode else "inference",
            kind=kind,
            metric_name=metric if kind in values else kind,
            value=values.get(kind, '{"raw":null,"parsed":null}'),
        )
        self.plain.feedback.setdefault(entry.target_id, []).append(entry)
        self.waiting.append(self.store.feedback.record(entry))

    @rule()
    def feedback_on_nothing(self) -> None:
        """A refusal among the writes of a group."""
        refused = self.store.feedback.record(self.make.feedback(self.make.id()))
        assert commit_group(self.store.data, [*self.waiting, refused])[-1] is not None
        self.waiting = []

    @rule()
    def commit(self) -> None:
        """All that waits, in one group."""
        outcomes = commit_group(self.store.data, self.waiting)
        assert outcomes == [None] * len(self.waiting)
        self.waiting = []

    @rule()
    def restart(self) -> None:
        """The writer drains, the process ends, another begins."""
        self.commit()
        self.store.close()
        self.store = open_store(self.folder)

    @rule(bodies=st.sampled_from([None, 1, 30]), records=st.sampled_from([None, 1, 45]))
    def retention(self, bodies: int | None, records: int | None) -> None:
        """What is too old goes; time may have stood still."""
        self.commit()
        now_ms = self.make.clock.now_ms()
        retention = self.store.retention(bodies_days=bodies, records_days=records)
        while retention.sweep(now_ms=now_ms):
            pass
        self.plain.expire(now_ms, bodies, records)
        if not self.plain.inferences:
            self.begin()

    @rule(function=st.none() | FUNCTIONS, variant=st.none() | VARIANTS, limit=st.integers(1, 5))
    @precondition(lambda self: not self.waiting)
    def lists_agree(self, function: str | None, variant: str | None, limit: int) -> None:
        """A page holds what going through everything gives."""
        selection = Selection(function_name=function, variant_name=variant)
        wanted = self.plain.newest(selection)

        assert self.store.inferences.page(selection, limit=limit) == wanted[:limit]

    @rule(selection=SELECTIONS, order=ORDERS, limit=st.none() | st.integers(0, 5))
    @precondition(lambda self: not self.waiting)
    def queries_agree(self, selection: Selection, order: Any, limit: int | None) -> None:
        """So does any query, and its count."""
        query = InferenceQuery(selection=selection, order=order, limit=limit)

        found = self.store.inferences.select(query, with_bodies=False)

        assert found == self.plain.select(query)
        assert self.store.inferences.count(selection) == len(self.plain.newest(selection))

    @rule(place=PLACES)
    @precondition(lambda self: not self.waiting)
    def one_inference_agrees(self, place: int) -> None:
        """An inference, its calls, its episode and its tags are as they were recorded."""
        record = self.any_inference(place)
        store, plain = self.store, self.plain
        mates = plain.newest(Selection(episode_id=record.episode_id))
        episode = store.episodes.get(record.episode_id)

        assert store.inferences.get([record.inference_id]) == [record]
        found = store.inferences.model_inferences(record.inference_id, include_failed=True)
        assert found == plain.calls[record.inference_id]
        assert episode is not None
        assert (episode.count, episode.last_inference_id) == (len(mates), mates[0].inference_id)
        assert episode.first_inference_id == mates[-1].inference_id
        failed = plain.failed.get(record.episode_id, [])
        assert store.inferences.failed_attempts(record.episode_id) == failed
        for tag in record.tags.items():
            selection = Selection(filter=TagIs(key=tag[0], value=tag[1]))
            assert store.inferences.page(selection, limit=10**6) == plain.newest(selection)

    @rule(place=PLACES, on_episode=st.booleans())
    @precondition(lambda self: not self.waiting)
    def feedback_agrees(self, place: int, *, on_episode: bool) -> None:
        """The entries on a target are all there, and the latest of each metric counts."""
        record = self.any_inference(place)
        target = record.episode_id if on_episode else record.inference_id
        entries = self.plain.feedback.get(target, [])
        values = {
            entry.metric_name: (entry.id, entry.value)
            for entry in entries
            if entry.kind in ("boolean", "float")
        }
        demonstrations = [entry for entry in entries if entry.kind == "demonstration"]

        assert self.store.feedback.page(target, limit=10**6) == entries[::-1]
        latest = self.store.feedback.latest_by_metric(target)
        assert {k: (v.feedback_id, v.value) for k, v in latest.items()} == values
        found = self.store.feedback.latest_demonstration(target)
        assert found == (demonstrations[-1] if demonstrations else None)

    @rule(function=FUNCTIONS, metric=METRICS)
    @precondition(lambda self: not self.waiting)
    def statistics_agree(self, function: str, metric: str) -> None:
        """What is summed up as things happen is what adding everything up gives."""
        check_feedback(self.store, self.plain, function, metric)
        check_usage(self.store, self.plain, function, self.make.clock.now_ms())

    @invariant()
    def counts_agree(self) -> None:
        """Counters are exact at every commit."""
        if not self.waiting:
            counts = self.store.inferences.counts()
            assert sum(each.inferences for each in counts) == len(self.plain.inferences)

    def any_inference(self, place: int) -> InferenceRecord:
        """One of the inferences of this history."""
        records = list(self.plain.inferences.values())
        return records[place % len(records)]

    def teardown(self) -> None:
        """At the end nothing in the store contradicts anything else."""
        problems = verify(self.store)
        self.store.close()
        shutil.rmtree(self.folder)
        assert problems == []


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
