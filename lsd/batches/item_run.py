"""One run of one item: from its stored request, through the inference service, to an outcome."""

from collections.abc import Callable

import attrs

from lsd.batches.held_credentials import HeldCredentials
from lsd.batches.outcomes import Decider, failed_with
from lsd.batches.refusals import NotConfiguredAnyMore
from lsd.conversation import LsdError, reread_json
from lsd.inference import (
    DEFAULT_FUNCTION,
    Accepted,
    InferenceRequest,
    InferenceService,
    Prepared,
    structure_inference_request,
)
from lsd.store import BatchItem, ClaimedItem, ItemError, Write
from lsd.telemetry import logger

log = logger(__name__)

BUG = ItemError(status=500, message="internal error; the log tells more")


@attrs.frozen(kw_only=True)
class ItemRunner:
    """Runs items that this process has claimed. `now_ms` tells milliseconds since 1970."""

    inferences: InferenceService
    credentials: HeldCredentials
    decider: Decider
    now_ms: Callable[[], int]

    async def run(self, claimed: ClaimedItem) -> tuple[BatchItem, Write | None]:
        """The item after the run, and the records of its inference if it has ended.

        Raises nothing: what goes wrong with one item is its own failure. Nothing is left of a run
        that is cancelled.
        """
        item = claimed.item
        try:
            accepted = self.accepted(item, claimed.request, claimed.api_key_public_id)
            ended = await self.inferences.run_under(
                item.inference_id,
                accepted,
                first_variant=accepted.function.variants.get(item.first_variant or ""),
                first_provider=item.first_provider,
            )
        except LsdError as error:
            return self.decider.failed(item, error, self.now_ms()), None
        except Exception as error:  # noqa: BLE001 (a bug met by one item must not stop the others)
            log_bug("a batch item met a bug", error, inference_id=item.inference_id)
            return failed_with(item, BUG, self.now_ms()), None
        after = self.decider.after(item, ended, self.now_ms())
        # What is run again has no inference yet, and attempts are recorded once for each.
        return after, None if after.state == "pending" else ended.records

    def accepted(
        self, item: BatchItem, stored_request: bytes, api_key_public_id: str | None
    ) -> Accepted:
        """The plan of an item, as things are configured. Raises what keeps it from running."""
        prepared = self.inferences.prepared
        fields = reread_json(stored_request)
        fields |= self.credentials.fields_for(item.inference_id)
        fields["episode_id"] = item.episode_id
        request = structure_inference_request(fields)
        _check_still_configured(item, request, prepared)
        accepted = self.inferences.accept(request, api_key_public_id)
        if item.drawn_variant is None:
            return accepted
        return attrs.evolve(accepted, drawn=accepted.function.variants[item.drawn_variant])


def log_bug(event: str, error: Exception, **ids: str) -> None:
    """Tells what only the log may tell; `ids` say of what."""
    log.error(event, exc_info=error, **ids)


def _check_still_configured(item: BatchItem, request: InferenceRequest, prepared: Prepared) -> None:
    """Raises NotConfiguredAnyMore."""
    if request.model_name is not None:
        if prepared.model(request.model_name) is None:
            raise NotConfiguredAnyMore("model", request.model_name)
        return
    assert item.function_name != DEFAULT_FUNCTION, "an item without a model has a function"
    function = prepared.functions.get(item.function_name)
    if function is None or function.config.type != item.function_type:
        raise NotConfiguredAnyMore("function", item.function_name)
    for variant in (request.variant_name, item.drawn_variant):
        if variant is not None and variant not in function.variants:
            raise NotConfiguredAnyMore("variant", variant)
