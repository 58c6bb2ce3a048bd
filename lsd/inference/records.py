"""What is kept of an inference: its record, and one of each call that was made for it."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import attrs

from lsd.conversation import (
    Input,
    InputBlock,
    JsonValue,
    LsdError,
    ModelRequest,
    OutputBlock,
    blocks_to_json,
    input_to_json,
)
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.files import RunFiles, stored_block, stored_input
from lsd.inference.journal import ModelCall
from lsd.inference.masking import masked_json
from lsd.inference.outputs import JsonOutput, output_to_json
from lsd.inference.request import InferenceRequest
from lsd.inference.run import Run
from lsd.inference.tools_json import provider_tool_to_json, tool_choice_to_json, tool_to_json
from lsd.store import EmbeddingRecord, Fields, NewCall, NewInference, Store, Write, Writer
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
        write = self.answered(run, accepted, answer)
        if self._waits_for_commit:
            await self._commit(write, run.inference_id)
        else:
            self._writer.queue_nowait(write)

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
        if not run.journal.calls:
            return None
        calls = _calls(run, accepted)
        return self._store.inferences.record_attempts(run.inference_id, run.episode_id, calls)

    def answered(self, run: Run, accepted: Accepted, answer: Answer) -> Write:
        """What is to be stored of an inference that has ended: from now on nothing changes it.

        It is put together in the writer's thread, when the answer is on its way.
        """
        time_ms = (
            round((run.shared.clock.monotonic() - run.started_at) * 1000) if run.is_timed else None
        )
        make = partial(_inference, run, accepted, answer, time_ms)
        rows = 1 + len(run.journal.calls)
        if run.files is not None:
            # A record has pointers in place of files; their bytes need not wait for a commit.
            made = make()
            return self._store.inferences.record_made(lambda: made, rows)
        return self._store.inferences.record_made(make, rows)

    async def record_embedding(self, record: EmbeddingRecord, calls: Sequence[ModelCall]) -> None:
        """Records embeddings with the calls that were made for them, as an inference."""
        write = self._embedding(record, calls)
        if self._waits_for_commit:
            await self._commit(write, record.id)
        else:
            self._writer.queue_nowait(write)

    def record_failed_embedding(self, record: EmbeddingRecord, calls: Sequence[ModelCall]) -> None:
        """Records the calls for embeddings that nobody waits for any more."""
        self._writer.queue_nowait(self._embedding(record, calls))

    async def _commit(self, write: Write, inference_id: str) -> None:
        try:
            await self._writer.commit(write)
        except LsdError as error:
            log.error(  # noqa: TRY400 (a full disk is no bug; its traceback tells nothing)
                "inference not recorded", inference_id=inference_id, reason=str(error)
            )

    def _embedding(self, record: EmbeddingRecord, calls: Sequence[ModelCall]) -> Write:
        made = [_call(call, record.snapshot_hash) for call in calls]
        for each in made:
            if (
                each.body is not None
                and len(each.body.get("raw_response", "")) > VECTORS_LENGTH_MAX
            ):
                del each.body["raw_response"]
        return self._store.inferences.record_embedding(record, made)


def _inference(run: Run, accepted: Accepted, answer: Answer, time_ms: int | None) -> NewInference:
    first, function = answer.first_chunk_at, accepted.function
    return NewInference(
        run.inference_id,
        {
            "function_type": function.config.type,
            "function_name": function.name,
            "variant_name": answer.variant_name,
            "episode_id": run.episode_id,
            "status": "interrupted" if answer.is_interrupted else "ok",
            "tags": accepted.tags,
            "processing_time_ms": time_ms,
            "ttft_ms": None if first is None else round((first - run.started_at) * 1000),
            "snapshot_hash": run.shared.prepared.loaded.hash,
        },
        _body(run, accepted, answer),
        _calls(run, accepted),
    )


def _body(run: Run, accepted: Accepted, answer: Answer) -> Fields:
    request = accepted.request
    output, echoed = answer.output, answer.echoed
    body: Fields = {
        "input": input_to_json(_input(request.input, run.files)),
        "output": masked_json(output_to_json(output), echoed),
        "inference_params": {"chat_completion": answer.params.set_values()},
        "extra_body": [dict(entry.as_sent) for entry in request.extra_body],
    }
    if isinstance(output, JsonOutput):
        assert accepted.output_schema is not None, "a json function always has one"
        body["output_schema"] = accepted.output_schema.value
        body["auxiliary_content"] = _blocks(output.auxiliary, echoed)
        return body
    if accepted.toolbox is not None:
        body |= _tools(request)
    if request.output_schema is not None:
        body["output_schema"] = request.output_schema
    return body


def _tools(request: InferenceRequest) -> Fields:
    """What a request says of tools."""
    choice = request.tool_choice
    said = {
        "additional_tools": _listed(request.additional_tools, tool_to_json),
        "allowed_tools": request.allowed_tools,
        "tool_choice": None if choice is None else tool_choice_to_json(choice),
        "parallel_tool_calls": request.parallel_tool_calls,
        "provider_tools": _listed(request.provider_tools or None, provider_tool_to_json),
    }
    return {name: value for name, value in said.items() if value is not None}


def _listed(items: Sequence[Any] | None, make: Any) -> list[Any] | None:
    return None if items is None else [make(item) for item in items]


def _calls(run: Run, accepted: Accepted) -> list[NewCall]:
    snapshot_hash, function_name = run.shared.prepared.loaded.hash, accepted.function.name
    made = [_call(call, snapshot_hash, function_name, run.files) for call in run.journal.calls]
    if not run.is_timed:
        for each in made:
            del each.head["response_time_ms"]
    return made


def _call(
    call: ModelCall,
    snapshot_hash: str | None,
    function_name: str | None = None,
    files: RunFiles | None = None,
) -> NewCall:
    """What is kept of one call; without a function, of one for embeddings alone."""
    head = _call_head(call, snapshot_hash, function_name)
    return NewCall(call.id, head, _call_body(call, files))


def _call_head(call: ModelCall, snapshot_hash: str | None, function_name: str | None) -> Fields:
    """Its fields but for the body, in the order of the record; only those that have a value."""
    status, usage = call.status, call.answer.usage
    head: Fields = {
        "function_name": function_name,
        "variant_name": call.variant_name,
        "model_name": call.model_name,
        "model_provider_name": call.provider_name,
        "status": "interrupted" if status == "open" else status,
    }
    if function_name is None:
        del head["function_name"], head["variant_name"]
    if call.error is not None:
        head["error"] = call.error
    if (tokens := usage.input_tokens) is not None:
        head["input_tokens"] = tokens
    if (tokens := usage.output_tokens) is not None:
        head["output_tokens"] = tokens
    if (tokens := usage.provider_cache_read_input_tokens) is not None:
        head["provider_cache_read_input_tokens"] = tokens
    if (tokens := usage.provider_cache_write_input_tokens) is not None:
        head["provider_cache_write_input_tokens"] = tokens
    head["response_time_ms"] = call.response_time_ms
    if call.first_chunk_at is not None:
        head["ttft_ms"] = call.ttft_ms
    head["cached"] = call.cached
    if call.cost is not None:
        head["cost"] = call.cost
    if call.answer.finish_reason is not None:
        head["finish_reason"] = call.answer.finish_reason
    if snapshot_hash is not None:
        head["snapshot_hash"] = snapshot_hash
    return head


def _call_body(call: ModelCall, files: RunFiles | None) -> Fields:
    """The same of its body."""
    body: Fields = {}
    request = call.request
    if call.raw_request is not None:
        body["raw_request"] = call.raw_request
    if call.raw_response is not None:
        body["raw_response"] = call.raw_response
    if request.system is not None:
        body["system"] = request.system
    body["input_messages"] = _messages(request, files)
    if call.status != "error":
        body["output"] = _blocks(call.answer.output, call.echoed)
    return body


def _input(value: Input, files: RunFiles | None) -> Input:
    return value if files is None else stored_input(value, files)


def _messages(request: ModelRequest, files: RunFiles | None) -> list[Fields]:
    messages: list[Fields] = []
    for message in request.messages:
        content: Iterable[InputBlock] = message.content
        if files is not None:
            content = [stored_block(block, files) for block in content]
        messages.append({"role": message.role, "content": blocks_to_json(content)})
    return messages


def _blocks(blocks: Sequence[OutputBlock], echoed: frozenset[str]) -> JsonValue:
    return masked_json(blocks_to_json(blocks), echoed)
