"""The plain way to an answer: render the input, ask the model, read what it says."""

from collections.abc import Awaitable

from lsd.conversation import ModelRequest
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.journal import ModelCall
from lsd.inference.model_request import calls_are_text, model_request
from lsd.inference.outputs import read_output
from lsd.inference.prepared import PreparedGeneration
from lsd.inference.routing import started_stream, whole_answer
from lsd.inference.run import Run
from lsd.inference.started_answer import StartedAnswer


def complete(run: Run, accepted: Accepted, generation: PreparedGeneration) -> Awaitable[Answer]:
    """A whole answer. Raises VariantFailed."""
    return ask(run, accepted, generation, model_request(accepted, generation))


def start_completion(
    run: Run, accepted: Accepted, generation: PreparedGeneration
) -> Awaitable[StartedAnswer]:
    """An answer whose stream has started. Raises VariantFailed."""
    return start_asking(run, accepted, generation, model_request(accepted, generation))


async def ask(
    run: Run, accepted: Accepted, generation: PreparedGeneration, asked: ModelRequest
) -> Answer:
    """The whole answer to a question that is already there. Raises VariantFailed."""
    call = await whole_answer(run, generation, asked)
    return answer_of(run, accepted, asked, call)


async def start_asking(
    run: Run, accepted: Accepted, generation: PreparedGeneration, asked: ModelRequest
) -> StartedAnswer:
    """The same as a stream that has started. Raises VariantFailed."""
    stream = await started_stream(run, generation, asked)
    call = stream.entry
    calls = run.journal.of_variant(call.variant_name)
    return StartedAnswer(
        variant_name=call.variant_name,
        stream=stream,
        call=call,
        preceding=tuple(each for each in calls if each is not call),
        calls_as_text=calls_are_text(asked),
        answer=lambda: answer_of(run, accepted, asked, call),
    )


def answer_of(run: Run, accepted: Accepted, asked: ModelRequest, call: ModelCall) -> Answer:
    """The answer that one call makes, with the failed ones before it."""
    # By position: keywords would cost more than all the rest.
    return Answer(
        call.variant_name,
        read_output(accepted, asked, call.answer.output),
        asked.params,
        call.answer.finish_reason,
        run.journal.of_variant(call.variant_name),
        call,
        call.first_chunk_at,
        call.status != "ok",
    )
