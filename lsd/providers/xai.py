"""xAI: reasoning tokens beside the completion's, or inside them."""

from collections.abc import Mapping

import attrs

from lsd.conversation import Usage
from lsd.providers._openai_delta import usage_of
from lsd.providers._openai_family import Member, Received
from lsd.providers._token_counts import count_of


def _read_usage(usage: Received, _: Mapping[str, str]) -> Usage:
    """Output is what was said and thought; the total tells if one count has both already."""
    found = usage_of(usage)
    details = usage.get("completion_tokens_details")
    reasoning = count_of(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    said, asked = found.output_tokens, found.input_tokens
    if said is None or not reasoning:
        return found
    if asked is not None and count_of(usage.get("total_tokens")) == asked + said:
        return found
    return attrs.evolve(found, output_tokens=said + reasoning)


XAI = Member(
    provider_type="xai",
    adds_json_instruction=True,
    takes_image_detail=True,
    read_usage=_read_usage,
)
