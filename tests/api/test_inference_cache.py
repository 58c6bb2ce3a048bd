"""The inference cache: when a provider is not asked because the answer is known."""

from typing import Any

import orjson
import pytest

from tests.api.asking import SAYING_HI, Box, model, saying, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import (
    chunk,
    cut_after,
    events,
    fails,
    malformed_chunk_at,
    says,
    streams,
    tool_call,
)
from tests.fakes.provider_thread import FakeProviderThread

TEAM = {"type": "object", "properties": {"team": {"type": "string"}}, "required": ["team"]}
FILES = {
    "team.json": orjson.dumps(TEAM).decode(),
    "system.minijinja": "Be kind to {{ whom }}.",
    "whom.json": orjson.dumps({"type": "object"}).decode(),
}

FUNCTIONS = """
    [tools.page]
    description = "Pages a team"
    parameters = "team.json"

    [functions.one]
    type = "chat"
    variants.only.model = "box"
    variants.twin.model = "box"

    [functions.other]
    type = "chat"
    variants.only.model = "box"

    [functions.kind]
    type = "chat"
    system_schema = "whom.json"
    variants.only = { model = "box", system_template = "system.minijinja" }

    [functions.paging]
    type = "chat"
    tools = ["page"]
    variants.only.model = "box"

    [functions.extract]
    type = "json"
    output_schema = "team.json"
    variants.only = { model = "box", json_mode = "off" }
"""

COST = """
    cost = [
        { pointer = "/usage/prompt_tokens", cost_per_million = 1.0 },
        { pointer = "/usage/completion_tokens", cost_per_million = 2.0 },
    ]
"""

ON = {"cache_options": {"enabled": "on"}}


def cached(mode: str, max_age_s: int | None = None) -> dict[str, Any]:
    """The cache options of a request."""
    return {"cache_options": {"enabled": mode, "max_age_s": max_age_s}}


