"""How the types that speak OpenAI's chat completions differ, stated as data.

A *member* of the family is one provider type, a *target* one configured provider of it, an
*encoding* one request on its way there. What cannot be data is a function in a member's field;
None there means that the type does what the family does.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import attrs

from lsd.conversation import JsonValue, Thought, ThoughtChunk, Usage
from lsd.providers._encoding import EncodingFor
from lsd.providers.tool_call_ids import ToolCallIdRule

EVERY_TIER = frozenset({"auto", "default", "flex", "priority"})

Body = dict[str, Any]
"""A JSON object of the wire that is being made."""

Received = Mapping[str, Any]
"""A JSON object of the wire that was received."""


@attrs.frozen(kw_only=True)
class Member:
    """One provider type; the defaults are what most types do.

    What the caller set and the type does not take is left out with a warning. Only
    `parallel_tool_calls` and `stream_options` go silently: nobody misses them.
    """

    provider_type: str
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    headers: Mapping[str, str] = attrs.field(factory=dict)

    token_limit_keys: tuple[str, ...] = ("max_tokens",)
    seed_key: str | None = "seed"
    takes_reasoning_effort: bool = True
    takes_thinking_budget: bool = False
    takes_top_k: bool = False
    takes_user: bool = False
    """Whether the caller's own user is named; others refuse the field, or make no use of it."""
    takes_verbosity: bool = False
    service_tiers: frozenset[str] = frozenset()
    takes_stream_options: bool = True

    takes_custom_tools: bool = False
    takes_strict_tools: bool = True
    takes_allowed_tools: bool = False
    """Whether the names that may be called are sent; else only the tools of these names are."""
    takes_parallel_tool_calls: bool = True
    tool_call_ids: ToolCallIdRule = "any"

    adds_json_instruction: bool = False
    """Whether plain JSON mode needs the word JSON somewhere in the conversation."""
    response_format: "Callable[[Encoding], Body | None] | None" = None
    """Called where JSON is wanted."""

    takes_image_detail: bool = False
    takes_cache_marks: bool = False
    """Whether marks for the prompt cache are handed on, in the words of Anthropic."""
    takes_images_only: bool = False
    """Whether every inlined file is sent as if it were an image."""
    always_has_content: bool = False
    """Whether an assistant message without content says so by null."""
    reasoning_key: str = "reasoning_content"
    """Where an assistant message carries its thoughts back."""
    takes_thoughts_without_text: bool = False
    """Whether a signature or a summary alone is worth sending back."""
    put_thoughts: "Callable[[Body, list[Thought], Encoding], None] | None" = None
    arrange_messages: "Callable[[list[Body], Encoding], list[Body]] | None" = None
    finish_body: "Callable[[Body, Encoding], None] | None" = None

    takes_back_thoughts: bool = True
    """Whether a relayed turn may hold what the model has thought."""
    takes_details: bool = False
    """Whether thoughts come back as OpenRouter's details, and marks for the cache are known."""
    finishes_relayed: bool = True
    """Whether `finish_body` suits a body that the client itself has written."""

    read_thoughts: "Callable[[Received, Target], list[ThoughtChunk]] | None" = None
    has_thinking_parts: bool = False
    streams_tool_calls: bool = True
    find_usage: Callable[[Received], JsonValue] | None = None
    """The usage object in a body or an event, if it does not simply lie at `usage`."""
    read_usage: Callable[[Received, Mapping[str, str]], Usage] | None = None
    """The counts in a usage object; the answer's headers may hold more."""
    code_statuses: Mapping[str, int] = attrs.field(factory=dict)
    """The HTTP statuses for which the type's own words for errors stand."""


@attrs.frozen(kw_only=True)
class Target:
    """One configured provider.

    `base` is the URL that `path` and `query` go on from; None: it comes with the credentials, as
    `endpoint`, from `base_source`. `model` is what the provider calls the model; None: the URL says
    it. `model_name` and `provider_name` are the names in `lsd.toml`.
    """

    member: Member
    base: str | None
    base_source: str = "api_base"
    path: str = "chat/completions"
    query: str = ""
    model: str | None
    model_name: str
    provider_name: str
    parse_think_blocks: bool = False
    discard_unknown_chunks: bool = False
    content_type_overrides: Mapping[str, str] = attrs.field(factory=dict)
    reasoning_format: str | None = None
    prompt_mode: str | None = None
    provider_tools: tuple[JsonValue, ...] = ()
    """Tools that run at the provider, in its own words."""
    include_encrypted_reasoning: bool = False
    thought_mark: str | None = None
    random: Random
    provider_type: str = attrs.field(init=False)
    """The `type` of the provider."""
    thought_type: str = attrs.field(init=False)
    """What thoughts are marked with: that of the provider, unless it hosts several kinds."""

    @provider_type.default
    def _type_of_member(self) -> str:
        return self.member.provider_type

    @thought_type.default
    def _mark_or_type(self) -> str:
        return self.thought_mark or self.member.provider_type


@attrs.define(eq=False)
class Encoding(EncodingFor[Target]):
    """One request that is being encoded for one target."""

    @property
    def member(self) -> Member:
        """The target's provider type."""
        return self.target.member

    @property
    def is_translated(self) -> bool:
        """Whether a client has asked for all this in another language."""
        return self.request.client is not None
