"""What is kept of an inference: its record, and one of each call that was made for it."""

from collections.abc import Sequence
from typing import Any

import attrs

from lsd.conversation import (
    Input,
    InputBlock,
    JsonValue,
    LsdError,
    ModelRequest,
    OutputBlock,
    block_to_json,
    input_to_json,
)
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.files import RunFiles, stored_block, stored_input
from lsd.inference.journal import ModelCall
from lsd.inference.masking import masked_json
from lsd.inference.run import Run
from lsd.inference.tools_json import provider_tool_to_json, tool_choice_to_json, tool_to_json
from lsd.store import (
    EmbeddingRecord,
    InferenceBody,
    InferenceRecord,
    ModelInferenceBody,
    ModelInferenceRecord,
    Store,
    Write,
    Writer,
)
from lsd.telemetry import logger

log = logger(__name__)

VECTORS_LENGTH_MAX = 256 * 1024
"""Characters of an answer with vectors that are kept: those of some ten texts. A thousand texts
would fill a hundred megabytes, which nobody reads."""


@attrs.frozen
class Recorder:
    """Hands records to the store's writer.

    `waits_for_commit`: an answer is not finished before its record is committed.
    """

    _store: Store
    _writer: Writer
    _waits_for_commit: bool

    async def record(self, run: Run, accepted: Accepted, answer: Answer) -> None:
        """Records a finished inference. A failing store is told in the log, not to the caller."""
        await self._write(self.answered(run, accepted, answer), run.inference_id)

    def record_interrupted(self, run: Run, accepted: Accepted, answer: Answer) -> None:
        """Records what had arrived when the caller left; there is nobody to wait."""
        self._writer.queue_nowait(self.answered(run, accepted, answer))

    def record_attempts(self, run: Run, accepted: Accepted) -> None:
        """Records the calls of an inference that gave no answer."""
        write = self.attempts(run, accepted)
        if write is not None:
            self._writer.queue_nowait(write)

    def attempts(self, run: Run, accepted: Accepted) -> Write | None:
        """What is to be stored of an inference that gave no answer; None: nothing."""
        calls = _calls(run, accepted, run.journal.calls)
        if not calls:
            return None
        return self._store.inferences.record_attempts(run.inference_id, run.episode_id, calls)

    def answered(self, run: Run, accepted: Accepted, answer: Answer) -> Write:
        """What is to be stored of an inference that has ended."""
        record = _inference(run, accepted, answer)
        return self._store.inferences.record(record, _calls(run, accepted, run.journal.calls))

    async def record_embedding(self, record: EmbeddingRecord, calls: Sequence[ModelCall]) -> None:
        """Records embeddings with the calls that were made for them, as an inference."""
        await self._write(self._embedding(record, calls), record.id)

    def record_failed_embedding(self, record: EmbeddingRecord, calls: Sequence[ModelCall]) -> None:
        """Records the calls for embeddings that nobody waits for any more."""
        self._writer.queue_nowait(self._embedding(record, calls))

    async def _write(self, write: Write, inference_id: str) -> None:
        if not self._waits_for_commit:
            self._writer.queue_nowait(write)
            return
        try:
            await self._writer.commit(write)
        except LsdError as error:
            log.error(  # noqa: TRY400 (a full disk is no bug; its traceback tells nothing)
                "inference not recorded", inference_id=inference_id, reason=str(error)
            )

    def _embedding(self, record: EmbeddingRecord, calls: Sequence[ModelCall]) -> Write:
        shown = [
            _without_long_answer(
                call_record(call, inference_id=record.id, snapshot_hash=record.snapshot_hash)
            )
            for call in calls
        ]
        return self._store.inferences.record_embedding(record, shown)


def _inference(run: Run, accepted: Accepted, answer: Answer) -> InferenceRecord:
    first = answer.first_chunk_at
    return InferenceRecord(
        inference_id=run.inference_id,
        episode_id=run.episode_id,
        function_name=accepted.function.name,
        variant_name=answer.variant_name,
        function_type=accepted.function.config.type,
        status="interrupted" if answer.is_interrupted else "ok",
        tags=dict(accepted.tags),
        processing_time_ms=_processing_time_ms(run),
        ttft_ms=None if first is None else round((first - run.started_at) * 1000),
        snapshot_hash=run.prepared.loaded.hash,
        body=_body(run, accepted, answer),
    )


