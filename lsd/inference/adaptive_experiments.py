"""The adaptive experiments of a process: which variant an episode has, and how things stand.

Requests only look up how an experiment stands. It is worked out in the background, from the
feedback that is in the store then, by one process for all of them.
"""

from collections.abc import Callable, Collection, Sequence
from random import Random, SystemRandom
from typing import Any

import attrs
import trio

from lsd.conversation import LsdError, reread_json
from lsd.experiments import (
    AdaptiveDraw,
    ArmCount,
    Choice,
    Standing,
    choose,
    draw_number,
    probabilities,
    standing_from_json,
    standing_json,
    standing_of,
)
from lsd.store import Assigned, Experiment, Leases, Standings, Store, Write, Writer, work_alone
from lsd.telemetry import Clock, SystemClock, logger, rfc3339_ms

log = logger(__name__)

TURNS = 1 << 32
"""What a draw without a store has for a counter: its number, as a whole one."""


@attrs.frozen(kw_only=True)
class KnownStanding:
    """How an experiment stands, and since when; `as_of_ms` is None if nobody has looked yet."""

    standing: Standing
    as_of_ms: int | None = None


@attrs.frozen
class ExperimentStore:
    """Where assignments and standings are kept, and feedback is summed up.

    The lease makes one process work out the standings for all.
    """

    store: Store
    writer: Writer
    leases: Leases


@attrs.define(eq=False, kw_only=True)
class AdaptiveExperiments:
    """The adaptive experiments of one configuration. One serves all requests of a process.

    Without a store they stay as they began: an episode's draw then depends on its id alone.
    """

    _draws: Sequence[AdaptiveDraw] = ()
    _kept: ExperimentStore | None = None
    _clock: Clock = attrs.Factory(SystemClock)
    _random: Random = attrs.Factory(SystemRandom)
    _read: dict[bytes, tuple[bytes, KnownStanding]] = attrs.field(factory=dict, init=False)

    async def choose(
        self, draw: AdaptiveDraw, episode_id: str, tried: Collection[str], *, is_dryrun: bool
    ) -> str | None:
        """The variant for an episode; None if none is left. `tried` have failed in this request.

        The first one of an episode is kept for all its requests, unless this is a dry run.
        """
        standing = self.standing(draw).standing
        if self._kept is None:
            number = draw_number(draw.function_name, episode_id)
            return _name(choose(draw, standing, tried, number=number, turn=int(number * TURNS)))
        experiment = _experiment(draw)
        if not tried:
            variants = (*draw.candidates, *draw.fallback)
            assigned = self._kept.store.assignments.get(experiment, episode_id)
            if assigned in variants:
                return assigned
            if not is_dryrun:
                return await self._assigned(self._kept, draw, standing, episode_id, variants)
        turn = self._kept.store.assignments.turn(experiment)
        return _name(choose(draw, standing, tried, number=self._random.random(), turn=turn))

    def assignment(self, draw: AdaptiveDraw, episode_id: str, variant_name: str) -> Write | None:
        """The write that gives an episode a variant drawn elsewhere, unless it has one already.

        It takes no turn. None: nothing is kept.
        """
        if self._kept is None:
            return None
        return self._kept.store.assignments.assign(
            _experiment(draw),
            episode_id,
            variants=(*draw.candidates, *draw.fallback),
            choose=lambda _turn: Assigned(variant_name=variant_name, takes_turn=False),
            learn=lambda _name: None,
        )

    def drawing(self, draw: AdaptiveDraw, episode_id: str) -> Write | None:
        """The write that draws an episode's variant, unless it has one already.

        None: nothing is kept.
        """
        if self._kept is None:
            return None
        return self._kept.store.assignments.assign(
            _experiment(draw),
            episode_id,
            variants=(*draw.candidates, *draw.fallback),
            choose=self._chooser(draw, self.standing(draw).standing),
            learn=lambda _name: None,
        )

    def standing(self, draw: AdaptiveDraw) -> KnownStanding:
        """How an experiment stands, by what was worked out last. A get."""
        if self._kept is None:
            return _untouched(draw)
        key = _key(draw)
        row = self._kept.store.standings.get(key)
        if row is None:
            return _untouched(draw)
        read, known = self._read.get(key, (None, None))
        if known is None or read != row:
            known = _known(reread_json(row))
            self._read[key] = (row, known)
        return known

    async def update(self) -> None:
        """Works out all standings now: for the start, before the first request."""
        for draw in self._draws:
            await self._update(draw)

    async def keep_up_to_date(self) -> None:
        """Works them out every `update_period_s` of theirs, unless another process does so.

        Runs until it is cancelled; returns at once if there is nothing to do.
        """
        if self._kept is not None and self._draws:
            await work_alone(self._kept.leases, "adaptive experiments", self._keep_all)

    async def _keep_all(self) -> None:
        async with trio.open_nursery() as nursery:
            for draw in self._draws:
                nursery.start_soon(self._keep_one, draw)

    async def _keep_one(self, draw: AdaptiveDraw) -> None:
        while True:
            await trio.sleep(draw.update_period_s)
            await self._update(draw)

    async def _update(self, draw: AdaptiveDraw) -> None:
        if self._kept is None:
            return
        now_ms = self._clock.now_ms()
        try:
            await trio.to_thread.run_sync(_work_out, self._kept.store, draw, now_ms)
        except Exception as error:
            log.error(  # noqa: TRY400 (the traceback is in exc_info, unless it tells nothing)
                "experiment not updated",
                function=draw.function_name,
                namespace=draw.namespace,
                reason=str(error),
                exc_info=None if isinstance(error, LsdError) else error,
            )

    async def _assigned(
        self,
        kept: ExperimentStore,
        draw: AdaptiveDraw,
        standing: Standing,
        episode_id: str,
        variants: Collection[str],
    ) -> str | None:
        learned: list[str] = []
        assign = self._chooser(draw, standing)
        write = kept.store.assignments.assign(
            _experiment(draw), episode_id, variants=variants, choose=assign, learn=learned.append
        )
        try:
            await kept.writer.commit(write)
        except LsdError as error:
            log.warning("variant not assigned", function=draw.function_name, reason=str(error))
            return assign(kept.store.assignments.turn(_experiment(draw))).variant_name
        return learned[-1]

    def _chooser(self, draw: AdaptiveDraw, standing: Standing) -> Callable[[int], Assigned]:
        """The choice for an episode, by the turn that it has when it is made."""
        number = self._random.random()

        def assign(turn: int) -> Assigned:
            choice = choose(draw, standing, (), number=number, turn=turn)
            assert choice is not None, "an experiment has candidates"
            return Assigned(variant_name=choice.variant, takes_turn=choice.is_turn)

        return assign


