"""Feedback from its request to its commit."""

from collections.abc import Callable

import attrs

from lsd.config import Config
from lsd.conversation import IdGenerator
from lsd.feedback.configurations import Configurations
from lsd.feedback.demonstrations import Demonstrations
from lsd.feedback.refusals import BadFeedback, NotStored
from lsd.feedback.request import FeedbackRequest
from lsd.feedback.schema_check import SchemaCheck
from lsd.feedback.subject import Subject, subject_of
from lsd.feedback.tags import check_tags, final_tags, verdict_of
from lsd.feedback.targets import RunningInferences, Targets, unknown_target
from lsd.feedback.values import comment_value, metric_value
from lsd.store import (
    FeedbackRecord,
    Store,
    StoreFailed,
    StoreFull,
    UnknownTarget,
    Verdict,
    WriteFailed,
    Writer,
)


@attrs.define(eq=False, kw_only=True)
class FeedbackService:
    """Takes feedback under one configuration, whose hash goes with every entry.

    `on_accepted` hears the metric of each request that is understood, even if it fails later;
    not of dry runs.
    """

    _config: Config
    _config_hash: str
    _store: Store
    _writer: Writer
    _ids: IdGenerator
    _running: RunningInferences
    on_accepted: Callable[[str], None] | None = None
    _targets: Targets = attrs.field(init=False)
    _demonstrations: Demonstrations = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        inferences = self._store.inferences
        self._targets = Targets(
            inferences=inferences,
            episodes=self._store.episodes,
            writer=self._writer,
            running=self._running,
        )
        self._demonstrations = Demonstrations(
            config=self._config,
            configurations=Configurations(
                running=self._config,
                running_hash=self._config_hash,
                snapshots=self._store.snapshots,
            ),
            inferences=inferences,
            check=SchemaCheck(show_values=self._config.gateway.debug),
        )

    async def give(self, request: FeedbackRequest, *, api_key_public_id: str | None = None) -> str:
        """The id of the new entry, once it is committed; a dry run commits nothing.

        May wait some seconds for an inference that is still running. The first check that fails
        decides: raises BadFeedback, UnknownMetric, UnknownFunction or NotStored. When cancelled
        during the commit, the entry is stored all the same.
        """
        try:
            return await self._give(request, api_key_public_id)
        except (StoreFull, StoreFailed, WriteFailed) as error:
            raise NotStored(str(error)) from error

    async def _give(self, request: FeedbackRequest, api_key_public_id: str | None) -> str:
        check_tags(request)
        self._check_observability()
        subject = subject_of(request, self._config)
        if self.on_accepted is not None and not request.dryrun:
            self.on_accepted(request.metric_name)
        verdict = _verdict(request, subject)
        must_exist = self._must_exist(subject)
        if must_exist:
            await self._targets.require(subject.target)
        value = await self._value(request, subject)
        record = FeedbackRecord(
            id=self._ids.new(),
            kind=subject.kind,
            target_id=subject.target.id,
            target_type=subject.target.level,
            metric_name=request.metric_name,
            value=value,
            tags=final_tags(request, api_key_public_id),
            snapshot_hash=self._config_hash,
        )
        if not request.dryrun:
            await self._commit(record, subject, verdict, must_exist=must_exist)
        return record.id

    def _check_observability(self) -> None:
        key = "gateway.observability.enabled"
        if self._config.gateway.observability.enabled is False:
            raise BadFeedback(key, "found false, so nothing is recorded; wanted true for feedback")

    def _must_exist(self, subject: Subject) -> bool:
        is_off = self._config.gateway.unstable_disable_feedback_target_validation
        return not is_off or subject.kind == "demonstration"

    async def _value(self, request: FeedbackRequest, subject: Subject) -> bool | float | str:
        if subject.metric is not None:
            return metric_value(request.metric_name, subject.metric, request.value)
        if subject.kind == "comment":
            return comment_value(request.value)
        return await self._demonstrations.stored_form(subject.target.id, request.value)

    async def _commit(
        self, record: FeedbackRecord, subject: Subject, verdict: Verdict | None, *, must_exist: bool
    ) -> None:
        write = self._store.feedback.record(record, verdict=verdict, must_exist=must_exist)
        try:
            await self._writer.commit(write)
        except UnknownTarget:  # it was deleted for its age since it was looked up
            raise unknown_target(subject.target) from None


def _verdict(request: FeedbackRequest, subject: Subject) -> Verdict | None:
    """What makes metric feedback a judgement. Raises BadFeedback for one on an episode."""
    verdict = verdict_of(request.tags)
    if verdict is None or subject.metric is None:
        return None
    if subject.target.level != "inference":
        found = f"found {request.metric_name!r}, a metric of episodes, with tags of a judgement"
        wanted = "a metric of inferences, because judgements are about inferences"
        raise BadFeedback("metric_name", f"{found}; wanted {wanted}")
    return verdict
