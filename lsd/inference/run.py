"""What the layers of one inference in progress share."""

from collections.abc import Callable
from random import Random

import attrs

from lsd.access import CallLimits
from lsd.conversation import NO_EDITS, Edits, IdGenerator, ModelRequest
from lsd.inference.adaptive_experiments import AdaptiveExperiments
from lsd.inference.call_cache import CallCache
from lsd.inference.call_log import log_failed_call
from lsd.inference.example_memory import ExampleMemory
from lsd.inference.files import RunFiles
from lsd.inference.journal import CallStatus, Journal, ModelCall
from lsd.inference.limits import Limit
from lsd.inference.prepared import (
    Prepared,
    PreparedGeneration,
    PreparedModel,
    PreparedProvider,
    PreparedVariant,
)
from lsd.inference.refusals import VariantFailed
from lsd.inference.request import InferenceRequest
from lsd.inference.targeted_edits import EditTarget
from lsd.telemetry import Clock


@attrs.frozen
class Shared:
    """What all runs of a service have in common.

    `on_call_ended` hears of each call that is over.
    """

    prepared: Prepared
    ids: IdGenerator
    clock: Clock
    random: Random
    examples: ExampleMemory | None
    experiments: AdaptiveExperiments
    on_call_ended: Callable[[ModelCall], None]


@attrs.define(eq=False)
class Run:
    """One inference from its acceptance to its record.

    `streaming` is how providers are asked; `files` is None if the input has none, `limits` if no
    rate limit applies. A run within another is for a variant that works for `on_behalf_of`, whose
    answer its calls will be part of. `patience_s`: a stream that its provider has accepted counts
    as started after so long, whether it has said anything or not; None waits for ever.
    `first_variant` was drawn before; `first_provider` is the place in its model's routing at which
    the run begins. `is_timed` False: others have run it, at times that nobody knows.
    """

    episode_id: str
    inference_id: str
    request: InferenceRequest
    shared: Shared
    started_at: float
    streaming: bool
    cache: CallCache | None
    files: RunFiles | None
    limits: CallLimits | None
    journal: Journal
    on_behalf_of: str | None = None
    patience_s: float | None = None
    first_variant: PreparedVariant | None = None
    first_provider: int = 0
    is_timed: bool = True
    is_recorded: bool = False

    @property
    def outbound_limit(self) -> Limit:
        """What bounds every outbound request, whatever else does."""
        return self.shared.prepared.outbound_limit

    def within(
        self,
        on_behalf_of: str,
        *,
        request: InferenceRequest,
        cache: CallCache | None,
        streaming: bool = False,
        candidate: str | None = None,
    ) -> "Run":
        """A part of this run, with calls of its own, for the variant `on_behalf_of`.

        In parts of parts the outermost variant counts: it is the one that answers. `candidate` is
        the variant that runs in this part, if one does.
        """
        return attrs.evolve(
            self,
            request=request,
            cache=cache,
            streaming=streaming,
            journal=self.journal.part(candidate),
            on_behalf_of=self.on_behalf_of or on_behalf_of,
        )

    def begin_call(
        self,
        generation: PreparedGeneration,
        model: PreparedModel,
        provider: PreparedProvider,
        request: ModelRequest,
    ) -> ModelCall:
        """A new entry of the journal."""
        shared = self.shared
        # By position: keywords would cost as much as all the rest of it.
        call = ModelCall(
            shared.ids.new(),
            self.on_behalf_of or generation.variant_name,
            model.name,
            provider.name,
            provider.provider_type,
            provider.api_type,
            request,
            shared.clock.monotonic(),
        )
        self.journal.enter(call)
        return call

    def end_call(self, call: ModelCall, status: CallStatus, error: str | None = None) -> None:
        """Settles an entry of the journal."""
        shared = self.shared
        call.settle(status, shared.clock.monotonic(), error)
        shared.on_call_ended(call)

    def end_open_calls(self, status: CallStatus, error: str) -> None:
        """Settles what a timeout or the caller's leaving has cut off."""
        for call in self.journal.open_calls():
            self.end_call(call, status, error)
            if status == "error":
                log_failed_call(call, "timeout")

    def write_off(self, variant_name: str, failure: VariantFailed) -> None:
        """A variant has failed: none of the calls that were made for it is part of an answer."""
        self.journal.write_off(f'variant "{variant_name}": {failure}')

    def edits_for(
        self, generation: PreparedGeneration, model: PreparedModel, provider: PreparedProvider
    ) -> Edits:
        """All edits of one call, in the order in which they are made."""
        own = self.edits_beside(provider, generation, model)
        return self.edits_with(own, generation, provider)

    def edits_with(
        self, own: Edits, generation: PreparedGeneration, provider: PreparedProvider
    ) -> Edits:
        """The same, if `own` are those beside the provider's."""
        if own is NO_EDITS:
            return provider.edits
        own_body = len(generation.edits.body)
        own_headers = len(generation.edits.headers)
        body, headers = own.body, own.headers
        return Edits(
            body=(*body[:own_body], *provider.edits.body, *body[own_body:]),
            headers=(
                *headers[:own_headers],
                *provider.edits.headers,
                *headers[own_headers:],
            ),
        )

    def edits_beside(
        self, provider: PreparedProvider, generation: PreparedGeneration, model: PreparedModel
    ) -> Edits:
        """The edits that are not the provider's: those of the variant, then of the request."""
        request = self.request
        if not request.extra_body and not request.extra_headers:
            return generation.edits

        def applies(target: EditTarget) -> bool:
            return (
                target.variant_name in (None, generation.variant_name)
                and target.model_name in (None, model.name)
                and target.provider_name in (None, provider.name)
            )

        body = [each.edit for each in request.extra_body if applies(each.target)]
        headers = [each.edit for each in request.extra_headers if applies(each.target)]
        return Edits(
            body=(*generation.edits.body, *body), headers=(*generation.edits.headers, *headers)
        )
