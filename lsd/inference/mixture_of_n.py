"""`mixture_of_n`: several variants answer, and a model writes one answer out of theirs."""

import attrs

from lsd.conversation import ModelRequest
from lsd.inference.accept import Accepted
from lsd.inference.answer_replay import replay
from lsd.inference.answers import Answer
from lsd.inference.candidates import SEPARATOR, Candidates, RunVariant, ask_candidates
from lsd.inference.chat_completion import ask, start_asking
from lsd.inference.journal import ModelCall
from lsd.inference.model_request import model_request
from lsd.inference.prepared import PreparedVariant
from lsd.inference.refusals import VariantFailed
from lsd.inference.request import Params
from lsd.inference.run import Run
from lsd.inference.started_answer import StartedAnswer
from lsd.telemetry import logger

log = logger(__name__)

INSTRUCTIONS = """\
Several models have answered the conversation that follows; its last message, which is not part \
of it, lists their answers. Judge these answers critically: some of them may be wrong or biased. \
Write the one answer that the conversation should get, better than each of them. Do not merely \
copy one, and do not speak of the answers that you were given."""

TASK = """\
The models were instructed as follows, and so are you:
{separator}
{system}
{separator}"""

REQUEST = "Write the better answer."


async def mixture_of_n(
    run: Run, accepted: Accepted, variant: PreparedVariant, run_variant: RunVariant
) -> Answer:
    """The fuser's answer, or any candidate's if it has none. Raises VariantFailed."""
    candidates = await ask_candidates(run, accepted, variant, run_variant)
    if len(candidates.answers) == 1:
        return candidates.alone(0)
    fusing, narrowed = _for_fuser(run, accepted, variant)
    try:
        asked = _question(narrowed, variant, candidates)
        fused = await ask(fusing, narrowed, variant.generation, asked)
    except VariantFailed as failure:
        return _any(run, accepted, candidates, fusing, failure)
    return _with(candidates, fused)


async def start_mixture_of_n(
    run: Run, accepted: Accepted, variant: PreparedVariant, run_variant: RunVariant
) -> StartedAnswer:
    """The same as a stream: the fuser's own, or a whole answer in one chunk.

    Raises VariantFailed.
    """
    candidates = await ask_candidates(run, accepted, variant, run_variant)
    if len(candidates.answers) == 1:
        return replay(candidates.alone(0), run.shared.clock.monotonic())
    fusing, narrowed = _for_fuser(run, accepted, variant)
    try:
        asked = _question(narrowed, variant, candidates)
        started = await start_asking(fusing, narrowed, variant.generation, asked)
    except VariantFailed as failure:
        answer = _any(run, accepted, candidates, fusing, failure)
        return replay(answer, run.shared.clock.monotonic())
    return attrs.evolve(
        started,
        preceding=(*candidates.failed, *started.preceding, *_calls(candidates)),
        answer=lambda: _with(candidates, started.answer()),
    )


def _for_fuser(run: Run, accepted: Accepted, variant: PreparedVariant) -> tuple[Run, Accepted]:
    """The fuser takes its own parameters and edits, not those of the request."""
    request = attrs.evolve(accepted.request, params=Params(), extra_body=(), extra_headers=())
    fusing = run.within(variant.name, request=request, cache=run.cache, streaming=run.streaming)
    return fusing, attrs.evolve(accepted, request=request)


def _question(accepted: Accepted, variant: PreparedVariant, candidates: Candidates) -> ModelRequest:
    """The request of the function itself, with the candidates behind it. Raises VariantFailed."""
    places = candidates.readable()
    if not places:
        raise VariantFailed("candidates", "no candidate's output fits the schema")
    asked = model_request(accepted, variant.generation)
    system = INSTRUCTIONS
    if asked.system is not None:
        task = TASK.format(separator=SEPARATOR, system=asked.system)
        system = f"{INSTRUCTIONS}\n{task}"
    listing = candidates.listing(places, head="\n", request=REQUEST)
    return attrs.evolve(asked, system=system, messages=(*asked.messages, listing))


def _with(candidates: Candidates, fused: Answer) -> Answer:
    """The fuser's answer as that of the whole."""
    return attrs.evolve(fused, calls=(*candidates.failed, *fused.calls, *_calls(candidates)))


def _any(
    run: Run,
    accepted: Accepted,
    candidates: Candidates,
    fusing: Run,
    failure: VariantFailed,
) -> Answer:
    log.warning(
        "no answer of the fuser; a candidate is picked at random",
        function=accepted.function.name,
        variant=candidates.of,
        reason=str(failure),
    )
    place = run.shared.random.randrange(len(candidates.answers))
    return candidates.chosen(place, deciding=None, judged_by=fusing.journal.calls)


def _calls(candidates: Candidates) -> tuple[ModelCall, ...]:
    return tuple(call for answer in candidates.answers for call in answer.calls)