@pytest.fixture
def box(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The one provider; a spare one stands behind it in the model `pair`."""
    shared_provider.forget()
    shared_provider.will("box", says("well said"))
    shared_provider.will("spare", says("spare"))
    return shared_provider


def configuration(provider: FakeProviderThread) -> str:
    """Models with and without a cost table, and one with two boxes."""
    one, two = Box("one", provider.url("box")), Box("two", provider.url("spare"))
    costly = Box("one", provider.url("box"), COST)
    dynamic = Box("one", provider.url("box"), 'api_key_location = "dynamic::key"')
    tables = [model("box", costly), model("pair", one, two), model("keyed", dynamic)]
    return "".join(tables) + FUNCTIONS


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway in front of it."""
    return start_shared(configuration(shared_provider), files=FILES)


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> dict[str, Any]:
    """An input that no other test uses, so that nothing of it is cached."""
    return saying(request.node.nodeid)


def only_call(gateway: Gateway, answer: dict[str, Any]) -> dict[str, Any]:
    """The record of the one call that an answer took."""
    (call,) = gateway.calls(answer["inference_id"])
    return call


def is_hit(gateway: Gateway, answer: dict[str, Any]) -> bool:
    """Whether the answer came from the cache."""
    hit: bool = only_call(gateway, answer)["cached"]
    return hit


def test_case_55_the_second_answer_costs_nothing(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """No provider is asked; the record tells the original tokens, and that they cost nothing."""
    body = {"model_name": "box", **prompt, **ON}
    raw = {"include_raw_usage": True, "include_raw_response": True}

    first = gateway.infer(**body, **raw)
    second = gateway.infer(**body, **raw)

    assert len(box.requests) == 1
    assert text_of(first) == text_of(second) == "well said"
    assert first["usage"] == {"input_tokens": 10, "output_tokens": 5, "cost": 0.00002}
    assert second["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": 0}
    assert (len(first["raw_usage"]), second["raw_usage"]) == (1, [])
    assert (len(first["raw_response"]), second["raw_response"]) == (1, [])
    assert first["finish_reason"] == second["finish_reason"] == "stop"
    one, other = (only_call(gateway, answer) for answer in (first, second))
    assert (one["cached"], other["cached"]) == (False, True)
    assert (other["input_tokens"], other["output_tokens"], other["cost"]) == (10, 5, 0)
    assert other["response_time_ms"] == 0
    for field in ("raw_request", "raw_response", "output", "finish_reason", "input_messages"):
        assert one[field] == other[field]


def test_case_55_plain_and_streamed_answers_are_kept_apart(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """Each has its own entry; a streamed hit replays its chunks."""
    body = {"model_name": "box", **prompt, **ON}
    gateway.infer(**body)

    first = gateway.stream(**body, include_raw_response=True, include_raw_usage=True)
    second = gateway.stream(**body, include_raw_response=True, include_raw_usage=True)

    assert len(box.requests) == 2
    assert text_of(first) == text_of(second) == "well said"
    contents = [
        [each["content"] for each in chunks if each["content"]] for chunks in (first, second)
    ]
    assert contents[0] == contents[1]
    assert second[-1]["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": 0}
    assert second[-1]["finish_reason"] == "stop"
    raw = {"raw_chunk", "raw_usage", "raw_response"}
    assert all(raw.isdisjoint(each) for each in second)
    assert is_hit(gateway, second[-1])
    record = gateway.stored(second[-1]["inference_id"])
    assert record is not None
    assert record["output"] == [{"type": "text", "text": "well said"}]
    assert only_call(gateway, second[-1])["ttft_ms"] == 0


def test_case_56_an_age_of_zero_never_hits(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """However new the entry is."""
    body = {"model_name": "box", **prompt}

    answers = [gateway.infer(**body, **cached("on", 0)) for _ in range(2)]

    assert [is_hit(gateway, answer) for answer in answers] == [False, False]
    assert is_hit(gateway, gateway.infer(**body, **cached("on", 60)))


def test_case_56_reading_and_writing_can_be_had_alone(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """What one request only writes another only reads."""
    body = {"model_name": "box", **prompt}
    modes = ["read_only", "read_only", "off", "write_only", "write_only", "read_only", "off"]

    hits = [is_hit(gateway, gateway.infer(**body, **cached(mode))) for mode in modes]

    assert hits == [False, False, False, False, False, True, False]


def test_the_newest_answer_replaces_an_older_one(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """At once."""
    body = {"model_name": "box", **prompt}
    gateway.infer(**body, **cached("write_only"))
    box.will("box", says("better said"))
    gateway.infer(**body, **cached("write_only"))

    assert text_of(gateway.infer(**body, **cached("read_only"))) == "better said"


@pytest.mark.parametrize(
    "change",
    [
        {"tags": {"team": "ops"}},
        {"variant_name": "twin"},
        {"function_name": "other"},
        {"credentials": {"x": "y"}},
        {"include_raw_response": True},
        {"params": {"chat_completion": {}}},
        {"allowed_tools": None},
    ],
    ids=[
        "case 57: other tags",
        "another variant",
        "case 57: another function",
        "other credentials",
        "other wishes",
        "nothing",
        "null",
    ],
)
def test_what_the_provider_would_not_see_does_not_matter(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any], change: dict[str, Any]
) -> None:
    """Same model, same rendered prompt: a hit, also in another episode."""
    body = {"function_name": "one", "variant_name": "only", **prompt, **ON}
    gateway.infer(**body)
    if "function_name" in change:
        del body["variant_name"]

    assert is_hit(gateway, gateway.infer(**{**body, **change}))


@pytest.mark.parametrize(
    "change",
    [
        {"params": {"chat_completion": {"temperature": 0.5}}},
        {"params": {"chat_completion": {"seed": 0}}},
        {"extra_body": [{"pointer": "/a", "value": 1}]},
        {"extra_headers": [{"name": "x-a", "value": "1"}]},
        {"additional_tools": [{"name": "t", "description": "", "parameters": {}}]},
        {"output_schema": TEAM, "params": {"chat_completion": {"json_mode": "strict"}}},
        {"params": {"chat_completion": {"json_mode": "on"}}},
        {"function_name": "paging"},
        {"model_name": "pair", "function_name": None},
    ],
    ids=[
        "case 57: other temperature",
        "seed",
        "extra_body",
        "extra_headers",
        "tools",
        "output_schema",
        "json_mode",
        "tools of the function",
        "another model",
    ],
)
def test_what_the_provider_would_see_matters(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any], change: dict[str, Any]
) -> None:
    """Any difference is another question."""
    body = {"function_name": "one", **prompt, **ON}
    gateway.infer(**body)

    assert not is_hit(gateway, gateway.infer(**{**body, **change}))
    assert is_hit(gateway, gateway.infer(**{**body, **change}))


def test_a_json_function_has_entries_of_its_own(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """Their answers are read in another way."""
    gateway.infer(function_name="one", **prompt, **ON)

    first, second = (gateway.infer(function_name="extract", **prompt, **ON) for _ in range(2))

    assert not is_hit(gateway, first)
    assert is_hit(gateway, second)
    assert second["output"] == first["output"] == {"raw": "well said", "parsed": None}


def test_the_rendered_prompt_is_what_counts(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """However it came about."""
    messages = prompt["input"]["messages"]
    rendered = {"system": "Be kind to all.", "messages": messages}
    gateway.infer(function_name="one", input=rendered, **ON)

    templated = {"system": {"whom": "all"}, "messages": messages}
    same = gateway.infer(function_name="kind", input=templated, **ON)
    templated = {"system": {"whom": "none"}, "messages": messages}
    different = gateway.infer(function_name="kind", input=templated, **ON)

    assert (is_hit(gateway, same), is_hit(gateway, different)) == (True, False)


def test_whose_key_was_used_does_not_matter(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """Credentials are not part of a question."""
    body = {"model_name": "keyed", **prompt, **ON}
    gateway.infer(**body, credentials={"key": "one"})

    assert is_hit(gateway, gateway.infer(**body, credentials={"key": "another"}))


@pytest.mark.parametrize("is_streamed", [False, True], ids=["plain", "streamed"])
def test_an_answer_that_repeats_a_key_is_not_kept(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any], is_streamed: bool
) -> None:
    """Others would be told it, and it would lie in the store."""
    box.will("box", says("your key is sk-of this-caller"))
    body = {"model_name": "keyed", **prompt, **ON, "credentials": {"key": "sk-of this-caller"}}

    def ask() -> dict[str, Any]:
        return gateway.stream(**body)[-1] if is_streamed else gateway.infer(**body)

    assert [is_hit(gateway, ask()) for _ in range(2)] == [False, False]


@pytest.mark.parametrize(
    ("name", "arguments", "is_kept"),
    [
        ("page", '{"team":"ops"}', True),
        ("page", '{"team":1}', False),
        ("page", '{"team":', False),
        ("poem", "{}", False),
    ],
    ids=["valid", "case 59: invalid arguments", "no JSON", "case 59: unknown tool"],
)
def test_an_invalid_tool_call_is_not_kept(
    gateway: Gateway,
    box: FakeProviderThread,
    prompt: dict[str, Any],
    name: str,
    arguments: str,
    is_kept: bool,
) -> None:
    """The next answer may be better; streamed calls are not examined."""
    box.will("box", tool_call(name, arguments))
    body = {"function_name": "paging", **prompt, **ON}

    plain = [gateway.infer(**body) for _ in range(2)]
    streamed = [gateway.stream(**body)[-1] for _ in range(2)]

    assert [is_hit(gateway, answer) for answer in plain] == [False, is_kept]
    assert [is_hit(gateway, answer) for answer in streamed] == [False, True]
    for answer in (*plain, *streamed):
        record = gateway.stored(answer["inference_id"])
        assert record is not None
        assert record["output"] == plain[0]["content"]


@pytest.mark.parametrize(
    "faulty",
    [
        cut_after(2),
        malformed_chunk_at(2),
        events([chunk({"content": "a"}), {"error": {"message": "ill"}}]),
    ],
    ids=["case 47: cut off", "case 46: a bad event", "a reported error"],
)
def test_a_faulty_stream_is_not_kept(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any], faulty: Any
) -> None:
    """The next request asks again."""
    box.will("box", faulty)
    body = {"model_name": "box", **prompt, **ON}
    gateway.stream(**body)
    box.will("box", streams(["a", "b"]))

    assert not is_hit(gateway, gateway.stream(**body)[-1])
    assert is_hit(gateway, gateway.stream(**body)[-1])


def test_a_failure_is_not_kept(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """The next request asks again; behind a provider that is down, the second one's entry hits."""
    box.will("box", fails(503))
    body = {"model_name": "pair", **prompt, **ON}

    answers = [gateway.infer(**body) for _ in range(2)]

    asked = [request.scenario for request in box.requests]
    assert asked == ["box", "spare", "box"]
    calls = gateway.calls(answers[1]["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert calls[1]["cached"] is True


def test_case_53_a_dry_run_writes_no_entry(
    gateway: Gateway, box: FakeProviderThread, prompt: dict[str, Any]
) -> None:
    """It may read one."""
    body = {"model_name": "box", **prompt}

    for mode in ("on", "write_only", "on"):
        gateway.infer(**body, dryrun=True, **cached(mode))
    assert len(box.requests) == 3
    gateway.infer(**body, **cached("write_only"))
    dry = gateway.infer(**body, dryrun=True, **ON)

    assert len(box.requests) == 4
    assert dry["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": 0}


def test_entries_survive_a_restart(start_gateway: StartGateway, box: FakeProviderThread) -> None:
    """An orderly one, and a crash."""
    gateway = start_gateway(configuration(box), files=FILES)
    body = {"model_name": "box", **SAYING_HI, **ON}
    gateway.infer(**body)

    gateway.stop()
    gateway.start()
    assert is_hit(gateway, gateway.infer(**body))
    gateway.kill()
    gateway.start()
    assert is_hit(gateway, gateway.infer(**body))


def test_a_cache_that_is_off_is_off(start_gateway: StartGateway, box: FakeProviderThread) -> None:
    """Options of requests are accepted then, and do nothing."""
    gateway = start_gateway("gateway.cache.enabled = false\n" + configuration(box), files=FILES)
    body = {"model_name": "box", **SAYING_HI, **ON}

    assert [is_hit(gateway, gateway.infer(**body)) for _ in range(2)] == [False, False]
