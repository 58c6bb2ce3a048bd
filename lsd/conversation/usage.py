"""What a model call used, and why it ended."""

from typing import Literal

from lsd.conversation.values import frozen

FinishReason = Literal["stop", "stop_sequence", "length", "tool_call", "content_filter", "unknown"]

ApiType = Literal["chat_completions", "responses", "embeddings", "other"]


@frozen
class Usage:
    """Tokens of one model call or of several. None: not reported, which is not 0.

    `reasoning_tokens` are among the output tokens, what was read from and written to the provider's
    cache among the input tokens.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    provider_cache_read_input_tokens: int | None = None
    provider_cache_write_input_tokens: int | None = None
    reasoning_tokens: int | None = None

    def plus(self, other: "Usage") -> "Usage":
        """The sum: unknown if either is unknown, but of the parts the reported ones."""
        return Usage(
            input_tokens=_sum_of_known(self.input_tokens, other.input_tokens),
            output_tokens=_sum_of_known(self.output_tokens, other.output_tokens),
            provider_cache_read_input_tokens=_sum_of_reported(
                self.provider_cache_read_input_tokens, other.provider_cache_read_input_tokens
            ),
            provider_cache_write_input_tokens=_sum_of_reported(
                self.provider_cache_write_input_tokens, other.provider_cache_write_input_tokens
            ),
            reasoning_tokens=_sum_of_reported(self.reasoning_tokens, other.reasoning_tokens),
        )

    def maximum(self, other: "Usage") -> "Usage":
        """The greater of each count, which suits cumulative and single reports of a stream."""
        return Usage(
            input_tokens=_greater(self.input_tokens, other.input_tokens),
            output_tokens=_greater(self.output_tokens, other.output_tokens),
            provider_cache_read_input_tokens=_greater(
                self.provider_cache_read_input_tokens, other.provider_cache_read_input_tokens
            ),
            provider_cache_write_input_tokens=_greater(
                self.provider_cache_write_input_tokens, other.provider_cache_write_input_tokens
            ),
            reasoning_tokens=_greater(self.reasoning_tokens, other.reasoning_tokens),
        )


def _sum_of_known(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _sum_of_reported(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def _greater(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