def standing_shown(draw: AdaptiveDraw, known: KnownStanding) -> dict[str, Any]:
    """How an experiment stands, as JSON for people and programs."""
    standing = known.standing
    return {
        "probabilities": probabilities(draw, standing),
        "experiment": {
            "phase": standing.phase,
            "winner": standing.winner,
            "as_of": None if known.as_of_ms is None else rfc3339_ms(known.as_of_ms),
            "arms": [attrs.asdict(arm) for arm in standing.arms],
        },
    }


def _experiment(draw: AdaptiveDraw) -> Experiment:
    return Experiment(function_name=draw.function_name, namespace=draw.namespace)


def _key(draw: AdaptiveDraw) -> bytes:
    return Standings.key(draw.function_name, draw.namespace, draw.settings)


def _name(choice: Choice | None) -> str | None:
    return None if choice is None else choice.variant


def _untouched(draw: AdaptiveDraw) -> KnownStanding:
    """How it stands as long as nothing is known."""
    arms = [ArmCount.of(variant, ()) for variant in draw.candidates]
    return KnownStanding(standing=standing_of(draw, arms))


def _known(row: Any) -> KnownStanding:
    return KnownStanding(standing=standing_from_json(row["standing"]), as_of_ms=row["as_of_ms"])


def _work_out(store: Store, draw: AdaptiveDraw, now_ms: int) -> None:
    """Works out a standing and stores it for all processes. In a thread."""
    standing = standing_of(draw, _arms(store, draw))
    row = {"as_of_ms": now_ms, "standing": standing_json(standing)}
    before = store.standings.put(_key(draw), row)
    if standing.winner is not None and len(draw.candidates) > 1:
        _announce(draw, standing, before)


def _arms(store: Store, draw: AdaptiveDraw) -> list[ArmCount]:
    """What feedback says of the candidates, in their order."""
    found = store.feedback_statistics.by_variant(
        draw.function_name,
        draw.metric_name,
        namespace=draw.namespace,
        max_samples=draw.max_samples_per_variant,
    )
    moments = {each.variant_name: each.moments for each in found}
    return [
        ArmCount.of(variant, ())
        if variant not in moments
        else ArmCount(
            variant=variant,
            count=moments[variant].count,
            mean=moments[variant].mean,
            variance=moments[variant].variance,
        )
        for variant in draw.candidates
    ]


def _announce(draw: AdaptiveDraw, standing: Standing, before: Any) -> None:
    """Tells of a winner once, with those that it has beaten."""
    if before is not None and before["standing"]["winner"] == standing.winner:
        return
    log.info(
        "experiment has a winner",
        function=draw.function_name,
        namespace=draw.namespace,
        metric=draw.metric_name,
        winner=standing.winner,
        arms={arm.variant: [arm.count, arm.mean] for arm in standing.arms},
    )
