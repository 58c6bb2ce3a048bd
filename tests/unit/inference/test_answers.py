"""The answer to one inference, as JSON."""

from decimal import Decimal
from typing import Any

import pytest

from lsd.conversation import ModelRequest, ModelResponse, Usage
from lsd.inference.answers import usage_json
from lsd.inference.journal import ModelCall
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import calls, completes, fails, says
from tests.unit.inference.gateway import TWO_PROVIDERS, Gateway

CONFIG = (
    TWO_PROVIDERS
    + """
variants.w.model = "m"

[tools.page]
description = "Calls somebody"
parameters = "verdict.json"

[functions.helper]
type = "chat"
tools = ["page"]
variants.v.model = "m"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
variants.v.model = "m"

[functions.chat.experimentation]
type = "static"
candidate_variants = { v = 1.0 }
fallback_variants = ["w"]
"""
)


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway whose first provider says "Hi"."""
    gateway = start(CONFIG)
    gateway["one"].will(says("Hi"))
    return gateway


async def test_a_chat_is_answered_with_content(gateway: Gateway) -> None:
    """Ids, the variant that answered, what it said, what it used, and why it ended."""
    answer = await gateway.infer()

    ids = {name: answer.pop(name) for name in ("inference_id", "episode_id")}
    assert answer == {
        "variant_name": "v",
        "content": [{"type": "text", "text": "Hi"}],
        "usage": {"input_tokens": 10, "output_tokens": 5, "cost": None},
        "finish_reason": "stop",
    }
    assert ids["inference_id"] != ids["episode_id"]


async def test_an_episode_goes_on_under_its_id(gateway: Gateway) -> None:
    """The answer repeats the id that the request gave."""
    first = await gateway.infer()
    second = await gateway.infer(episode_id=first["episode_id"])

    assert second["episode_id"] == first["episode_id"]
    assert second["inference_id"] != first["inference_id"]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ('{"urgent":true}', {"raw": '{"urgent":true}', "parsed": {"urgent": True}}),
        ('{"urgent":1}', {"raw": '{"urgent":1}', "parsed": None}),
        ("no", {"raw": "no", "parsed": None}),
        (None, {"raw": None, "parsed": None}),
    ],
    ids=["fits", "does not fit", "no JSON", "nothing"],
)
async def test_a_json_function_is_answered_with_output(
    gateway: Gateway, text: str | None, output: Any
) -> None:
    """All of these are answers: nothing is tried again because of them."""
    gateway["one"].will(says(text))

    answer = await gateway.infer(function_name="verdict")

    assert answer["output"] == output
    assert "content" not in answer
    assert len(gateway["one"].requests) == 1


async def test_a_requests_schema_decides_what_fits(gateway: Gateway) -> None:
    """Also where the function's own would be content."""
    gateway["one"].will(says('{"urgent":true}'))
    strict = {"type": "object", "required": ["reason"]}

    answer = await gateway.infer(function_name="verdict", output_schema=strict)

    assert answer["output"] == {"raw": '{"urgent":true}', "parsed": None}


async def test_a_tool_call_is_answered_raw_and_checked(gateway: Gateway) -> None:
    """As the model wrote it, and as its tool wants it."""
    gateway["one"].will(calls("page", '{"urgent":true}'))

    answer = await gateway.infer(function_name="helper")

    assert answer["content"] == [
        {
            "type": "tool_call",
            "id": "call_1",
            "raw_name": "page",
            "raw_arguments": '{"urgent":true}',
            "name": "page",
            "arguments": {"urgent": True},
        }
    ]
    assert answer["finish_reason"] == "tool_call"


async def test_json_by_a_forced_tool_is_answered_as_text(gateway: Gateway) -> None:
    """A chat does not show the tool that was only there to force JSON."""
    gateway["one"].will(calls("respond", '{"n":1}'))

    answer = await gateway.infer(
        params={"chat_completion": {"json_mode": "tool"}}, output_schema={"type": "object"}
    )

    assert answer["content"] == [{"type": "text", "text": '{"n":1}'}]


