"""One conversation, as each type of OpenAI's family is sent it, field by field."""

from copy import deepcopy
from hashlib import sha256
from typing import Any

import pytest

from lsd.conversation import (
    ChatCompletionParams,
    FunctionTool,
    Text,
    ToolCall,
    ToolResult,
    ToolSet,
)
from tests.unit.providers.recorded import CHAT_TYPES, body, make_dialect, refused, request

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
ARGUMENTS = '{"city": "Oslo"}'
TOOLS = ToolSet(
    tools=(FunctionTool(name="wx", description="Weather", parameters=PARAMETERS, strict=True),),
    choice="required",
    parallel=True,
)
ASKED = request(
    "Weather in Oslo?",
    [ToolCall(id="c1", name="wx", arguments=ARGUMENTS)],
    [Text(text="Or:"), ToolResult(id="c1", name="wx", result="-3C"), Text(text="Bergen?")],
    system="Be brief.",
    tools=TOOLS,
    params=ChatCompletionParams(
        temperature=0.1,
        top_p=0.9,
        max_tokens=50,
        seed=7,
        presence_penalty=0.5,
        frequency_penalty=0.25,
        stop_sequences=("END",),
        reasoning_effort="low",
        thinking_budget_tokens=100,
        service_tier="flex",
        verbosity="high",
    ),
)

FUNCTION = {"name": "wx", "description": "Weather", "parameters": PARAMETERS, "strict": True}
BASE: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Oslo?"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "wx", "arguments": ARGUMENTS},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "-3C"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Or:"}, {"type": "text", "text": "Bergen?"}],
        },
    ],
    "model": "m-1",
    "temperature": 0.1,
    "top_p": 0.9,
    "max_tokens": 50,
    "seed": 7,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.25,
    "stop": ["END"],
    "reasoning_effort": "low",
    "stream": False,
    "tools": [{"type": "function", "function": FUNCTION}],
    "tool_choice": "required",
    "parallel_tool_calls": True,
}
"""What sglang, vllm and xai are sent, which have no fields of their own here."""

ABSENT = None
NEW_LIMIT = {"max_tokens": ABSENT, "max_completion_tokens": 50}
PLAIN_TOOLS = {
    "tools": [
        {
            "type": "function",
            "function": {key: FUNCTION[key] for key in FUNCTION if key != "strict"},
        }
    ]
}
OWN: dict[str, dict[str, Any]] = {
    "azure": {**NEW_LIMIT, "model": ABSENT, "verbosity": "high"},
    "deepseek": {"parallel_tool_calls": ABSENT},
    "fireworks": {**PLAIN_TOOLS, "seed": ABSENT, "parallel_tool_calls": ABSENT},
    "groq": {**NEW_LIMIT, "service_tier": "flex"},
    "mistral": {**PLAIN_TOOLS, "seed": ABSENT, "random_seed": 7, "tool_choice": "any"},
    "openai": {**NEW_LIMIT, "service_tier": "flex", "verbosity": "high"},
    "openrouter": {
        **NEW_LIMIT,
        "reasoning_effort": ABSENT,
        "reasoning": {"max_tokens": 100},
        "verbosity": "high",
    },
    "sglang": {},
    "tgi": {"model": "tgi", "reasoning_effort": ABSENT},
    "together": {"tool_choice": "auto"},
    "vllm": {},
    "xai": {},
}


def expected(provider_type: str) -> dict[str, Any]:
    """The whole body for this type."""
    whole = {**deepcopy(BASE), **OWN[provider_type]}
    call, result = whole["messages"][2], whole["messages"][3]
    if provider_type == "deepseek":
        call["reasoning_content"] = ""
    if provider_type == "mistral":
        short = sha256(b"c1").hexdigest()[:9]
        call["content"] = None
        call["tool_calls"][0]["id"] = result["tool_call_id"] = short
    return {key: value for key, value in whole.items() if value is not ABSENT}


@pytest.mark.parametrize("provider_type", OWN)
def test_a_conversation_becomes_this_very_body(provider_type: str) -> None:
    """Nothing is missing, nothing is there that the type does not take."""
    assert body(make_dialect(provider_type), ASKED) == expected(provider_type)


def test_no_type_is_forgotten() -> None:
    """The one that is not above takes no tools, and says so."""
    assert set(CHAT_TYPES) - set(OWN) == {"hyperbolic"}
    assert "takes none" in refused(make_dialect("hyperbolic"), ASKED)


def test_another_host_gets_the_limit_under_both_names() -> None:
    """Nobody knows which one a server reads that only speaks like OpenAI."""
    sent = body(make_dialect("openai", api_base="http://gpu1:8000/v1"), ASKED)

    assert sent == {**expected("openai"), "max_tokens": 50}
