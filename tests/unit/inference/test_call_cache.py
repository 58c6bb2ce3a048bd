"""How one inference uses the inference cache, whose unit is one call of one provider."""

from collections.abc import MutableMapping
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from lsd.conversation import LsdError
from lsd.inference import InferenceFailed
from lsd.inference.provider_call import ProviderCall
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    DONE,
    Script,
    breaks_after,
    calls,
    chunk,
    event,
    fails,
    hangs,
    said,
    says,
    stream_of,
    streams,
    tool_chunk,
)
from tests.unit.inference.gateway import PLAIN, Gateway, Shelf, attempt

CONFIG = """
[models.m]
routing = ["one", "two"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 1 }]
[models.m.providers.two]
type = "openai"
model_name = "gpt-2"

[models.n]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[tools.page]
description = "Calls somebody"
parameters = "verdict.json"

[functions.chat]
type = "chat"
variants.v.model = "m"
[functions.chat.variants.cool]
model = "m"
temperature = 0
[functions.chat.variants.edited]
model = "m"
extra_body = [{ pointer = "/a", value = 1 }]

[functions.other]
type = "chat"
variants.v.model = "m"

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
"""

ON = {"cache_options": {"enabled": "on"}}
LATER = {"input": {"messages": [{"role": "user", "content": "Later"}]}}


@attrs.define(eq=False)
class FakeCache:
    """A cache in a dictionary, which may be broken."""

    entries: dict[bytes, bytes] = attrs.Factory(dict)
    is_broken: bool = False

    def get(self, key: bytes, *, max_age_s: int | None, now_ms: int) -> bytes | None:
        self._check()
        return self.entries.get(key)

    def put(self, key: bytes, entry: bytes, *, now_ms: int) -> None:
        self._check()
        self.entries[key] = entry

    def _check(self) -> None:
        if self.is_broken:
            raise LsdError("the disk is gone")


class Cached:
    """A gateway with a cache; tells whether its provider had to be asked."""

    def __init__(self, start: StartGateway, config: str = CONFIG) -> None:
        self.gateway = start(config)
        self.cache = FakeCache()
        self.gateway.service.cache = self.cache  # type: ignore[assignment]
        self.gateway["one"].will(says("Hi"))

    async def is_hit(self, **fields: Any) -> bool:
        """Whether a plain request with these fields, cache on, is answered without a call."""
        asked = len(self.gateway["one"].requests)
        await self.gateway.infer(**{**ON, **fields})
        return len(self.gateway["one"].requests) == asked


@pytest.fixture
async def cached(start: StartGateway) -> Cached:
    """A gateway with a cache that holds nothing yet."""
    return Cached(start)


async def test_the_second_time_an_answer_comes_from_the_cache(cached: Cached) -> None:
    """It says the same, and is billed as nothing."""
    first = await cached.gateway.infer(**ON)
    second = await cached.gateway.infer(include_raw_usage=True, include_raw_response=True, **ON)

    assert len(cached.gateway["one"].requests) == 1
    assert second["content"] == first["content"]
    assert second["finish_reason"] == "stop"
    assert first["usage"] == {"input_tokens": 10, "output_tokens": 5, "cost": 0.00001}
    assert second["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": 0}
    assert second["raw_usage"] == []
    assert second["raw_response"] == []
    assert second["inference_id"] != first["inference_id"]


@pytest.mark.parametrize(
    ("mode", "dryrun", "reads", "writes"),
    [
        ("off", False, False, False),
        ("read_only", False, True, False),
        ("write_only", False, False, True),
        ("on", False, True, True),
        ("off", True, False, False),
        ("read_only", True, True, False),
        ("write_only", True, False, False),
        ("on", True, True, False),
    ],
)
async def test_a_request_says_what_it_does_with_the_cache(
    cached: Cached, mode: str, dryrun: bool, reads: bool, writes: bool
) -> None:
    """Reading and writing are two things; a dry run writes nothing."""
    options: dict[str, Any] = {"cache_options": {"enabled": mode}, "dryrun": dryrun}

    has_written = not await cached.is_hit(**LATER, **options) and await cached.is_hit(
        cache_options={"enabled": "read_only"}, **LATER
    )
    await cached.is_hit()
    has_read = await cached.is_hit(**options)

    assert (has_read, has_written) == (reads, writes)


