"""A Messages request in neutral words."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.api.anthropic.estimate import estimated_tokens
from lsd.api.anthropic.request import MessagesRequest, read_messages_request
from lsd.api.anthropic.top_level import TRANSLATED
from lsd.api.compat.troubles import Unsupported
from lsd.conversation import (
    ChatCompletionParams,
    Malformed,
    ModelMessage,
    ModelRequest,
    Text,
)
from tests.unit.conversation.json_values import JSON_VALUES

SCHEMA = {"type": "object", "properties": {"b": {}, "a": {}}}
HI = ModelMessage(role="user", content=(Text(text="hi"),))


def read(**more: Any) -> MessagesRequest:
    """A request that says "hi"."""
    body = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}
    return read_messages_request({**body, **more})


def neutral(**more: Any) -> ModelRequest:
    """The same in neutral words alone; it must mean something everywhere."""
    made = read(**more)
    assert refusal(made) is None
    return attrs.evolve(made.neutral, client=None)


def refusal(made: MessagesRequest) -> str | None:
    """Why only Anthropic can be asked."""
    assert made.neutral.client is not None
    return made.neutral.client.refusal


def test_the_smallest_request() -> None:
    """Nothing is sent that was not asked for."""
    made = read()

    assert made.model == "m"
    assert neutral() == ModelRequest(messages=(HI,), params=ChatCompletionParams(max_tokens=64))
    assert (made.ignored, made.tags) == ((), {})


def test_what_steers_the_model() -> None:
    """Numbers without a fraction are integers."""
    made = neutral(
        temperature=0.5, top_p=1, top_k=5.0, stop_sequences=["X"], stream=True, max_tokens=9.0
    )

    assert made.params == ChatCompletionParams(
        temperature=0.5, top_p=1, max_tokens=9, stop_sequences=("X",)
    )
    assert (made.top_k, made.stream) == (5, True)
    assert neutral(stop_sequences=[]).params.stop_sequences is None


def test_system_texts_are_joined_and_kept_apart() -> None:
    """Providers that know one text get it, others get the parts."""
    made = neutral(system=[{"type": "text", "text": "A"}, {"type": "text", "text": "B"}])

    assert made.system == "A\n\nB"
    assert made.system_blocks == (Text(text="A"), Text(text="B"))
    assert neutral(system=[]).system is None


@pytest.mark.parametrize(
    ("more", "effort", "budget", "ignored"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, None, 2048, ()),
        ({"thinking": {"type": "adaptive"}}, None, None, ()),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "max", None, ()),
        ({"output_config": {"effort": "low"}}, "low", None, ()),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "output_config": {"effort": "low"},
            },
            "low",
            None,
            (),
        ),
        ({"thinking": {"type": "disabled"}}, None, None, ()),
        (
            {"output_config": {"effort": "low"}, "thinking": {"type": "disabled"}},
            None,
            None,
            ("output_config",),
        ),
        (
            {"thinking": {"type": "between_tools"}, "output_config": {"effort": "low"}},
            None,
            None,
            ("output_config",),
        ),
    ],
)
def test_how_the_model_thinks(
    more: dict[str, Any], effort: str | None, budget: int | None, ignored: tuple[str, ...]
) -> None:
    """A word counts before a number, and nothing counts for a model that is not to think."""
    made = read(**more)

    params = made.neutral.params
    assert (params.reasoning_effort, params.thinking_budget_tokens) == (effort, budget)
    assert made.ignored == ignored


@pytest.mark.parametrize("field", ["output_config", "output_format"])
def test_an_answer_of_a_given_shape(field: str) -> None:
    """Case 55: in the newer field and in the older one."""
    wanted = {"type": "json_schema", "schema": SCHEMA}

    made = neutral(**{field: {"format": wanted} if field == "output_config" else wanted})

    assert (made.json_mode, made.output_schema) == ("strict", SCHEMA)
    assert list(made.output_schema["properties"]) == ["b", "a"]  # type: ignore[index]


def test_the_user_is_known_by_name() -> None:
    """To the record, and to providers that want to know."""
    made = read(metadata={"user_id": "u-1"})

    assert made.tags == {"user_id": "u-1"}
    assert made.neutral.user == "u-1"
    assert read(metadata={}).tags == {}


@pytest.mark.parametrize(
    ("tier", "wanted", "ignored"),
    [("auto", "auto", ()), ("standard_only", "default", ()), ("gold", None, ("service_tier",))],
)
def test_service_tiers(tier: str, wanted: str | None, ignored: tuple[str, ...]) -> None:
    """Two have a counterpart."""
    made = read(service_tier=tier)

    assert (made.neutral.params.service_tier, made.ignored) == (wanted, ignored)


def test_what_only_anthropic_knows_is_ignored_elsewhere() -> None:
    """Case 18: it is listed in the order of the request."""
    search = {"type": "web_search_20250305", "name": "web_search"}
    look = {"name": "look", "input_schema": {"type": "object"}}

    made = read(foo=1, container="c", tools=[search, look], cache_control={}, temperature=1)

    assert made.ignored == ("foo", "container", "tools", "cache_control")
    assert refusal(made) is None


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"max_tokens": 0}, "max_tokens: found 0; wanted an integer ≥ 1"),
        (
            {"output_config": {"format": {"type": "json_schema"}}},
            (
                "output_config.format: found a format without a schema; wanted json_schema with its"
                " `schema`"
            ),
        ),
        (
            {"messages": [{"role": "system", "content": "x"}]},
            "messages: found no turn of user or assistant; wanted one",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text: missing; it is required",
        ),
        (
            {"tools": [{"type": "bash_20250124", "name": "bash"}]},
            "tools: tool bash_20250124 is not available on model m",
        ),
    ],
)
def test_what_has_no_meaning_elsewhere(more: dict[str, Any], told: str) -> None:
    """Anthropic takes it, so that it is told only if somebody else is asked."""
    made = read(**more)

    assert made.neutral.client is not None
    assert refusal(made) == told
    assert told.startswith(f"{made.neutral.client.refused_field}: ")


def test_what_is_wrong_everywhere_is_told_at_once() -> None:
    """Before anybody is asked."""
    with pytest.raises(Malformed, match="temperature"):
        read(temperature="hot")


KINDS = st.sampled_from(
    ["text", "image", "document", "search_result", "tool_use", "tool_result", "thinking", "x"]
)
SOURCES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("type", "data", "url", "content", "media_type"), JSON_VALUES)
)
BLOCKS = st.fixed_dictionaries(
    {"type": KINDS | JSON_VALUES},
    optional={
        "source": SOURCES | JSON_VALUES,
        **dict.fromkeys(
            ("text", "title", "content", "id", "name", "input", "tool_use_id"), JSON_VALUES
        ),
    },
)
CONTENTS = st.lists(BLOCKS, max_size=3) | JSON_VALUES


@given(
    field=st.sampled_from(sorted(TRANSLATED | {"thread", "foo"})),
    value=JSON_VALUES.filter(lambda value: value is not None),
    contents=st.lists(CONTENTS, min_size=1, max_size=3),
)
def test_no_request_is_too_strange(field: str, value: Any, contents: list[Any]) -> None:
    """It is understood, or told what is wrong with it."""
    messages = [{"role": "user", "content": content} for content in contents]
    body = {"model": "m", "max_tokens": 64, "messages": messages, field: value}

    try:
        read_messages_request(body)
        tokens = estimated_tokens(body)
    except (Malformed, Unsupported) as error:
        told = str(error)
    else:
        told = f"about {tokens} tokens"

    assert told
