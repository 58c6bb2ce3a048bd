"""Feedback from its request to the store."""

from pathlib import Path
from typing import Any

import pytest
import trio

from lsd.conversation import parse_id
from lsd.feedback import BadFeedback, NotStored, UnknownMetric
from lsd.feedback.targets import Target, Targets
from lsd.store import FeedbackRecord, ModelInferenceRecord, Store, Writer, new_calls
from lsd.telemetry import SystemClock
from tests.unit.feedback.conftest import SETTINGS
from tests.unit.feedback.desk import (
    CONFIG_HASH,
    Desk,
    FakeRunning,
    desk_config,
    without_records,
    without_target_validation,
)

DATAPOINT = "0198e000-1111-7aaa-8bbb-0123456789ab"
JUDGE = "0198f3a2-6d21-7c4f-8e52-7b1d306f9c28"
JUDGEMENT = {
    "lsd::human_feedback": "true",
    "lsd::datapoint_id": DATAPOINT,
    "lsd::evaluator_inference_id": JUDGE,
}


class FoundTargets(Targets):
    """Finds every target."""

    async def require(self, target: Target) -> None:
        await trio.lowlevel.checkpoint()


async def refusal(desk: Desk, **fields: Any) -> str:
    """Why a request is refused as bad."""
    with pytest.raises(BadFeedback) as caught:
        await desk.give(**fields)
    return str(caught.value)


async def test_an_entry_is_stored_before_its_id_is_told(desk: Desk) -> None:
    """It says what was sent, by whom, and under which configuration."""
    inference = await desk.infer()

    feedback_id = await desk.give(
        inference_id=inference.inference_id,
        metric_name="solved",
        value=True,
        tags={"channel": "mail"},
        api_key_public_id="alice",
    )

    assert desk.entries(inference.inference_id) == [
        FeedbackRecord(
            id=feedback_id,
            kind="boolean",
            target_id=inference.inference_id,
            target_type="inference",
            metric_name="solved",
            value=True,
            tags={"channel": "mail", "lsd::api_key_public_id": "alice"},
            snapshot_hash=CONFIG_HASH,
        )
    ]


async def test_a_compatible_endpoints_id_is_the_same_target(desk: Desk) -> None:
    """Feedback finds the inference behind `chatcmpl-…`."""
    inference = await desk.infer()
    shown = "chatcmpl-" + inference.inference_id.replace("-", "")

    await desk.give(inference_id=shown, metric_name="solved", value=True)

    assert len(desk.entries(inference.inference_id)) == 1


@pytest.mark.parametrize("value", ["", "Well done", "☃"])
async def test_a_comment_goes_to_either_target(desk: Desk, value: str) -> None:
    """Feedback on an episode is not listed under its inferences."""
    inference = await desk.infer()

    await desk.give(inference_id=inference.inference_id, metric_name="comment", value=value)
    await desk.give(episode_id=inference.episode_id, metric_name="comment", value=value)

    for target_id in (inference.inference_id, inference.episode_id):
        (entry,) = desk.entries(target_id)
        assert (entry.kind, entry.value) == ("comment", value)


async def test_an_episode_takes_metrics_of_episodes(desk: Desk) -> None:
    """Its inferences do not have the value."""
    inference = await desk.infer()

    await desk.give(episode_id=inference.episode_id, metric_name="resolved", value=False)

    latest = desk.store.feedback.latest(inference.episode_id, "resolved")
    assert latest is not None
    assert latest.value is False
    assert desk.entries(inference.inference_id) == []


# case 3, case 4
@pytest.mark.parametrize(
    ("metric_name", "given", "wanted"),
    [
        ("solved", "episode_id", "inference"),
        ("resolved", "inference_id", "episode"),
        ("demonstration", "episode_id", "inference"),
    ],
)
async def test_an_existing_target_of_the_other_level_does_not_do(
    desk: Desk, metric_name: str, given: str, wanted: str
) -> None:
    """The message names the level."""
    inference = await desk.infer()

    told = await refusal(
        desk, metric_name=metric_name, value=True, **{given: getattr(inference, given)}
    )

    assert told.startswith(f"{wanted}_id: missing; ")


