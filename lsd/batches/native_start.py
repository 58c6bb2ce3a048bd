"""Items that a provider's own batch API runs: which ones, and the jobs that are made of them."""

from collections.abc import Mapping, Sequence
from functools import partial

import attrs

from lsd.batches.native_calls import NativeCalls
from lsd.batches.refusals import NativeStartsFailed
from lsd.config import ChatCompletionVariant
from lsd.conversation import AttemptFailed, LsdError
from lsd.inference import (
    Accepted,
    InferenceService,
    Prepared,
    PreparedModel,
    PreparedProvider,
    PreparedVariant,
    call_elsewhere,
)
from lsd.providers import FILE_BYTES_MAX, LINES_MAX, BatchAPI, BatchFile
from lsd.store import BatchItem, BatchPart, NewItem


@attrs.frozen(kw_only=True)
class NativeLine:
    """One item as a line in a file of requests; items of one `group` may share a file."""

    variant: PreparedVariant
    model: PreparedModel
    provider: PreparedProvider
    api: BatchAPI
    credentials: Mapping[str, str]
    text: bytes

    @property
    def group(self) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
        """What all lines of a file have in common."""
        secrets = tuple(sorted(self.credentials.items()))
        return self.variant.name, self.model.name, self.provider.name, secrets


def is_native(prepared: Prepared, variant: PreparedVariant) -> bool:
    """Whether the provider that is asked first for a variant has a batch API, and is to use it."""
    if not isinstance(variant.config, ChatCompletionVariant):
        return False
    model = prepared.model(variant.config.model)
    return model is not None and model.providers[0].batches is not None


def native_line(
    inferences: InferenceService, item: BatchItem, accepted: Accepted, variant: PreparedVariant
) -> NativeLine | None:
    """The line of an item; None if LSD itself is to run it."""
    if not is_native(inferences.prepared, variant):
        return None
    run = inferences.run_elsewhere(item.inference_id, accepted)
    call = call_elsewhere(run, accepted, variant)
    if call is None:
        return None
    try:
        body = call.body()
    except LsdError:  # it fails in the same way when it runs, and by itself
        return None
    return NativeLine(
        variant=variant,
        model=call.model,
        provider=call.provider,
        api=call.api,
        credentials=accepted.request.credentials,
        text=call.api.line(item.inference_id, body),
    )


@attrs.frozen(kw_only=True)
class Started:
    """The items as they are to be stored, and the parts that some of them are of."""

    items: list[NewItem]
    parts: list[BatchPart]
    credentials: list[Mapping[str, str]]
    """Of each part."""


async def start_jobs(
    calls: NativeCalls,
    batch_id: str,
    items: Sequence[NewItem],
    lines: Mapping[int, NativeLine],
    now_ms: int,
) -> Started:
    """Starts a job for each file of lines, by the index of their items.

    Where a start fails, LSD itself goes on behind that provider. Raises NativeStartsFailed if
    there is none; nothing is left under way then, as when this is cancelled.
    """
    started = Started(items=list(items), parts=[], credentials=[])
    apis: list[tuple[BatchAPI, PreparedProvider]] = []
    try:
        for number, indexes in enumerate(_files(lines)):
            first = lines[indexes[0]]
            file = BatchFile(batch_id=batch_id, number=number)
            part, failure = await _start(calls, file, [lines[each] for each in indexes])
            for index in indexes:
                started.items[index] = _placed(items[index], len(started.parts), failure, now_ms)
            if part is not None:
                started.parts.append(part)
                started.credentials.append(first.credentials)
                apis.append((first.api, first.provider))
            elif len(first.model.providers) == 1:
                raise NativeStartsFailed(first.provider.name, failure or "")
    except BaseException:
        for (api, provider), part, secrets in zip(
            apis, started.parts, started.credentials, strict=True
        ):
            await calls.give_up(api, provider, part.job_id, secrets)
        raise
    return started


def _placed(new: NewItem, part: int, failure: str | None, now_ms: int) -> NewItem:
    if failure is not None:
        return attrs.evolve(new, item=attrs.evolve(new.item, first_provider=1))
    running = attrs.evolve(
        new.item, state="running", part=part, holder=None, run=1, attempts=1, started_ms=now_ms
    )
    return attrs.evolve(new, item=running)


def _files(lines: Mapping[int, NativeLine]) -> list[list[int]]:
    """The indexes of the lines of each file, none of which is too large."""
    files: list[list[int]] = []
    open_files: dict[object, tuple[list[int], int]] = {}
    for index, line in lines.items():
        file, size = open_files.get(line.group, ([], 0))
        length = len(line.text) + 1
        if not file or len(file) == LINES_MAX or size + length > FILE_BYTES_MAX:
            file, size = [], 0
            files.append(file)
        file.append(index)
        open_files[line.group] = (file, size + length)
    return files


async def _start(
    calls: NativeCalls, file: BatchFile, lines: Sequence[NativeLine]
) -> tuple[BatchPart | None, str | None]:
    """The part, or why there is none."""
    first = lines[0]
    api, provider, secrets = first.api, first.provider, first.credentials
    text = b"\n".join(line.text for line in lines) + b"\n"
    try:
        file_id = await calls.ask(
            provider, secrets, partial(api.upload, file, text), partial(api.file_id, file)
        )
        job_id = await calls.ask(provider, secrets, partial(api.create, file, file_id), api.job_id)
    except AttemptFailed as failure:
        return None, str(failure)
    part = BatchPart(
        model_name=first.model.name,
        provider_name=provider.name,
        variant_name=first.variant.name,
        job_id=job_id,
    )
    return part, None