@pytest.mark.parametrize(
    "fields",
    [
        {"episode": "new"},
        {"tags": {"a": "b"}},
        {"function_name": "other"},
        {"model_name": "m"},
        {"credentials": {"k": "v"}},
        {"include_raw_usage": True},
        {"params": {"chat_completion": {"temperature": None}}},
        {"extra_body": [{"pointer": "/a", "value": 1, "variant_name": "cool"}]},
        {
            "input": {
                "messages": [{"role": "user", "content": [{"type": "raw_text", "value": "Hi"}]}]
            }
        },
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_who_asks_does_not_matter(cached: Cached, fields: dict[str, Any]) -> None:
    """Other episodes, tags, functions and flags find the same answer to the same request."""
    fields.pop("episode", None)

    await cached.is_hit()

    assert await cached.is_hit(**fields)


def key(gateway: Gateway, **fields: Any) -> bytes:
    """The key of the first call of a request."""
    asked = attempt(gateway, **{"variant_name": "v", **ON, **fields})
    provider = asked.provider
    call = ProviderCall(
        asked.run, asked.generation, asked.model, provider, asked.request, provider.whole_limit
    )
    assert asked.run.cache is not None
    return asked.run.cache._key(call.entry, call.own_edits)


TOOL = {"name": "n", "description": "d", "parameters": {}, "strict": False}
CUSTOM = {"type": "openai_custom", "name": "n"}
FILE = {"type": "file", "url": "https://files.example/a.png"}


def with_content(*blocks: Any) -> dict[str, Any]:
    """A request of one message."""
    return {"input": {"messages": [{"role": "user", "content": list(blocks)}]}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, LATER),
        ({}, {"input": {"system": "s", **LATER["input"]}}),
        ({}, {"input": {"messages": [{"role": "assistant", "content": "Hi"}]}}),
        ({}, {"stream": True}),
        ({}, {"function_name": "lsd::default", "model_name": "n"}),
        ({}, {"params": {"chat_completion": {"temperature": 0.5}}}),
        ({}, {"params": {"chat_completion": {"json_mode": "on"}}}),
        ({}, {"output_schema": {"type": "object"}}),
        ({}, {"extra_body": [{"pointer": "/a", "value": 1}]}),
        ({}, {"extra_headers": [{"name": "a", "value": "1"}]}),
        ({}, {"additional_tools": [TOOL]}),
        ({"additional_tools": [TOOL]}, {"additional_tools": [{**TOOL, "description": "e"}]}),
        ({"additional_tools": [TOOL]}, {"additional_tools": [{**TOOL, "strict": True}]}),
        ({"additional_tools": [TOOL]}, {"additional_tools": [{**TOOL, "parameters": {"a": 1}}]}),
        ({"additional_tools": [CUSTOM]}, {"additional_tools": [{**CUSTOM, "description": "d"}]}),
        (
            {"additional_tools": [TOOL], "tool_choice": "auto"},
            {"additional_tools": [TOOL], "tool_choice": "required"},
        ),
        (
            {"additional_tools": [TOOL], "tool_choice": "required"},
            {"additional_tools": [TOOL], "tool_choice": {"specific": "n"}},
        ),
        ({"additional_tools": [TOOL]}, {"additional_tools": [TOOL], "parallel_tool_calls": False}),
        ({"additional_tools": [TOOL]}, {"additional_tools": [TOOL], "allowed_tools": ["n"]}),
        ({}, {"provider_tools": [{"tool": {}}]}),
        ({"provider_tools": [{"tool": {"a": 1}}]}, {"provider_tools": [{"tool": {"a": 2}}]}),
        (
            {"extra_body": [{"pointer": "/a", "value": None}]},
            {"extra_body": [{"pointer": "/a", "delete": True}]},
        ),
        (
            {"extra_headers": [{"name": "a", "value": ""}]},
            {"extra_headers": [{"name": "a", "delete": True}]},
        ),
        (with_content(FILE), with_content({**FILE, "detail": "low"})),
        (
            with_content({"type": "thought", "text": "a"}),
            with_content({"type": "text", "text": "a"}),
        ),
    ],
    ids=[
        "text",
        "system",
        "role",
        "stream",
        "model",
        "params",
        "json mode",
        "schema",
        "body",
        "headers",
        "tools",
        "a tool's description",
        "a tool's strictness",
        "a tool's parameters",
        "a free-form tool",
        "tool choice",
        "specific tool",
        "parallel calls",
        "allowed tools",
        "provider tools",
        "a provider tool",
        "null or delete",
        "empty or delete",
        "a file's detail",
        "kind of block",
    ],
)
async def test_everything_that_shapes_the_answer_matters(
    cached: Cached, one: dict[str, Any], other: dict[str, Any]
) -> None:
    """A request is never given the answer to another one."""
    if "model_name" in other:
        other = {"model_name": "n", "variant_name": None}

    assert key(cached.gateway, **one) == key(cached.gateway, **one)
    assert key(cached.gateway, **one) != key(cached.gateway, **other)


