"""What the layers of one inference in progress share."""

from collections.abc import Callable
from random import Random

import attrs

from lsd.conversation import NO_EDITS, Edits, IdGenerator, ModelRequest
from lsd.inference.call_cache import CallCache
from lsd.inference.files import RunFiles
from lsd.inference.journal import CallStatus, Journal, ModelCall
from lsd.inference.limits import Limit
from lsd.inference.prepared import Prepared, PreparedModel, PreparedProvider, PreparedVariant
from lsd.inference.request import InferenceRequest
from lsd.inference.targeted_edits import EditTarget
from lsd.telemetry import Clock


@attrs.define(eq=False, kw_only=True)
class Run:
    """One inference from its acceptance to its record.

    `streaming` is how providers are asked; `files` is None if the input has none; `on_call_ended`
    hears of each call that is over.
    """

    inference_id: str
    episode_id: str
    request: InferenceRequest
    prepared: Prepared
    ids: IdGenerator
    clock: Clock
    random: Random
    streaming: bool
    started_at: float
    cache: CallCache | None = None
    files: RunFiles | None = None
    journal: Journal = attrs.field(factory=Journal)
    on_call_ended: Callable[[ModelCall], None] | None = None
    is_recorded: bool = False

    @property
    def outbound_limit(self) -> Limit:
        """What bounds every outbound request, whatever else does."""
        return self.prepared.outbound_limit

    def begin_call(
        self,
        variant: PreparedVariant,
        model: PreparedModel,
        provider: PreparedProvider,
        request: ModelRequest,
    ) -> ModelCall:
        """A new entry of the journal."""
        call = ModelCall(
            id=self.ids.new(),
            variant_name=variant.name,
            model_name=model.name,
            provider_name=provider.name,
            provider_type=provider.dialect.provider_type,
            api_type=provider.dialect.api_type,
            request=request,
            started_at=self.clock.monotonic(),
        )
        self.journal.calls.append(call)
        return call

    def end_call(self, call: ModelCall, status: CallStatus, error: str | None = None) -> None:
        """Settles an entry of the journal."""
        call.settle(status, self.clock.monotonic(), error)
        self.hear_end(call)

    def hear_end(self, call: ModelCall) -> None:
        """Tells whoever counts that a call is over."""
        if self.on_call_ended is not None:
            self.on_call_ended(call)

    def end_open_calls(self, status: CallStatus, error: str) -> None:
        """Settles what a timeout or the caller's leaving has cut off."""
        for call in self.journal.open_calls():
            self.end_call(call, status, error)

    def edits_for(
        self, variant: PreparedVariant, model: PreparedModel, provider: PreparedProvider
    ) -> Edits:
        """All edits of one call, in the order in which they are made."""
        own = self.edits_beside(provider, variant, model)
        if own is NO_EDITS:
            return provider.edits
        variant_body = len(variant.edits.body)
        variant_headers = len(variant.edits.headers)
        body, headers = own.body, own.headers
        return Edits(
            body=(*body[:variant_body], *provider.edits.body, *body[variant_body:]),
            headers=(
                *headers[:variant_headers],
                *provider.edits.headers,
                *headers[variant_headers:],
            ),
        )

    def edits_beside(
        self, provider: PreparedProvider, variant: PreparedVariant, model: PreparedModel
    ) -> Edits:
        """The edits that are not the provider's: those of the variant, then of the request."""

        def applies(target: EditTarget) -> bool:
            return (
                target.variant_name in (None, variant.name)
                and target.model_name in (None, model.name)
                and target.provider_name in (None, provider.name)
            )

        request = self.request
        if not request.extra_body and not request.extra_headers:
            return variant.edits
        body = [each.edit for each in request.extra_body if applies(each.target)]
        headers = [each.edit for each in request.extra_headers if applies(each.target)]
        return Edits(body=(*variant.edits.body, *body), headers=(*variant.edits.headers, *headers))
