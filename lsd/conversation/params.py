"""Sampling parameters of a chat completion, and how two sets of them merge."""

from typing import Literal

import attrs

from lsd.conversation.values import frozen

JsonMode = Literal["off", "on", "strict", "tool"]
ServiceTier = Literal["auto", "default", "priority", "flex"]


@frozen(kw_only=True)
class ChatCompletionParams:
    """What steers the model; None is not sent."""

    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop_sequences: tuple[str, ...] | None = None
    json_mode: JsonMode | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    service_tier: ServiceTier | None = None
    thinking_budget_tokens: int | None = None

    def over(self, beneath: "ChatCompletionParams") -> "ChatCompletionParams":
        """These values where they are set, those of `beneath` elsewhere."""
        if self is UNSET_PARAMS or self == UNSET_PARAMS:
            return beneath
        return ChatCompletionParams(
            **{
                name: mine if (mine := getattr(self, name)) is not None else getattr(beneath, name)
                for name in PARAM_NAMES
            }
        )

    def set_values(self) -> dict[str, object]:
        """Only what is set, by name."""
        if self is UNSET_PARAMS:
            return {}
        return {name: value for name in PARAM_NAMES if (value := getattr(self, name)) is not None}


PARAM_NAMES = tuple(field.name for field in attrs.fields(ChatCompletionParams))
UNSET_PARAMS = ChatCompletionParams()