async def test_a_variants_own_edits_and_params_matter(cached: Cached) -> None:
    """Two variants share an answer only if they ask the same."""
    await cached.is_hit(variant_name="v")

    assert not await cached.is_hit(variant_name="cool")
    assert not await cached.is_hit(variant_name="edited")
    assert await cached.is_hit(variant_name="v")


async def test_chat_and_json_functions_share_nothing(cached: Cached) -> None:
    """Even if their requests looked the same."""
    options = {
        "params": {"chat_completion": {"json_mode": "strict"}},
        "output_schema": {"type": "object"},
    }

    assert key(cached.gateway, **options) != key(cached.gateway, function_name="verdict", **options)


async def test_where_files_go_as_bytes_answers_are_others(start: StartGateway) -> None:
    """A provider that is sent the bytes may see something else than one that fetches the URL."""
    fetching = "[gateway]\nfetch_and_encode_input_files_before_inference = true\n" + CONFIG
    keys = {key(Cached(start, each).gateway, **with_content(FILE)) for each in (CONFIG, fetching)}

    assert len(keys) == 2


async def test_each_provider_has_its_own_entries(cached: Cached) -> None:
    """The cache is asked just before each call, in the order of the routing."""
    cached.gateway["one"].will(fails(500))
    cached.gateway["two"].will(says("From two"))
    await cached.gateway.infer(**ON)
    await cached.gateway.infer(**ON)

    assert len(cached.gateway["one"].requests) == 2
    assert len(cached.gateway["two"].requests) == 1

    cached.gateway["one"].will(says("From one"))
    answer = await cached.gateway.infer(**ON)
    assert answer["content"][0]["text"] == "From one"


async def test_failed_calls_are_not_kept(cached: Cached) -> None:
    """They may go better the next time."""
    cached.gateway["one"].will(fails(500), says("Hi"))
    cached.gateway["two"].will(fails(500))
    with pytest.raises(InferenceFailed):
        await cached.gateway.infer(**ON)

    assert not await cached.is_hit()
    assert await cached.is_hit()


@pytest.mark.parametrize(
    ("function", "arguments", "name", "is_kept"),
    [
        ("helper", '{"urgent":true}', "page", True),
        ("helper", '{"urgent":1}', "page", False),
        ("helper", '{"urgent"', "page", False),
        ("helper", '{"urgent":true}', "unheard", False),
        ("chat", '{"any":"thing"}', "unheard", True),
        ("chat", "{not JSON", "unheard", False),
        ("verdict", "{not JSON", "respond", False),
        ("verdict", "{}", "respond", True),
    ],
)
async def test_an_answer_with_an_unusable_call_is_not_kept(
    cached: Cached, function: str, arguments: str, name: str, is_kept: bool
) -> None:
    """Trying again may give a better one; without tools it is enough that arguments are JSON."""
    cached.gateway["one"].will(calls(name, arguments))

    assert not await cached.is_hit(function_name=function)
    assert await cached.is_hit(function_name=function) == is_kept


