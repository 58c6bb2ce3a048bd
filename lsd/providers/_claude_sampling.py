"""How far a Claude can be told to sample, wherever it is served."""

from typing import Any

from lsd.providers._encoding import EncodingFor
from lsd.providers.claude_models import ClaudeFamily


def claude_sampling(encoding: EncodingFor[Any], family: ClaudeFamily) -> dict[str, float]:
    """`temperature` and `top_p` as far as the family takes them; warns of what is left out."""
    params = encoding.request.params
    fields = {
        name: value
        for name in ("temperature", "top_p")
        if (value := getattr(params, name)) is not None
    }
    if not family.takes_sampling:
        for name in fields:
            encoding.leave_out(name, hint="the model samples by itself")
        return {}
    if len(fields) == 2 and not family.takes_both_samplings:
        encoding.leave_out("top_p", hint="the model takes either temperature or top_p")
        del fields["top_p"]
    return fields
