"""What the providers that speak Anthropic's Messages have in common, and where they differ.

A *target* is one configured provider, an *encoding* one request on its way there.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import ChatCompletionParams, JsonValue
from lsd.providers._encoding import EncodingFor
from lsd.providers.claude_models import ClaudeFamily

STRUCTURED_OUTPUTS = "structured-outputs-2025-11-13"
"""The beta under which schemas for answers and tools came; today it is needed by old models."""

NO_EFFORT = "none"
"""The effort of a model that does not think, in the words of OpenAI."""

Body = dict[str, Any]
"""A JSON object of the wire that is being made."""

Received = Mapping[str, Any]
"""A JSON object of the wire that was received."""


@attrs.frozen(kw_only=True)
class Target:
    """One configured provider.

    `model` is what the provider calls the model; None: the URL says it. `body_version` goes into
    the body where there is no header for it. `model_name` and `provider_name` are the names in
    `lsd.toml`. `takes_schema`: the operator lets schemas for answers and tools be sent; `betas`
    are the values of `anthropic-beta` that he has asked for; `forwards_betas`: those of clients
    travel, too, with the fields that need them.
    """

    provider_type: str
    model: str | None
    body_version: str | None = None
    family: ClaudeFamily
    model_name: str
    provider_name: str
    provider_tools: tuple[JsonValue, ...] = ()
    takes_schema: bool
    takes_prefill: bool
    takes_service_tier: bool
    betas: tuple[str, ...] = ()
    forwards_betas: bool = True
    discard_unknown_chunks: bool = False

    @property
    def holds_to_schemas(self) -> bool:
        """Whether the model can be made to fit its answer into a schema."""
        return self.takes_schema and self.family.takes_output_schema


@attrs.define(eq=False)
class Encoding(EncodingFor[Target]):
    """One request that is being encoded for one target."""

    @property
    def is_translated(self) -> bool:
        """Whether a client has asked for all this in another language."""
        return self.request.client is not None

    @property
    def wants_thinking(self) -> bool:
        """Whether the model is asked to think before it answers."""
        return thinks(self.request.params)


def thinks(params: ChatCompletionParams) -> bool:
    """Whether a model with these parameters thinks before it answers."""
    effort = params.reasoning_effort
    return params.thinking_budget_tokens is not None or effort not in (None, NO_EFFORT)
