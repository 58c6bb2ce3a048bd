"""Calls that a provider makes in a job of its own: what is asked, and what it has answered."""

from collections.abc import Mapping
from decimal import Decimal

import attrs

from lsd.config import ChatCompletionVariant
from lsd.conversation import JsonValue, ModelRequest, encode_json
from lsd.inference.accept import Accepted
from lsd.inference.answers import usage_json
from lsd.inference.cache_entries import answer_to_cache
from lsd.inference.chat_completion import answer_of
from lsd.inference.costs import CostTable, CostUnknown
from lsd.inference.ended import Answered
from lsd.inference.files import without_files
from lsd.inference.foreign_blocks import request_for
from lsd.inference.journal import ModelCall
from lsd.inference.model_request import model_request
from lsd.inference.prepared import PreparedModel, PreparedProvider, PreparedVariant
from lsd.inference.records import Recorder
from lsd.inference.run import Run
from lsd.providers import BatchAPI, ToolNames
from lsd.store import Write
from lsd.telemetry import logger

log = logger(__name__)

NO_TIER = "jobs of a batch API have no service tiers"

NO_CREDENTIALS: Mapping[str, str | None] = {"api_key": None}
"""A line in a file of requests has none: they go with the file."""


@attrs.frozen(kw_only=True)
class CallElsewhere:
    """One call of one provider, made for a variant that is one call, by way of a batch API."""

    run: Run
    accepted: Accepted
    variant: PreparedVariant
    model: PreparedModel
    provider: PreparedProvider
    api: BatchAPI

    async def body(self) -> bytes:
        """What the provider is to be asked, as it stands in a file of requests.

        Raises VariantFailed and AttemptFailed.
        """
        asked = self._asked()
        if asked.params.service_tier is not None:
            provider_type = self.provider.dialect.provider_type
            log.warning(NO_TIER, provider_type=provider_type, parameter="service_tier")
        return self._body(await self._whole(self._request(asked)))

    async def _whole(self, request: ModelRequest) -> ModelRequest:
        """With the bytes of its files. Raises AttemptFailed."""
        if self.run.files is None:
            return request
        return await self.run.files.for_provider(request, self.provider.dialect.forwards)

    def _body(self, request: ModelRequest) -> bytes:
        names = ToolNames.of(request, self.provider.dialect.provider_type)
        fitted = request if names is None else names.fitted(request)
        edits = self.run.edits_for(self.variant.generation, self.model, self.provider)
        wire = self.provider.dialect.encode(fitted, NO_CREDENTIALS, edits)
        return self.api.fitted(self.run.inference_id, wire.body)

    async def answered(self, recorder: Recorder, body: bytes, costs: CostTable | None) -> Answered:
        """The answer, of which `body` is what the provider has said; `costs` is what it costs.

        The cache keeps it, as if it had come by itself. Raises AttemptFailed for one that cannot be
        understood, and VariantFailed.
        """
        run, provider, asked = self.run, self.provider, self._asked()
        request = self._request(asked)
        response = self.api.reader.decode(200, {}, body)
        names = ToolNames.of(request, provider.dialect.provider_type)
        if names is not None:
            response = names.restored(response)
        call = await self._begin(request)
        call.take_raw_response(body.decode(errors="replace"), ())
        call.answer = response
        call.cost = None if costs is None else self._cost(costs, response.document)
        run.end_call(call, "ok")
        if run.cache is not None and run.cache.takes(call):
            edits = run.edits_beside(provider, self.variant.generation, self.model)
            await run.cache.keep(call, edits, answer_to_cache(call))
        answer = answer_of(run, self.accepted, asked, call)
        return Answered(
            variant_name=answer.variant_name,
            usage=encode_json(usage_json(answer.parts)),
            finish_reason=answer.finish_reason,
            records=recorder.answered(run, self.accepted, answer),
        )

    def _cost(self, costs: CostTable, document: JsonValue) -> Decimal | None:
        try:
            return costs.cost(document)
        except CostUnknown as unknown:
            log.warning(
                "cost not computable",
                model=self.model.name,
                provider=self.provider.name,
                reason=unknown.reason,
            )
            return None

    async def unanswered(
        self, recorder: Recorder, error: str, body: bytes | None = None
    ) -> Write | None:
        """What is to be stored of a call that has failed; `body` is what cannot be understood.

        Raises AttemptFailed and VariantFailed, as `body` does.
        """
        if not self.run.journal.calls:
            call = await self._begin(self._request(self._asked()))
            if body is not None:
                call.take_raw_response(body.decode(errors="replace"), ())
            self.run.end_call(call, "error", error)
        return recorder.attempts(self.run, self.accepted)

    async def _begin(self, request: ModelRequest) -> ModelCall:
        """The call in the journal, with what was sent."""
        whole = await self._whole(request)
        text = without_files(self._body(whole).decode(), whole)
        call = self.run.begin_call(self.variant.generation, self.model, self.provider, request)
        call.raw_request = text
        return call

    def _asked(self) -> ModelRequest:
        return model_request(self.accepted, self.variant.generation)

    def _request(self, asked: ModelRequest) -> ModelRequest:
        """What the provider is asked: no service tier, as a job has one of its own."""
        params = attrs.evolve(asked.params, service_tier=None)
        return request_for(
            attrs.evolve(asked, params=params),
            provider_type=self.provider.config.thought_type,
            model_name=self.model.name,
            provider_name=self.provider.name,
        )


def costs_elsewhere(provider: PreparedProvider) -> CostTable | None:
    """What such calls of a provider cost, as things are configured."""
    return CostTable.of(provider.config.batch_cost) or provider.cost


def call_elsewhere(
    run: Run, accepted: Accepted, variant: PreparedVariant, place: int = 0
) -> CallElsewhere | None:
    """The call of the provider at a place of the variant's routing; None if it is more than a body.

    So it is with other types of variants, with files that are to be fetched first, and with headers
    of the caller's own. None as well if that provider has no batch API.
    """
    config = variant.config
    if not isinstance(config, ChatCompletionVariant):
        return None
    if accepted.request.extra_headers:
        return None
    model = run.shared.prepared.model(config.model)
    api = None if model is None else model.providers[place].batches
    if model is None or api is None:
        return None
    provider = model.providers[place]
    files = run.files
    if files is not None and files.must_fetch(run.request.input, provider.dialect.forwards):
        return None
    return CallElsewhere(
        run=run,
        accepted=accepted,
        variant=variant,
        model=model,
        provider=provider,
        api=api,
    )
