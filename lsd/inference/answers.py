"""The answer to one inference, as JSON."""

from collections.abc import Sequence
from typing import Any

import attrs

from lsd.conversation import Usage
from lsd.inference.accept import Accepted
from lsd.inference.journal import ModelCall
from lsd.inference.model_request import Asked
from lsd.inference.outputs import JsonOutput, chat_content, json_output
from lsd.inference.run import Run

BILLED_NOTHING = Usage(input_tokens=0, output_tokens=0)
"""What a call that came from the inference cache counts."""


@attrs.frozen(kw_only=True)
class Output:
    """What the model gave back, read as its function wants it: exactly one of the two is set."""

    content: list[dict[str, Any]] | None = None
    value: JsonOutput | None = None

    def to_json(self) -> Any:
        """The form that is stored: blocks of a chat, `{"raw", "parsed"}` of a json function."""
        return self.content if self.value is None else self.value.to_json()


def read_output(accepted: Accepted, asked: Asked, call: ModelCall) -> Output:
    """The output of the call that made the answer."""
    if accepted.function.config.type == "json":
        assert accepted.output_schema is not None, "a json function always has one"
        return Output(value=json_output(call.output, accepted.output_schema))
    return Output(
        content=chat_content(call.output, accepted.toolbox, calls_as_text=asked.calls_as_text)
    )


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


def answer_json(run: Run, accepted: Accepted, call: ModelCall, output: Output) -> dict[str, Any]:
    """The body of a plain answer."""
    request = accepted.request
    calls = run.journal.succeeded(call.variant_name)
    answer: dict[str, Any] = {
        "inference_id": run.inference_id,
        "episode_id": run.episode_id,
        "variant_name": call.variant_name,
    }
    if output.value is None:
        answer["content"] = output.content
    else:
        answer["output"] = output.value.to_json()
    answer["usage"] = usage_json(calls)
    if call.finish_reason is not None:
        answer["finish_reason"] = call.finish_reason
    if request.include_raw_usage:
        answer["raw_usage"] = [entry for each in calls for entry in each.raw_usage_entries()]
    if request.include_raw_response:
        answer["raw_response"] = run.journal.raw_responses()
    if request.include_original_response and call.raw_response is not None:
        answer["original_response"] = call.raw_response
    return answer


def _billed(call: ModelCall) -> Usage:
    return BILLED_NOTHING if call.cached else call.usage
