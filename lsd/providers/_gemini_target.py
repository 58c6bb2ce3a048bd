"""What the providers that speak Gemini's language have in common.

A *target* is one configured provider, an *encoding* one request on its way there.
"""

from collections.abc import Mapping
from random import Random
from typing import Any

import attrs

from lsd.providers._encoding import EncodingFor

Body = dict[str, Any]
"""A JSON object of the wire that is being made."""

Received = Mapping[str, Any]
"""A JSON object of the wire that was received."""


@attrs.frozen(kw_only=True)
class Target:
    """One configured provider. `model_name` and `provider_name` are the names in `lsd.toml`.

    `random` names calls of tools, which mostly come without an id. `may_lack_usage`: an answer that
    does not tell what it has used is whole nevertheless.
    """

    provider_type: str
    model_name: str
    provider_name: str
    discard_unknown_chunks: bool = False
    may_lack_usage: bool = False
    random: Random


Encoding = EncodingFor[Target]
"""One request that is being encoded for one target."""
