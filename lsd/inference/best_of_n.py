"""`best_of_n_sampling`: several variants answer, and a model chooses among their answers."""

from collections.abc import Sequence

import attrs

from lsd.conversation import (
    JsonValue,
    LsdError,
    ModelRequest,
    NotJson,
    OutputBlock,
    Text,
    ToolCall,
    decode_json,
)
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.candidates import SEPARATOR, Candidates, RunVariant, ask_candidates
from lsd.inference.journal import ModelCall
from lsd.inference.prepared import PreparedGeneration, PreparedVariant
from lsd.inference.refusals import VariantFailed
from lsd.inference.routing import whole_answer
from lsd.inference.run import Run
from lsd.inference.toolbox import forced_tool
from lsd.telemetry import logger

log = logger(__name__)

CHOICE_SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "thinking": {"type": "string", "description": "How the candidates compare"},
        "answer_choice": {"type": "integer", "description": "The number of the best candidate"},
    },
    "required": ["thinking", "answer_choice"],
    "additionalProperties": False,
}

INSTRUCTIONS = """\
This is a re-ranking task: several candidate answers to one problem are to be compared, and the \
best of them is to be found. Do not solve the problem yourself.
{problem}
The messages that follow are the conversation which the candidates continue. The last message is \
not part of it: it lists the candidate answers, each behind its number.
Reason first: compare how correct, complete and useful the candidates are. Then choose one. Answer \
with a JSON object with two keys: "thinking", a string with your reasoning, and "answer_choice", \
the number of the best candidate, an integer from 0 to {last}."""

PROBLEM = """\
The system that answers the problem was instructed as follows:
{separator}
{system}
{separator}"""

REQUEST = "Which of these candidates is the best answer? Give its number."


@attrs.frozen
class _Unusable(LsdError):
    """The evaluator's answer chooses nothing."""

    reason: str

    def __str__(self) -> str:
        return self.reason


async def best_of_n(
    run: Run, accepted: Accepted, variant: PreparedVariant, run_variant: RunVariant
) -> Answer:
    """The best of the candidates' answers, or any if nobody can tell. Raises VariantFailed."""
    candidates = await ask_candidates(run, accepted, variant, run_variant)
    if len(candidates.answers) == 1:
        return candidates.alone(0)
    places = candidates.readable()
    if len(places) == 1:
        return candidates.alone(places[0])
    request = attrs.evolve(accepted.request, extra_body=(), extra_headers=())
    cache = None if run.cache is None else run.cache.for_json()
    judging = run.within(variant.name, request=request, cache=cache)
    call: ModelCall | None = None
    try:
        question = _question(accepted, variant.generation, candidates, places)
        call = await whole_answer(judging, variant.generation, question)
        place = places[choice_of(call.answer.output, len(places))]
    except (VariantFailed, _Unusable) as failure:
        log.warning(
            "no choice of the evaluator; a candidate is picked at random",
            function=accepted.function.name,
            variant=variant.name,
            reason=str(failure),
        )
        place = candidates.any_place(run.shared.random)
    return candidates.chosen(place, deciding=call, judged_by=judging.journal.calls)


def choice_of(blocks: Sequence[OutputBlock], count: int) -> int:
    """The number, below `count`, that an evaluator has chosen. Raises _Unusable."""
    said = next((each for each in blocks if isinstance(each, Text | ToolCall)), None)
    if said is None:
        raise _Unusable("found no text and no tool call in its answer")
    try:
        value = decode_json(said.text if isinstance(said, Text) else said.arguments)
    except NotJson as error:
        raise _Unusable(f"found no JSON in its answer: {error}") from None
    choice = value.get("answer_choice") if isinstance(value, dict) else None
    if type(choice) is not int or not 0 <= choice < count:
        raise _Unusable(f"found answer_choice {choice!r}; wanted an integer from 0 to {count - 1}")
    return choice


def _question(
    accepted: Accepted,
    evaluator: PreparedGeneration,
    candidates: Candidates,
    places: Sequence[int],
) -> ModelRequest:
    """Raises VariantFailed, and _Unusable if there is nothing to choose from."""
    if not places:
        raise _Unusable("no candidate's output fits the schema")
    system, messages = evaluator.prompts.render(accepted.request.input)
    problem = "" if system is None else PROBLEM.format(separator=SEPARATOR, system=system)
    params = evaluator.config.params
    is_forced = params.json_mode == "tool"
    return ModelRequest(
        system=INSTRUCTIONS.format(problem=problem, last=len(places) - 1),
        messages=(*messages, candidates.listing(places, head=" ", request=REQUEST)),
        tools=forced_tool(CHOICE_SCHEMA) if is_forced else None,
        params=params,
        json_mode="off" if is_forced else params.json_mode or "strict",
        output_schema=CHOICE_SCHEMA,
        is_all_json=True,
    )