# case 5
@pytest.mark.parametrize("metric_name", ["solved", "comment", "demonstration"])
async def test_an_unknown_target_is_told_before_a_wrong_value(desk: Desk, metric_name: str) -> None:
    """The first check that fails decides."""
    unknown = desk.ids.new()

    told = await refusal(desk, inference_id=unknown, metric_name=metric_name, value=None)

    assert f"Inference {unknown} does not exist" in told


# case 6
async def test_feedback_is_never_too_early_for_an_answer(desk: Desk) -> None:
    """A thousand clients send it the moment their answer arrives, and none is turned away."""

    async def ask_and_tell() -> None:
        inference = desk.new_inference()
        desk.queue(inference)
        await desk.give(inference_id=inference.inference_id, metric_name="solved", value=True)

    async with trio.open_nursery() as clients:
        for _ in range(1000):
            clients.start_soon(ask_and_tell)

    assert desk.accepted == ["solved"] * 1000


# case 7
async def test_feedback_on_a_stream_waits_for_its_end(desk: Desk, nursery: trio.Nursery) -> None:
    """The id is known from the first chunk, and the record comes with the last."""
    inference = desk.new_inference()
    stream = desk.running.inferences[inference.inference_id] = FakeRunning()

    async def end_stream() -> None:
        await stream.is_awaited.wait()
        desk.queue(inference)
        stream.ended.set()

    nursery.start_soon(end_stream)
    await desk.give(inference_id=inference.inference_id, metric_name="solved", value=True)

    assert len(desk.entries(inference.inference_id)) == 1


# case 7
async def test_feedback_on_an_endless_stream_is_refused(
    desk: Desk, autojump_clock: trio.testing.MockClock
) -> None:
    """After some seconds the client is told to come again."""
    inference_id = desk.ids.new()
    desk.running.inferences[inference_id] = FakeRunning()

    told = await refusal(desk, inference_id=inference_id, metric_name="solved", value=True)

    assert f"Inference {inference_id} has not finished" in told
    assert trio.current_time() == pytest.approx(6, abs=0.5)


# case 8
async def test_only_inferences_and_episodes_are_targets(desk: Desk) -> None:
    """Calls of models, feedback, dry runs and failed inferences are none."""
    inference = await desk.infer()
    call = ModelInferenceRecord(
        id=desk.ids.new(),
        inference_id=desk.ids.new(),
        function_name="support",
        variant_name="terse",
        model_name="m",
        model_provider_name="p",
        status="error",
    )
    failed_id, failed_episode_id = call.inference_id, desk.ids.new()
    failed = desk.store.inferences.record_attempts(failed_id, failed_episode_id, new_calls([call]))
    await desk.writer.commit(failed)
    dry_run_id = desk.ids.new()
    feedback_id = await desk.give(
        inference_id=inference.inference_id, metric_name="solved", value=True
    )

    for other in (call.id, failed_id, dry_run_id, feedback_id):
        told = await refusal(desk, inference_id=other, metric_name="solved", value=True)
        assert f"Inference {other} does not exist" in told
    told = await refusal(desk, episode_id=failed_episode_id, metric_name="comment", value="")
    assert f"Episode {failed_episode_id} does not exist" in told


# case 9
async def test_an_id_of_the_other_kind_is_unknown(desk: Desk) -> None:
    """An inference is not an episode."""
    inference = await desk.infer()

    told = await refusal(
        desk, episode_id=inference.inference_id, metric_name="comment", value="Well done"
    )

    assert f"Episode {inference.inference_id} does not exist" in told


# case 10
async def test_a_float_is_stored_as_binary64(desk: Desk) -> None:
    """An integer is a number, and there is one zero."""
    inference = await desk.infer()
    target = {"inference_id": inference.inference_id, "metric_name": "rating"}

    await desk.give(**target, value=3)
    await desk.give(**target, value=-0.0)

    stored = [entry.value for entry in desk.entries(inference.inference_id)]
    assert [repr(value) for value in stored] == ["3.0", "0.0"]
    for wrong in (True, "3"):
        assert "'rating'" in await refusal(desk, **target, value=wrong)


