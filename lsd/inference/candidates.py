"""The candidates of a variant that runs others: siblings of one nursery, each with its outcome."""

from collections.abc import Awaitable, Callable, Sequence
from random import Random

import attrs
import trio

from lsd.conversation import ModelMessage, Text, encode_json
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.journal import ModelCall
from lsd.inference.masking import masked
from lsd.inference.outputs import JsonOutput
from lsd.inference.prepared import PreparedVariant
from lsd.inference.refusals import CAUSES_BY_LIMITS, VariantFailed
from lsd.inference.request import Params
from lsd.inference.run import Run

RunVariant = Callable[[Run, Accepted, PreparedVariant], Awaitable[Answer]]
"""How a candidate is run: any type of variant may be one."""

SEPARATOR = "-" * 6
"""Stands between what a model is told by LSD and what others have written."""


@attrs.frozen(kw_only=True)
class Candidates:
    """What the candidates of the variant `of` have given: at least one answer.

    `answers` are in the order in which the candidates are listed; `failed` are the calls of those
    that gave none.
    """

    of: str
    answers: tuple[Answer, ...]
    failed: tuple[ModelCall, ...]

    def readable(self) -> list[int]:
        """The places of the answers that can be shown to a model: of JSON, those that fit."""
        return [place for place, answer in enumerate(self.answers) if _is_readable(answer)]

    def any_place(self, random: Random) -> int:
        """A place by chance; one that is readable, if there is one."""
        return random.choice(self.readable() or range(len(self.answers)))

    def chosen(
        self, place: int, *, deciding: ModelCall | None, judged_by: Sequence[ModelCall] = ()
    ) -> Answer:
        """The answer at `place` as that of the whole; `judged_by` are the calls that chose it."""
        answer = self.answers[place]
        others = (each for at, each in enumerate(self.answers) if at != place)
        return attrs.evolve(
            answer,
            variant_name=self.of,
            calls=(
                *self.failed,
                *answer.calls,
                *(call for other in others for call in other.calls),
                *judged_by,
            ),
            deciding=deciding,
        )

    def alone(self, place: int) -> Answer:
        """The answer at `place`, about which nobody had to be asked."""
        return self.chosen(place, deciding=self.answers[place].deciding)

    def listing(self, places: Sequence[int], *, head: str, request: str) -> ModelMessage:
        """The message that shows the answers at `places`, numbered anew, and ends in a request.

        `head` stands between a number and its answer.
        """
        shown = [
            f"{number}:{head}{_text_of(self.answers[place])}\n{SEPARATOR}"
            for number, place in enumerate(places)
        ]
        return ModelMessage(role="user", content=(Text(text="\n".join([*shown, request])),))


async def ask_candidates(
    run: Run, accepted: Accepted, variant: PreparedVariant, run_variant: RunVariant
) -> Candidates:
    """Runs all candidates at once, and waits for all. Raises VariantFailed when none answers."""
    names = variant.candidates
    request = attrs.evolve(accepted.request, params=Params(), stream=False)
    asked = attrs.evolve(accepted, request=request)
    runs = [
        run.within(
            variant.name,
            request=request,
            cache=None if run.cache is None else run.cache.for_candidate(place),
            candidate=name,
        )
        for place, name in enumerate(names)
    ]
    outcomes: dict[int, Answer | VariantFailed] = {}

    async def run_one(place: int) -> None:
        candidate = accepted.function.variants[names[place]]
        try:
            outcomes[place] = await run_variant(runs[place], asked, candidate)
        except VariantFailed as failure:
            runs[place].write_off(candidate.name, failure)
            outcomes[place] = failure

    async with trio.open_nursery() as nursery:
        for place in range(len(names)):
            nursery.start_soon(run_one, place)
    in_order = [outcomes[place] for place in range(len(names))]
    answers = tuple(each for each in in_order if isinstance(each, Answer))
    if not answers:
        raise _all_failed(names, [each for each in in_order if isinstance(each, VariantFailed)])
    return Candidates(
        of=variant.name,
        answers=answers,
        failed=tuple(
            call
            for each, journal in zip(in_order, (one.journal for one in runs), strict=True)
            if isinstance(each, VariantFailed)
            for call in journal.calls
        ),
    )


def _all_failed(names: Sequence[str], failures: Sequence[VariantFailed]) -> VariantFailed:
    keys = [f"candidates[{place}] ({name})" for place, name in enumerate(names)]
    told = zip(keys, failures, strict=True)
    return VariantFailed(
        last if (last := failures[-1].cause) in CAUSES_BY_LIMITS.values() else "candidates",
        "; ".join(f"{key}: {failure}" for key, failure in told),
        models=[
            {"candidate": key, "error": str(failure), "models": failure.models}
            for key, failure in zip(keys, failures, strict=True)
        ],
        failures=tuple(each for failure in failures for each in failure.failures),
    )


def _is_readable(answer: Answer) -> bool:
    return not isinstance(answer.output, JsonOutput) or answer.output.parsed is not None


def _text_of(answer: Answer) -> str:
    """What an answer says, without the keys that its provider may have repeated."""
    output = answer.output
    text = output.raw if isinstance(output, JsonOutput) else encode_json(output).decode()
    return masked(text or "", answer.echoed)
