"""Whole chat completions."""

from typing import Any

import pytest

from lsd.api.openai.chat_answer import completion
from lsd.conversation import (
    CustomTool,
    ModelRequest,
    Text,
    Thought,
    ToolCall,
    ToolSet,
    Unknown,
)
from tests.unit.api.openai.replies import HEX, HI, model_call, reply

CALL = ToolCall(id="c", name="f", arguments='{"a":1}')


def shown(*output: Any, **fields: Any) -> dict[str, Any]:
    """The body for this output."""
    return completion(reply(model_call(*output, **fields)), "fast")


def message(*output: Any, **fields: Any) -> dict[str, Any]:
    """Its message."""
    made: dict[str, Any] = shown(*output, **fields)["choices"][0]["message"]
    return made


def relayed(document: dict[str, Any], *output: Any, **fields: Any) -> dict[str, Any]:
    """The body for an answer that came from a provider of OpenAI's kind."""
    return shown(*output, is_relayed=True, document=document, **fields)


def test_all_keys_are_there() -> None:
    """Clients look for them without asking."""
    assert shown(Text(text="Ho")) == {
        "id": f"chatcmpl-{HEX}",
        "object": "chat.completion",
        "created": 1769831945,
        "model": "fast",
        "service_tier": None,
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "logprobs": None,
                "message": {
                    "role": "assistant",
                    "content": "Ho",
                    "refusal": None,
                    "annotations": [],
                },
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }


def test_texts_are_joined_and_calls_listed() -> None:
    """Blocks of other providers' own kinds have no place."""
    made = message(Text(text="a"), Unknown(data={}), CALL, Text(text="b"))

    assert made["content"] == "ab"
    assert made["tool_calls"] == [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    ]
    assert message(CALL)["content"] is None


@pytest.mark.parametrize("arguments", ["", " "])
def test_a_call_without_arguments_has_an_empty_object(arguments: str) -> None:
    """Case 12."""
    (call,) = message(ToolCall(id="c", name="f", arguments=arguments))["tool_calls"]

    assert call["function"]["arguments"] == "{}"


def test_free_form_calls_are_of_their_own_type() -> None:
    """Their text is no JSON."""
    request = ModelRequest(messages=HI.messages, tools=ToolSet(tools=(CustomTool(name="sh"),)))

    made = message(ToolCall(id="c", name="sh", arguments=""), request=request)

    assert made["tool_calls"] == [
        {"id": "c", "type": "custom", "custom": {"name": "sh", "input": ""}}
    ]


def test_thoughts_have_fields_of_their_own() -> None:
    """And the signature of a call stands at the call."""
    thought = Thought(signature="g", provider_type="gcp_vertex_gemini")

    made = message(Thought(text="hm", provider_type="xai"), thought, CALL)

    assert made["reasoning_content"] == "hm"
    assert [each["index"] for each in made["reasoning_details"]] == [0, 1]
    (call,) = made["tool_calls"]
    assert call["extra_content"] == {"google": {"thought_signature": "g"}}


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("tool_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("unknown", "stop"),
        (None, "stop"),
    ],
)
def test_reasons_are_openais_words(reason: Any, told: str) -> None:
    """Cases 28 and 29: never any other."""
    assert shown(finish_reason=reason)["choices"][0]["finish_reason"] == told


def test_calls_are_the_reason_if_nobody_says_so() -> None:
    """Case 28; a provider of the same kind knows what it says."""
    assert shown(CALL)["choices"][0]["finish_reason"] == "tool_calls"
    assert shown(CALL, is_relayed=True)["choices"][0]["finish_reason"] == "stop"


def test_an_answer_of_the_same_kind_keeps_what_is_its_own() -> None:
    """At every place; what LSD says itself stays LSD's."""
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": "", "x": 1},
        "y": 2,
    }
    document = {
        "id": "theirs",
        "object": "theirs",
        "created": 1,
        "model": "theirs",
        "service_tier": "flex",
        "system_fingerprint": "fp",
        "citations": ["u"],
        "error": "no",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "logprobs": {"content": []},
                "content_filter_results": {},
                "message": {
                    "role": "assistant",
                    "content": "",
                    "reasoning": "hm",
                    "annotations": [{"type": "url_citation"}],
                    "tool_calls": [call],
                },
            }
        ],
    }

    made = relayed(
        document, Thought(text="hm", provider_type="vllm"), ToolCall(id="c", name="f", arguments="")
    )

    assert made["id"] == f"chatcmpl-{HEX}"
    assert (made["model"], made["object"]) == ("fast", "chat.completion")
    assert (made["service_tier"], made["system_fingerprint"]) == ("flex", "fp")
    assert made["citations"] == ["u"]
    assert "error" not in made
    (choice,) = made["choices"]
    assert choice["logprobs"] == {"content": []}
    assert choice["content_filter_results"] == {}
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "annotations": [{"type": "url_citation"}],
        "reasoning_content": "hm",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "hm", "index": 0, "format": "vllm"}
        ],
        "reasoning": "hm",
        "tool_calls": [
            {
                "id": "c",
                "type": "function",
                "function": {"name": "f", "arguments": "{}", "x": 1},
                "y": 2,
            }
        ],
    }


def test_a_refusal_is_no_content() -> None:
    """Among the neutral texts it would be one."""
    document = {"choices": [{"message": {"content": None, "refusal": "no"}}]}

    (choice,) = relayed(document, Text(text="no"))["choices"]

    assert (choice["message"]["content"], choice["message"]["refusal"]) == (None, "no")


def test_details_of_the_same_kind_go_on_as_they_are() -> None:
    """They must go back as they came."""
    details = [{"type": "reasoning.text", "text": "hm", "format": "google-gemini-v1"}]
    document = {"choices": [{"message": {"reasoning_details": details}}]}

    (choice,) = relayed(document, Thought(text="hm", provider_type="openrouter"))["choices"]

    assert choice["message"]["reasoning_details"] == details


def test_who_asks_in_the_legacy_way_is_answered_in_it() -> None:
    """The call stands in its old place only."""
    document = {"choices": [{"message": {"function_call": {"name": "f", "arguments": "{}"}}}]}

    (choice,) = relayed(document, CALL, finish_reason="tool_call")["choices"]

    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert "tool_calls" not in choice["message"]


@pytest.mark.parametrize(
    ("own", "told"), [("standard", "default"), ("priority", "priority"), ("batch", None), (5, None)]
)
def test_anthropics_tiers_have_openais_names(own: Any, told: str | None) -> None:
    """They stand in its usage."""
    assert shown(raw_usage={"service_tier": own})["service_tier"] == told


def test_answers_from_the_cache_have_no_document() -> None:
    """Case 32: they are shown like those of any other provider."""
    made = shown(Text(text="Ho"), is_relayed=True, cached=True)

    assert made["choices"][0]["message"]["content"] == "Ho"
    assert made["usage"]["total_tokens"] == 0