# case 11
async def test_reserved_tags_are_for_tools(desk: Desk) -> None:
    """With `internal` they are stored, and the entry is marked."""
    inference = await desk.infer()
    fields = {
        "inference_id": inference.inference_id,
        "metric_name": "solved",
        "value": True,
        "tags": {"lsd::x": "1"},
    }

    assert '"lsd::x"' in await refusal(desk, **fields)
    await desk.give(**fields, internal=True)

    (entry,) = desk.entries(inference.inference_id)
    assert entry.tags == {"lsd::x": "1", "lsd::internal": "true"}


# case 13
async def test_a_dry_run_checks_everything_and_stores_nothing(desk: Desk) -> None:
    """It answers with an id that names nothing, and is not counted."""
    inference = await desk.infer()
    target = {"inference_id": inference.inference_id, "metric_name": "solved", "dryrun": True}

    told = await refusal(desk, **target, value="yes")
    feedback_id = await desk.give(**target, value=True, internal=True, tags=JUDGEMENT)

    assert told.startswith("value: ")
    assert parse_id(feedback_id) == feedback_id
    assert desk.store.feedback.count(inference.inference_id) == 0
    assert (
        desk.store.feedback.judgement(metric_name="solved", datapoint_id=DATAPOINT, output=[])
        is None
    )
    assert desk.accepted == []


# case 18
async def test_a_correction_is_a_new_entry(desk: Desk) -> None:
    """All entries stay, and the latest counts."""
    inference = await desk.infer()
    target = {"inference_id": inference.inference_id, "metric_name": "solved"}

    await desk.give(**target, value=False)
    second_id = await desk.give(**target, value=True)

    assert [entry.value for entry in desk.entries(inference.inference_id)] == [False, True]
    latest = desk.store.feedback.latest(inference.inference_id, "solved")
    assert latest is not None
    assert (latest.feedback_id, latest.value) == (second_id, True)


# case 19
async def test_a_metric_that_is_gone_keeps_its_entries(desk: Desk) -> None:
    """New feedback on it is refused."""
    inference = await desk.infer()
    fields = {"inference_id": inference.inference_id, "metric_name": "solved", "value": True}
    await desk.give(**fields)
    desk.configure(desk_config(metrics={}))

    with pytest.raises(UnknownMetric, match="'solved'"):
        await desk.give(**fields)

    assert len(desk.entries(inference.inference_id)) == 1


# case 20
async def test_what_was_answered_is_there_after_a_restart(tmp_path: Path) -> None:
    """An answer means that the entry is kept."""
    store = Store.open(tmp_path / "crashed", SETTINGS, is_server=True)
    async with trio.open_nursery() as nursery:
        writer = store.writer(SystemClock())
        await nursery.start(writer.run)
        desk = Desk(store, writer)
        inference = await desk.infer()
        target = {"inference_id": inference.inference_id}
        feedback_id = await desk.give(**target, metric_name="solved", value=True)
        nursery.cancel_scope.cancel()
    store.close()

    reopened = Store.open(tmp_path / "crashed", SETTINGS, is_server=True)
    (entry,) = reopened.feedback.page(inference.inference_id, limit=10)
    reopened.close()

    assert entry.id == feedback_id


# case 22
async def test_reserved_tags_are_told_before_the_metric(desk: Desk) -> None:
    """The first check that fails decides."""
    told = await refusal(desk, metric_name="unknown", value=True, tags={"lsd::x": "1"})

    assert told.startswith('tags."lsd::x": ')


@pytest.mark.parametrize("dryrun", [True, False])
async def test_without_records_there_is_no_feedback(desk: Desk, dryrun: bool) -> None:
    """That comes after the tags and before the ids, and names the key of the configuration."""
    desk.configure(without_records())

    told = await refusal(desk, metric_name="unknown", value=None, dryrun=dryrun)
    tagged = await refusal(desk, metric_name="unknown", value=None, tags={"lsd::x": "1"})

    assert told.startswith("gateway.observability.enabled: found false")
    assert tagged.startswith("tags.")


async def test_a_request_is_counted_once_it_is_understood(desk: Desk) -> None:
    """What fails later counts, what is refused before does not."""
    unknown = desk.ids.new()

    await refusal(desk, inference_id=unknown, metric_name="solved", value=True)
    await refusal(desk, metric_name="solved", value=True)
    with pytest.raises(UnknownMetric):
        await desk.give(inference_id=unknown, metric_name="speed", value=True)

    assert desk.accepted == ["solved"]


