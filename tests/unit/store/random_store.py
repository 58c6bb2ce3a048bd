"""A store filled at random, and the same without a store."""

from decimal import Decimal
from random import Random

import attrs

from lsd.store import Store
from tests.unit.store.makers import Maker, given, stored
from tests.unit.store.plain import Plain


@attrs.define(eq=False)
class Filler:
    """Fills a store; the same seed gives the same records."""

    random: Random
    make: Maker = attrs.field(factory=Maker)
    plain: Plain = attrs.field(factory=Plain)
    episodes: list[str] = attrs.field(factory=list)

    def fill(self, store: Store, count: int) -> None:
        """So many inferences over some days, and as many entries of feedback."""
        for _ in range(count):
            self.make.clock.advance_s(self.random.choice([0, 1, 61, 3_601, 40_000]))
            self.inference(store)
            self.feedback(store)

    def inference(self, store: Store) -> None:
        """One of two functions, two variants, with up to two calls."""
        choose = self.random.choice
        if not self.episodes or self.random.random() < 0.6:
            self.episodes.append(self.make.id())
        record = self.make.inference(
            episode_id=choose(self.episodes[-5:]),
            function_name=choose(["haiku", "triage"]),
            variant_name=choose(["terse", "terse", "warm"]),
            tags=choose([{}, {"lsd::namespace": "blue"}, {"lsd::namespace": "green"}]),
            processing_time_ms=choose([None, 0, 5, 800]),
            ttft_ms=choose([None, 3]),
        )
        calls = [
            self.make.call(
                record.inference_id,
                model_name=choose(["gpt", "claude"]),
                input_tokens=choose([None, 3]),
                cost=choose([None, Decimal("0.002")]),
                response_time_ms=choose([None, 7, 70]),
                cached=choose([False, False, True]),
            )
            for _ in range(choose([0, 1, 2]))
        ]
        self.plain.inferences[record.inference_id] = stored(store, record, *calls)
        self.plain.calls[record.inference_id] = calls

    def feedback(self, store: Store) -> None:
        """On an inference or its episode, a boolean or a number, mostly of the same metric."""
        record = self.random.choice(list(self.plain.inferences.values())[-8:])
        is_on_episode = self.random.random() < 0.5
        is_boolean = self.random.random() < 0.5
        value = self.random.choice([True, False]) if is_boolean else self.random.gauss(0, 3)
        entry = self.make.feedback(
            record.episode_id if is_on_episode else record.inference_id,
            target_type="episode" if is_on_episode else "inference",
            kind="boolean" if is_boolean else "float",
            metric_name=("of_episode" if is_on_episode else "of_inference"),
            value=value,
        )
        self.plain.feedback.setdefault(entry.target_id, []).append(given(store, entry))
