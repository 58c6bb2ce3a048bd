"""Answers without a word: legal, and worth a line in the log."""

from lsd.conversation import ModelResponse
from lsd.telemetry import logger

log = logger(__name__)


def told_if_empty(response: ModelResponse, provider_type: str) -> ModelResponse:
    """The response itself; a warning goes to the log if nothing is in it."""
    if not response.output:
        log.warning(
            "provider gave an empty answer",
            provider_type=provider_type,
            finish_reason=response.finish_reason,
        )
    return response