async def test_a_stream_is_played_again_as_it_was_cut(cached: Cached) -> None:
    """The same pieces, then the end; plain and streamed answers are different entries."""
    await cached.is_hit()
    cached.gateway["one"].will(streams("An old", " pond", usage={"prompt_tokens": 9}))

    first = await cached.gateway.stream(**ON)
    second = await cached.gateway.stream(include_raw_response=True, **ON)

    assert len(cached.gateway["one"].requests) == 2
    assert [each["content"] for each in second] == [each["content"] for each in first]
    assert second[-1]["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": 0}
    assert second[-1]["finish_reason"] == "stop"
    assert all("raw_chunk" not in each for each in second)


@pytest.mark.parametrize(
    "script",
    [
        breaks_after("a"),
        stream_of(said("a"), b"data: {bad\n\n", said("b"), DONE),
        stream_of(said("a"), event({"error": {"message": "ill"}}), said("b"), DONE),
    ],
    ids=["broken", "undecodable event", "error event"],
)
async def test_a_stream_with_a_fault_is_not_kept(cached: Cached, script: Script) -> None:
    """What went wrong once is not to be repeated for a day."""
    cached.gateway["one"].will(script)
    await cached.gateway.stream(**ON)
    await cached.gateway.stream(**ON)

    assert len(cached.gateway["one"].requests) == 2


async def test_calls_in_streams_are_not_examined(cached: Cached) -> None:
    """A streamed call has left already; it is kept as it was."""
    cached.gateway["one"].will(
        stream_of(
            tool_chunk(call_id="c", name="unheard", arguments="{not JSON"),
            chunk({}, finish_reason="tool_calls"),
            DONE,
        )
    )
    await cached.gateway.stream(function_name="helper", **ON)
    await cached.gateway.stream(function_name="helper", **ON)

    assert len(cached.gateway["one"].requests) == 1


async def test_a_broken_cache_holds_nothing_and_harms_nobody(
    cached: Cached, log: list[MutableMapping[str, Any]]
) -> None:
    """Requests are answered by providers then, and the log tells why."""
    cached.cache.is_broken = True

    assert not await cached.is_hit()
    assert not await cached.is_hit()

    events = {entry["event"] for entry in log}
    assert {"inference cache not readable", "inference cache not writable"} <= events


async def test_an_entry_that_is_no_json_is_no_entry(cached: Cached) -> None:
    """Whatever has happened to it, the provider is asked instead."""
    await cached.is_hit()
    for each in cached.cache.entries:
        cached.cache.entries[each] = b"{half"

    assert not await cached.is_hit()
    assert await cached.is_hit()


@pytest.mark.parametrize(
    ("max_age_s", "after_s", "is_hit"),
    [(None, 1000, True), (None, 86_401, False), (10, 9, True), (10, 10, False), (0, 0, False)],
)
async def test_an_answer_may_be_too_old(
    start: StartGateway,
    shelf: Shelf,
    autojump_clock: trio.testing.MockClock,
    max_age_s: int | None,
    after_s: float,
    is_hit: bool,
) -> None:
    """A request says what age it takes; without a word entries live for `gateway.cache.ttl_s`."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(says("Hi"))
    await gateway.infer(**ON)

    await trio.sleep(after_s)
    await gateway.infer(cache_options={"enabled": "on", "max_age_s": max_age_s})

    assert len(gateway["one"].requests) == (1 if is_hit else 2)


async def test_a_hit_is_recorded_as_such(start: StartGateway, shelf: Shelf) -> None:
    """With the tokens of the first call, at no cost and in no time."""
    gateway = start(CONFIG, shelf=shelf)
    gateway["one"].will(says("Hi"))
    await gateway.infer(**ON)

    answer = await gateway.infer(**ON)

    (call,) = await gateway.stored_calls(answer["inference_id"])
    assert (call.status, call.cached, call.cost, call.response_time_ms) == ("ok", True, 0, 0)
    assert (call.input_tokens, call.output_tokens, call.finish_reason) == (10, 5, "stop")
    assert call.body is not None
    assert call.body.output == [{"type": "text", "text": "Hi"}]
    assert call.body.raw_request is not None
    assert call.body.raw_response is not None


async def test_a_hit_needs_no_time_of_a_slow_provider(
    cached: Cached, autojump_clock: trio.testing.MockClock
) -> None:
    """What is in the cache is given, whatever has become of its provider."""
    await cached.is_hit()
    cached.gateway["one"].will(hangs())

    assert await cached.is_hit()
