"""What a provider tells of a job that it runs: how it stands, and once it is over its results."""

from collections.abc import Mapping
from functools import partial

import attrs
import trio

from lsd.batches.native_calls import NativeCalls
from lsd.conversation import AttemptFailed
from lsd.inference import PreparedModel, PreparedProvider
from lsd.providers import BatchAPI, Job, Row
from lsd.store import BatchPart
from lsd.telemetry import logger

log = logger(__name__)

NO_RESULT = "no result returned"


@attrs.frozen
class JobHolder:
    """Who runs a job."""

    model: PreparedModel
    provider: PreparedProvider
    api: BatchAPI


@attrs.frozen
class ToldJob:
    """A job as its provider has told of it; `rows` are its results by inference, if it is over."""

    part: BatchPart
    holder: JobHolder
    job: Job
    rows: Mapping[str, Row]


async def told_job(
    calls: NativeCalls, holder: JobHolder, part: BatchPart, dynamic: Mapping[str, str]
) -> ToldJob:
    """The job of a part; one that its provider does not know has failed.

    `dynamic` are the credentials that callers brought along. Raises AttemptFailed.
    """
    poll = partial(holder.api.poll, part.job_id)
    try:
        job = await calls.ask(holder.provider, dynamic, poll, holder.api.job)
    except AttemptFailed as failure:
        if failure.status != 404:
            raise
        job = Job(state="failed", reason=str(failure))
    if job.state == "under_way":
        return ToldJob(part, holder, job, {})
    rows: dict[str, Row] = {}
    for file_id in job.files:
        try:
            await _add_rows(calls, holder, dynamic, file_id, rows)
        except AttemptFailed as failure:
            if failure.status != 404:
                raise
            # What another file holds is there all the same, and will not be for ever.
            job = attrs.evolve(job, reason=f"{NO_RESULT}: {failure}")
    return ToldJob(part, holder, job, rows)


async def _add_rows(
    calls: NativeCalls,
    holder: JobHolder,
    dynamic: Mapping[str, str],
    file_id: str,
    rows: dict[str, Row],
) -> None:
    """The results in a file; of two for one inference the first counts. Raises AttemptFailed."""
    fetch = partial(holder.api.content, file_id)
    content = await calls.ask(holder.provider, dynamic, fetch, holder.api.file)
    further = 0
    for row in await trio.to_thread.run_sync(list, holder.api.rows(content)):
        further += row.inference_id in rows
        rows.setdefault(row.inference_id, row)
    if further:
        log.warning("second results for items", file=file_id, count=further)
