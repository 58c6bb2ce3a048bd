"""What a request holds for other models is left out, per attempt."""

from typing import Any

import pytest

from lsd.conversation import (
    FunctionTool,
    ModelBlock,
    ModelMessage,
    ModelRequest,
    ProviderTool,
    Text,
    Thought,
    ToolSet,
    Unknown,
)
from lsd.inference.foreign_blocks import request_for, says_only_text, translatable

HI = Text(text="Hi")


def asked(*blocks: ModelBlock, **fields: Any) -> ModelRequest:
    """A request with these blocks in its first message, and a second one behind it."""
    return ModelRequest(
        messages=(
            ModelMessage(role="assistant", content=blocks),
            ModelMessage(role="user", content=(HI,)),
        ),
        **fields,
    )


def sent(request: ModelRequest) -> ModelRequest:
    """What is left for the provider "one", an `openai`, of the model "m"."""
    return request_for(request, provider_type="openai", model_name="m", provider_name="one")


@pytest.mark.parametrize(
    ("request_", "is_text"),
    [
        (asked(HI), True),
        (asked(HI, HI, system="s"), True),
        (asked(), True),
        (asked(HI, Thought(text="t")), False),
        (asked(Unknown(data=1)), False),
        (asked(HI, tools=ToolSet(tools=())), False),
    ],
    ids=["a text", "texts", "nothing", "a thought", "an unknown block", "tools"],
)
def test_text_is_the_same_for_all_models(request_: ModelRequest, is_text: bool) -> None:
    """A request that says nothing else is left as it is."""
    assert says_only_text(request_) == is_text
    assert not is_text or sent(request_) is request_


@pytest.mark.parametrize(
    ("block", "is_sent"),
    [
        (HI, True),
        (Thought(text="t"), True),
        (Thought(text="t", provider_type="openai"), True),
        (Thought(text="t", provider_type="anthropic"), False),
        (Unknown(data=1), True),
        (Unknown(data=1, model_name="m"), True),
        (Unknown(data=1, model_name="other"), False),
        (Unknown(data=1, provider_name="one"), True),
        (Unknown(data=1, provider_name="two"), False),
        (Unknown(data=1, model_name="m", provider_name="one"), True),
        (Unknown(data=1, model_name="m", provider_name="two"), False),
        (Unknown(data=1, model_name="other", provider_name="one"), False),
    ],
    ids=str,
)
def test_blocks_go_to_those_they_are_meant_for(block: ModelBlock, is_sent: bool) -> None:
    """A thought belongs to a type of provider, an unknown block to a model or a provider."""
    request = asked(HI, block, HI)

    content = sent(request).messages[0].content

    assert content == ((HI, block, HI) if is_sent else (HI, HI))
    assert request.messages[0].content == (HI, block, HI)


def test_a_message_may_be_left_empty() -> None:
    """The turn stays, even when nothing of it is for this provider."""
    request = asked(Unknown(data=1, model_name="other"))

    messages = sent(request).messages

    assert [(message.role, message.content) for message in messages] == [
        ("assistant", ()),
        ("user", (HI,)),
    ]


@pytest.mark.parametrize(
    ("tool", "is_sent"),
    [
        (ProviderTool(tool={}), True),
        (ProviderTool(tool={}, model_name="m"), True),
        (ProviderTool(tool={}, model_name="other"), False),
        (ProviderTool(tool={}, model_name="m", provider_name="one"), True),
        (ProviderTool(tool={}, model_name="m", provider_name="two"), False),
    ],
    ids=["everywhere", "this model", "another model", "this provider", "another provider"],
)
def test_provider_tools_go_where_their_scope_says(tool: ProviderTool, is_sent: bool) -> None:
    """A tool of a provider's own is sent to the models and providers of its scope."""
    function = FunctionTool(name="f", description="", parameters={})
    request = asked(HI, tools=ToolSet(tools=(function,), provider_tools=(tool,)))

    tools = sent(request).tools

    assert tools is not None
    assert tools.provider_tools == ((tool,) if is_sent else ())
    assert tools.tools == (function,)


def test_a_request_for_everybody_is_sent_as_it_is() -> None:
    """Nothing is copied when there is nothing to leave out."""
    function = FunctionTool(name="f", description="", parameters={})
    request = asked(HI, Thought(text="t"), tools=ToolSet(tools=(function,)))

    assert sent(request) is request


def test_blocks_of_a_clients_own_language_are_not_translated() -> None:
    """Nobody else knows them."""
    request = asked(HI, Unknown(data={"type": "server_tool_use"}))

    left = translatable(request, provider_type="vllm")

    assert [message.content for message in left.messages] == [(HI,), (HI,)]


def late(**fields: Any) -> ModelRequest:
    """A conversation with an instruction in its middle."""
    instruction = ModelMessage(role="system", content=(Text(text="Be brief."),))
    first, *others = asked(HI, **fields).messages
    return ModelRequest(messages=(first, instruction, *others), **fields)


@pytest.mark.parametrize("provider_type", ["openai", "azure"])
def test_an_instruction_may_stand_within_the_conversation(provider_type: str) -> None:
    """Two types of providers take it there."""
    assert translatable(late(), provider_type=provider_type) == late()


@pytest.mark.parametrize(
    ("fields", "system", "parts"),
    [
        ({}, "Be brief.", ("Be brief.",)),
        ({"system": "Be kind."}, "Be kind.\n\nBe brief.", ("Be kind.", "Be brief.")),
        (
            {"system": "A\n\nB", "system_blocks": (Text(text="A"), Text(text="B"))},
            "A\n\nB\n\nBe brief.",
            ("A", "B", "Be brief."),
        ),
    ],
)
def test_elsewhere_instructions_stand_in_front(
    fields: Any, system: str, parts: tuple[str, ...]
) -> None:
    """In their order, behind what stood there already."""
    made = translatable(late(**fields), provider_type="mistral")

    assert made.system == system
    assert tuple(part.text for part in made.system_blocks) == parts
    assert [message.role for message in made.messages] == ["assistant", "user"]