async def test_a_person_can_overrule_an_evaluator(desk: Desk) -> None:
    """The judgement is found by the output, in whatever order its keys are."""
    output = {"raw": "{}", "parsed": {"b": 1, "a": 2}}
    inference = await desk.infer("triage", body={"output": output})

    feedback_id = await desk.give(
        inference_id=inference.inference_id,
        metric_name="solved",
        value=False,
        internal=True,
        tags=JUDGEMENT,
    )

    judgement = desk.store.feedback.judgement(
        metric_name="solved",
        datapoint_id=DATAPOINT,
        output={"parsed": {"a": 2, "b": 1}, "raw": "{}"},
    )
    assert judgement is not None
    assert judgement.value is False
    assert judgement.evaluator_inference_id == JUDGE
    assert judgement.feedback_id == feedback_id


@pytest.mark.parametrize(
    ("metric_name", "value", "tags"),
    [
        ("solved", True, {"lsd::human_feedback": "true"}),
        ("comment", "Well done", JUDGEMENT),
        ("demonstration", "Gladly", JUDGEMENT),
    ],
)
async def test_other_feedback_by_people_is_no_judgement(
    desk: Desk, metric_name: str, value: Any, tags: dict[str, str]
) -> None:
    """The entry is stored with its tags, and that is all."""
    inference = await desk.infer()

    await desk.give(
        inference_id=inference.inference_id,
        metric_name=metric_name,
        value=value,
        internal=True,
        tags=tags,
    )

    (entry,) = desk.entries(inference.inference_id)
    assert entry.tags == tags | {"lsd::internal": "true"}
    assert (
        desk.store.feedback.judgement(metric_name=metric_name, datapoint_id=DATAPOINT, output=[])
        is None
    )


async def test_judgements_are_about_inferences(desk: Desk) -> None:
    """On an episode there is no output to judge; that is told before the target is looked up."""
    fields = {"episode_id": desk.ids.new(), "internal": True, "tags": JUDGEMENT}

    told = await refusal(desk, **fields, metric_name="resolved", value=True)
    comment = await refusal(desk, **fields, metric_name="comment", value="Well done")

    assert "judgements are about inferences" in told
    assert "does not exist" in comment
    assert desk.accepted == ["resolved", "comment"]


async def test_the_check_of_targets_can_be_switched_off(desk: Desk) -> None:
    """Metrics and comments are kept for ids that are not known yet; demonstrations are not."""
    desk.configure(without_target_validation())
    target_id = desk.ids.new()

    await desk.give(inference_id=target_id, metric_name="rating", value=1)
    await desk.give(
        inference_id=target_id, metric_name="solved", value=True, internal=True, tags=JUDGEMENT
    )
    await desk.give(inference_id=target_id, metric_name="comment", value="Well done")
    wrong = await refusal(desk, inference_id=target_id, metric_name="rating", value="1")
    told = await refusal(desk, inference_id=target_id, metric_name="demonstration", value="Gladly")

    assert [entry.kind for entry in desk.entries(target_id)] == ["float", "boolean", "comment"]
    assert wrong.startswith("value: ")
    assert f"Inference {target_id} does not exist" in told


async def test_a_target_that_disappears_before_the_commit_is_unknown(desk: Desk) -> None:
    """Its age may have had it deleted since it was looked up."""
    target_id = desk.ids.new()
    desk.service._targets = FoundTargets(
        inferences=desk.store.inferences,
        episodes=desk.store.episodes,
        writer=desk.writer,
        running=desk.running,
    )

    told = await refusal(desk, inference_id=target_id, metric_name="solved", value=True)

    assert f"Inference {target_id} does not exist" in told
    assert desk.entries(target_id) == []


async def test_what_the_store_cannot_keep_is_told(desk: Desk, writer: Writer) -> None:
    """Nothing is stored then, and the sender may try again."""
    inference = await desk.infer()
    await writer.close()

    with pytest.raises(NotStored, match="the feedback was not stored: "):
        await desk.give(inference_id=inference.inference_id, metric_name="solved", value=True)

    assert desk.entries(inference.inference_id) == []