def _processing_time_ms(run: Run) -> int | None:
    return round((run.clock.monotonic() - run.started_at) * 1000) if run.is_timed else None


def _body(run: Run, accepted: Accepted, answer: Answer) -> InferenceBody:
    request = accepted.request
    output, echoed = answer.output, answer.echoed
    shared = {
        "input": input_to_json(_input(request.input, run.files)),
        "output": masked_json(output.to_json(), echoed),
        "inference_params": {"chat_completion": answer.params.set_values()},
        "extra_body": [dict(entry.as_sent) for entry in request.extra_body],
    }
    if output.value is not None:
        assert accepted.output_schema is not None, "a json function always has one"
        return InferenceBody(
            **shared,
            output_schema=accepted.output_schema.value,
            auxiliary_content=_blocks(output.value.auxiliary, echoed),
        )
    if accepted.toolbox is None:
        return InferenceBody(**shared, output_schema=request.output_schema)
    return InferenceBody(
        **shared,
        output_schema=request.output_schema,
        additional_tools=_listed(request.additional_tools, tool_to_json),
        allowed_tools=None if request.allowed_tools is None else list(request.allowed_tools),
        tool_choice=(
            None if request.tool_choice is None else tool_choice_to_json(request.tool_choice)
        ),
        parallel_tool_calls=request.parallel_tool_calls,
        provider_tools=_listed(request.provider_tools or None, provider_tool_to_json),
    )


def _listed(items: Sequence[Any] | None, make: Any) -> list[Any] | None:
    return None if items is None else [make(item) for item in items]


def _calls(run: Run, accepted: Accepted, calls: Sequence[ModelCall]) -> list[ModelInferenceRecord]:
    return [
        call_record(
            call,
            inference_id=run.inference_id,
            snapshot_hash=run.prepared.loaded.hash,
            function_name=accepted.function.name,
            files=run.files,
            is_timed=run.is_timed,
        )
        for call in calls
    ]


def call_record(
    call: ModelCall,
    *,
    inference_id: str,
    snapshot_hash: str | None,
    function_name: str | None = None,
    files: RunFiles | None = None,
    is_timed: bool = True,
) -> ModelInferenceRecord:
    """The record of one call; without a function, of one for embeddings alone."""
    has_failed = call.status == "error"
    usage = call.usage
    return ModelInferenceRecord(
        id=call.id,
        inference_id=inference_id,
        function_name=function_name,
        variant_name=None if function_name is None else call.variant_name,
        model_name=call.model_name,
        model_provider_name=call.provider_name,
        status="ok" if call.status == "ok" else "error" if has_failed else "interrupted",
        error=call.error,
        input_tokens=usage.input_tokens or None,
        output_tokens=usage.output_tokens or None,
        provider_cache_read_input_tokens=usage.provider_cache_read_input_tokens,
        provider_cache_write_input_tokens=usage.provider_cache_write_input_tokens,
        response_time_ms=call.response_time_ms if is_timed else None,
        ttft_ms=call.ttft_ms,
        cached=call.cached,
        cost=call.cost,
        finish_reason=call.finish_reason,
        snapshot_hash=snapshot_hash,
        body=ModelInferenceBody(
            raw_request=call.raw_request,
            raw_response=call.raw_response,
            system=call.request.system,
            input_messages=_messages(call.request, files),
            output=None if has_failed else _blocks(call.output, call.echoed),
        ),
    )


def _without_long_answer(record: ModelInferenceRecord) -> ModelInferenceRecord:
    body = record.body
    if body is None or len(body.raw_response or "") <= VECTORS_LENGTH_MAX:
        return record
    return attrs.evolve(record, body=attrs.evolve(body, raw_response=None))


def _input(value: Input, files: RunFiles | None) -> Input:
    return value if files is None else stored_input(value, files)


def _messages(request: ModelRequest, files: RunFiles | None) -> list[dict[str, Any]]:
    def stored(block: InputBlock) -> InputBlock:
        return block if files is None else stored_block(block, files)

    return [
        {
            "role": message.role,
            "content": [block_to_json(stored(block)) for block in message.content],
        }
        for message in request.messages
    ]


def _blocks(blocks: Sequence[OutputBlock], echoed: frozenset[str]) -> JsonValue:
    return masked_json([block_to_json(block) for block in blocks], echoed)
