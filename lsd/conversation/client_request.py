"""A request in the words of the client's own API, for providers that speak the same."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from lsd.conversation.json import JsonValue
from lsd.conversation.values import frozen

Lane = Literal["openai", "anthropic"]
"""The API that a compatible endpoint offers, or that a provider speaks."""


@frozen
class ClientRequest:
    """What a client has sent to a compatible endpoint, beside its neutral form.

    A provider in the same `lane` is sent `body`, changed as little as possible; any other one the
    neutral form. `body` keeps the order of its keys; LSD's own fields and nulls at its top are
    gone. No provider speaks `lane` None: what the client has sent always needs a translation.
    `headers` are those that belong to the lane, by lower-case name. `refusal` tells why
    there is no full neutral form, and `refused_field` the path of what has none.
    """

    lane: Lane | None
    body: Mapping[str, JsonValue]
    headers: Mapping[str, str] = MappingProxyType({})
    refusal: str | None = None
    refused_field: str | None = None