async def test_what_is_not_known_is_left_out_or_null(gateway: Gateway) -> None:
    """Usage is always there; a finish reason only if there was one."""
    gateway["one"].will(completes({"content": "Hi"}, usage=None, finish_reason=None))

    answer = await gateway.infer()

    assert answer["usage"] == {"input_tokens": None, "output_tokens": None, "cost": None}
    assert "finish_reason" not in answer


async def test_raw_parts_are_for_those_who_ask(gateway: Gateway) -> None:
    """Usage as the provider reported it, bodies as they came, failed calls first."""
    gateway["one"].will(fails(500, "ill"))
    gateway["two"].will(says("Hi"))

    answer = await gateway.infer(
        include_raw_usage=True, include_raw_response=True, include_original_response=True
    )

    (usage,) = answer["raw_usage"]
    failed, good = answer["raw_response"]
    shared = {"provider_type": "openai", "api_type": "chat_completions"}
    assert usage == {
        "model_inference_id": good["model_inference_id"],
        **shared,
        "data": {"prompt_tokens": 10, "completion_tokens": 5},
    }
    assert failed.keys() == {*shared, "data"}
    assert '"ill"' in failed["data"]
    assert '"Hi"' in good["data"]
    assert answer["original_response"] == good["data"]


async def test_bodies_of_failed_variants_come_first(gateway: Gateway) -> None:
    """In the order in which they were received."""
    gateway["one"].will(fails(400, "first"), fails(400, "third"))
    gateway["two"].will(fails(400, "second"), says("Hi"))

    answer = await gateway.infer(include_raw_response=True)

    assert answer["variant_name"] == "w"
    told = [entry["data"] for entry in answer["raw_response"]]
    for word, data in zip(("first", "second", "third", "Hi"), told, strict=True):
        assert f'"{word}"' in data
    assert answer["usage"]["input_tokens"] == 10


async def test_without_a_word_there_are_no_raw_parts(gateway: Gateway) -> None:
    """An answer holds nothing that was not asked for."""
    answer = await gateway.infer()

    assert answer.keys() == {
        "inference_id",
        "episode_id",
        "variant_name",
        "content",
        "usage",
        "finish_reason",
    }


def call(cost: str | None = None, cached: bool = False, **usage: Any) -> ModelCall:
    """A call with this usage."""
    return ModelCall(
        id="c",
        variant_name="v",
        model_name="m",
        provider_name="one",
        provider_type="openai",
        api_type="chat_completions",
        request=ModelRequest(messages=()),
        started_at=0.0,
        status="ok",
        answer=ModelResponse((), Usage(**usage)),
        cost=None if cost is None else Decimal(cost),
        cached=cached,
    )


@pytest.mark.parametrize(
    ("made", "usage"),
    [
        (
            [call("0.1", input_tokens=1, output_tokens=2)],
            {"input_tokens": 1, "output_tokens": 2, "cost": Decimal("0.1")},
        ),
        (
            [
                call("0.1", input_tokens=1, output_tokens=2),
                call("0.2", input_tokens=10, output_tokens=20),
            ],
            {"input_tokens": 11, "output_tokens": 22, "cost": Decimal("0.3")},
        ),
        (
            [call("0.1", input_tokens=1), call(output_tokens=20)],
            {"input_tokens": None, "output_tokens": None, "cost": None},
        ),
        (
            [
                call("0.1", input_tokens=1, output_tokens=2),
                call("0", cached=True, input_tokens=10, output_tokens=20),
            ],
            {"input_tokens": 1, "output_tokens": 2, "cost": Decimal("0.1")},
        ),
        (
            [
                call("0", input_tokens=1, output_tokens=0, provider_cache_read_input_tokens=5),
                call("0", input_tokens=1, output_tokens=0, provider_cache_write_input_tokens=0),
            ],
            {
                "input_tokens": 2,
                "output_tokens": 0,
                "cost": Decimal(0),
                "provider_cache_read_input_tokens": 5,
                "provider_cache_write_input_tokens": 0,
            },
        ),
    ],
    ids=["one", "two", "unknown parts", "one from the cache", "provider's cache"],
)
def test_usage_is_summed_over_the_calls(made: list[ModelCall], usage: dict[str, Any]) -> None:
    """One unknown figure makes its sum null; of the provider's cache the reported ones count."""
    assert usage_json(made) == usage
