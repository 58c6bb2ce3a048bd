"""OpenAI itself, and every server that speaks its language under the type `openai`."""

from urllib.parse import urlsplit

import attrs

from lsd.providers._openai_body import response_format
from lsd.providers._openai_family import EVERY_TIER, Body, Encoding, Member

_OPENAI_HOST = "api.openai.com"
_AZURE_DOMAINS = (".azure.com", ".azure.us", ".azure.cn")
"""Azure's OpenAI-compatible surface is OpenAI's own software."""


def openai_member(api_base: str, model: str) -> Member:
    """What OpenAI takes, or what other servers at this base can be trusted to take.

    Some models have quirks of their own, wherever they are.
    """
    member = OPENAI if _is_openai(api_base) else OPENAI_COMPATIBLE
    name = model.lower()
    if name.startswith("o1-mini"):
        member = attrs.evolve(member, arrange_messages=_system_as_user)
    if name.startswith("o1"):
        member = attrs.evolve(member, finish_body=_drop_refused)
    return member


def _is_openai(api_base: str) -> bool:
    host = urlsplit(api_base).hostname or ""
    return host == _OPENAI_HOST or host.endswith((f".{_OPENAI_HOST}", *_AZURE_DOMAINS))


def schema_unless_old(encoding: Encoding) -> Body | None:
    """Models of the generation 3.5 know JSON mode, but no schemas."""
    wanted = response_format(encoding)
    if wanted is not None and "3.5" in (encoding.target.model or ""):
        return {"type": "json_object"}
    return wanted


def _system_as_user(messages: list[Body], _: Encoding) -> list[Body]:
    """The o1-mini models refuse system messages."""
    first = messages[0] if messages else None
    if first and first.get("role") == "system":
        return [{**first, "role": "user"}, *messages[1:]]
    return messages


def _drop_refused(body: Body, _: Encoding) -> None:
    """The o1 models call no tools in parallel, and refuse to be told not to."""
    if body.get("parallel_tool_calls") is False:
        del body["parallel_tool_calls"]


OPENAI = Member(
    provider_type="openai",
    token_limit_keys=("max_completion_tokens",),
    takes_verbosity=True,
    takes_user=True,
    service_tiers=EVERY_TIER,
    takes_custom_tools=True,
    takes_allowed_tools=True,
    tool_call_ids="openai",
    adds_json_instruction=True,
    response_format=schema_unless_old,
    takes_image_detail=True,
    takes_back_thoughts=False,
)

OPENAI_COMPATIBLE = attrs.evolve(
    OPENAI,
    # Many local servers read the old name only, newer ones may read the new one only.
    token_limit_keys=("max_tokens", "max_completion_tokens"),
    takes_allowed_tools=False,
    takes_back_thoughts=True,
)
