"""The rows of one submission, checked as `/inference` would, and made into items with a variant."""

from collections import Counter
from typing import Any

import attrs

from lsd.batches.native_jobs import NativeWork
from lsd.batches.native_lines import NativeLine, is_native, native_line
from lsd.batches.submission import check_fit, secrets_of, without_secrets
from lsd.conversation import encode_json
from lsd.inference import (
    Accepted,
    InferenceFailed,
    InferenceService,
    PreparedVariant,
    VariantFailed,
    assignment_of,
    drawing_of,
    drawn_variant,
    structure_inference_request,
)
from lsd.store import BatchItem, NewItem, Write


@attrs.define(eq=False, kw_only=True)
class Checking:
    """Checks one row after the other.

    `native` is None where no provider is to run jobs. `shard` is this process among the workers.
    `draws_once`: all rows have the variant that was drawn for the first.
    """

    inferences: InferenceService
    native: NativeWork | None
    shard: int
    draws_once: bool
    api_key_public_id: str | None
    asked: Counter[tuple[str, str | None]] = attrs.field(factory=Counter, init=False)
    """Items by function and model."""
    lines: dict[int, NativeLine] = attrs.field(factory=dict, init=False)
    """Of the items that a provider is to run in a job of its own."""
    assignments: list[Write] = attrs.field(factory=list, init=False)
    """What keeps the variants of episodes, and draws them where it can wait for the commit."""
    failures: list[InferenceFailed] = attrs.field(factory=list, init=False)
    """Of the items that have failed already."""
    _drawn: str | None = attrs.field(default=None, init=False)

    @property
    def has_drawn_once(self) -> bool:
        """Whether all items have a variant that was drawn for the first."""
        return self._drawn is not None

    async def check(self, index: int, row: Any) -> NewItem:
        """The item of a row. Raises what the row alone would be answered."""
        request = structure_inference_request(row)
        check_fit(request)
        accepted = self.inferences.accept(request, self.api_key_public_id)
        self.asked[accepted.function.name, request.model_name] += 1
        episode_id = accepted.episode_id or self.inferences.ids.new()
        variant = await self._variant(accepted, episode_id)
        # One drawn for a row gives way to others when it fails; one drawn for all rows does not.
        drawn = variant.name if variant is not None and accepted.pinned is None else None
        item = BatchItem(
            inference_id=self.inferences.ids.new(),
            episode_id=episode_id,
            function_name=accepted.function.name,
            function_type=accepted.function.config.type,
            model_name=None if variant is None else variant.generation.config.model,
            drawn_variant=drawn if self.draws_once else None,
            first_variant=None if self.draws_once else drawn,
            holder=self.shard if secrets_of(row) else None,
        )
        if variant is not None:
            item = await self._maybe_native(index, item, accepted, variant)
        return NewItem(item=item, request=_exactly(encode_json(without_secrets(row))))

    async def _variant(self, accepted: Accepted, episode_id: str) -> PreparedVariant | None:
        """The variant that is run first; None: the commit of the batch will tell, or the run."""
        if accepted.pinned is not None:
            return accepted.pinned
        if self.draws_once:
            return await self._variant_for_all(accepted, episode_id)
        if accepted.drawn is not None:
            return accepted.drawn
        experiments = self.inferences.experiments
        drawing = drawing_of(accepted, episode_id, experiments)
        if drawing is not None and not self._may_be_native(accepted):
            # A commit for each of many draws would take its time: they go with the batch.
            self.assignments.append(drawing)
            return None
        return await drawn_variant(accepted, episode_id, experiments)

    async def _variant_for_all(self, accepted: Accepted, episode_id: str) -> PreparedVariant | None:
        experiments = self.inferences.experiments
        if self._drawn is None:
            variant = await drawn_variant(accepted, episode_id, experiments)
            if variant is None:
                return None
            self._drawn = variant.name
        assignment = assignment_of(accepted, episode_id, self._drawn, experiments)
        if assignment is not None:
            self.assignments.append(assignment)
        return accepted.function.variants[self._drawn]

    def _may_be_native(self, accepted: Accepted) -> bool:
        """Whether a variant of the function is one that a provider may run in jobs."""
        if self.native is None:
            return False
        variants = accepted.function.variants.values()
        return any(is_native(self.inferences.prepared, each) for each in variants)

    async def _maybe_native(
        self, index: int, item: BatchItem, accepted: Accepted, variant: PreparedVariant
    ) -> BatchItem:
        """The item; its variant is fixed if its provider is to run it in a job of its own."""
        if self.native is None or not is_native(self.inferences.prepared, variant):
            return item
        try:
            line = await native_line(self.inferences, item, accepted, variant)
        except VariantFailed as cause:
            text = f'variant "{variant.name}": {cause}'
            failure = InferenceFailed(cause.cause, text, pinned=accepted.pinned is not None)
            self.failures.append(failure)
            decider = self.native.submission.runner.decider
            return decider.failed(item, failure, self.inferences.clock.now_ms())
        if line is None:
            return item
        self.lines[index] = line
        return item if accepted.pinned else attrs.evolve(item, drawn_variant=variant.name)


def _exactly(text: bytes) -> bytes:
    """The same in as many bytes as it has: what orjson gives keeps 4 KiB, however short it is.

    A hundred thousand requests would wait for their commit in 400 MB instead of 20.
    """
    return bytes(memoryview(text))
