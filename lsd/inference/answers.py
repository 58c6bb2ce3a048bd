"""The answer to one inference: what a variant gave, and how it is written as JSON."""

from collections.abc import Sequence
from typing import Any

import attrs

from lsd.conversation import ChatCompletionParams, FinishReason, Usage, frozen
from lsd.inference.journal import ModelCall, raw_responses, raw_usages, succeeded
from lsd.inference.outputs import JsonOutput, Output
from lsd.inference.run import Run

BILLED_NOTHING = Usage(input_tokens=0, output_tokens=0)
"""What a call that came from the inference cache counts."""


@frozen
class Answer:
    """What a variant has given.

    `params` are the effective ones, as they are recorded. `calls` were made for it, failed ones
    included, in the order in which raw bodies are shown; the last word had the `deciding` one.
    `first_chunk_at` is set if the caller is sent a stream. Seconds are of the monotonic clock.
    """

    variant_name: str
    output: Output
    params: ChatCompletionParams
    finish_reason: FinishReason | None
    calls: tuple[ModelCall, ...]
    deciding: ModelCall | None
    first_chunk_at: float | None = None
    is_interrupted: bool = False

    @property
    def parts(self) -> list[ModelCall]:
        """The calls that have succeeded: what the answer is made of, and what it cost."""
        return succeeded(self.calls)

    @property
    def echoed(self) -> frozenset[str]:
        """Credentials that the output may hold, which records must not."""
        found: frozenset[str] = frozenset()
        for call in self.calls:
            found |= call.echoed
        return found


def usage_json(calls: Sequence[ModelCall]) -> dict[str, Any]:
    """The sum over the calls; one unknown figure makes its sum null."""
    total = _billed(calls[0])
    cost = calls[0].cost
    for call in calls[1:]:
        total = total.plus(_billed(call))
        cost = None if cost is None or call.cost is None else cost + call.cost
    shown: dict[str, Any] = {
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "cost": cost,
    }
    if total.provider_cache_read_input_tokens is not None:
        shown["provider_cache_read_input_tokens"] = total.provider_cache_read_input_tokens
    if total.provider_cache_write_input_tokens is not None:
        shown["provider_cache_write_input_tokens"] = total.provider_cache_write_input_tokens
    return shown


def answer_json(run: Run, answer: Answer) -> dict[str, Any]:
    """The body of a plain answer."""
    request = run.request
    parts = answer.parts
    shown: dict[str, Any] = {
        "inference_id": run.inference_id,
        "episode_id": run.episode_id,
        "variant_name": answer.variant_name,
    }
    if isinstance(answer.output, JsonOutput):
        shown["output"] = answer.output.to_json()
    else:
        shown["content"] = answer.output
    shown["usage"] = usage_json(parts)
    if answer.finish_reason is not None:
        shown["finish_reason"] = answer.finish_reason
    if request.include_raw_usage:
        shown["raw_usage"] = raw_usages(parts)
    if request.include_raw_response:
        shown["raw_response"] = raw_responses(
            (*calls_of_others(run, answer.variant_name), *answer.calls)
        )
    deciding = answer.deciding
    if request.include_original_response and deciding and deciding.raw_response is not None:
        shown["original_response"] = deciding.raw_response
    return shown


def calls_of_others(run: Run, variant_name: str) -> list[ModelCall]:
    """The calls that were made for variants that had failed before this one."""
    return [call for call in run.journal.calls if call.variant_name != variant_name]


def _billed(call: ModelCall) -> Usage:
    if call.cached:
        return BILLED_NOTHING
    if call.api_type == "embeddings":  # gives vectors, and says nothing of tokens that came out
        return attrs.evolve(call.answer.usage, output_tokens=0)
    return call.answer.usage
