"""What is kept of an inference: its record, and one of each call that was made for it."""

import weakref
from collections.abc import MutableMapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from lsd.conversation import UNSET_PARAMS
from lsd.inference import InferenceFailed
from lsd.inference.answers import Answer
from lsd.inference.records import Recorder, _body
from lsd.store import InferenceRecord, Store
from lsd.store.layout import (
    INFERENCE_BODIES,
    INFERENCES,
    MODEL_INFERENCE_BODIES,
    MODEL_INFERENCES,
    end_of,
    id_key,
)
from lsd.telemetry import SystemClock
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    Pause,
    breaks_after,
    calls,
    completes,
    fails,
    says,
    streams,
)
from tests.unit.inference.gateway import OPERATORS_KEY, VERDICT_SCHEMA, Gateway, Shelf, variant_run
from tests.unit.store.makers import open_store, put

CONFIG = """
[models.m]
routing = ["one", "two"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
cost = [
    { pointer = "/usage/prompt_tokens", cost_per_million = 1 },
    { pointer = "/usage/completion_tokens", cost_per_million = 2 },
]
[models.m.providers.two]
type = "openai"
model_name = "gpt-2"
api_key_location = "dynamic::customers_key"

[models.y]
routing = ["y1"]
providers.y1 = { type = "openai", model_name = "gpt-3" }

[tools.page]
description = "Calls somebody"
parameters = "verdict.json"

[functions.chat]
type = "chat"
[functions.chat.variants.v]
model = "m"
fallback = ["y"]
temperature = 0.5
templates.system.path = "system.minijinja"

[functions.helper]
type = "chat"
tools = ["page"]
variants.v.model = "m"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
variants.v.model = "m"
"""

SILENCE = Answer(
    variant_name="v",
    output=[],
    params=UNSET_PARAMS,
    finish_reason=None,
    calls=(),
    deciding=None,
)

TALK: dict[str, Any] = {
    "input": {
        "system": {"mood": "kind"},
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thought", "text": "hm", "provider_type": "anthropic"},
                    {"type": "text", "text": "Ho"},
                ],
            },
        ],
    }
}


@pytest.fixture
async def gateway(start: StartGateway, shelf: Shelf) -> Gateway:
    """A gateway that records what it does."""
    gateway = start(CONFIG, shelf=shelf, files={"system.minijinja": "Be {{ mood }}."})
    gateway["one"].will(says("Hello"))
    return gateway


async def record(gateway: Gateway, **fields: Any) -> InferenceRecord:
    """The record of a request's inference."""
    answer = await gateway.infer(**fields)
    found = await gateway.stored(answer["inference_id"])
    assert found is not None
    assert found.episode_id == answer["episode_id"]
    return found


async def test_an_inference_has_a_record(gateway: Gateway) -> None:
    """Who answered, what was asked, what was said, under which configuration."""
    made = await record(gateway, **TALK, tags={"team": "ops"}, variant_name="v")

    assert (made.function_name, made.variant_name, made.function_type) == ("chat", "v", "chat")
    assert made.status == "ok"
    assert made.tags == {"team": "ops", "lsd::variant_pinned": "v"}
    assert made.snapshot_hash == gateway.loaded.hash
    assert made.body is not None
    assert made.body.output == [{"type": "text", "text": "Hello"}]
    assert made.body.inference_params == {"chat_completion": {"temperature": 0.5}}


async def test_the_input_is_kept_before_it_is_rendered(gateway: Gateway) -> None:
    """Short forms are written out; blocks for other providers are all there."""
    made = await record(gateway, **TALK)

    assert made.body is not None
    assert made.body.input == {
        "system": {"mood": "kind"},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thought", "text": "hm", "provider_type": "anthropic"},
                    {"type": "text", "text": "Ho"},
                ],
            },
        ],
    }


async def test_a_call_is_kept_as_it_was_sent(gateway: Gateway) -> None:
    """Rendered, without what was meant for others; with both bodies, usage and cost."""
    answer = await gateway.infer(**TALK)

    (call,) = await gateway.stored_calls(answer["inference_id"])
    assert (call.function_name, call.variant_name) == ("chat", "v")
    assert (call.model_name, call.model_provider_name) == ("m", "one")
    assert (call.status, call.error, call.cached) == ("ok", None, False)
    assert (call.input_tokens, call.output_tokens, call.cost) == (10, 5, Decimal("0.00002"))
    assert call.finish_reason == "stop"
    assert call.body is not None
    assert call.body.system == "Be kind."
    assert call.body.input_messages == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Ho"}]},
    ]
    assert call.body.output == [{"type": "text", "text": "Hello"}]
    assert call.body.raw_request == gateway["one"].requests[0].body.decode()
    assert call.body.raw_response is not None
    assert '"Hello"' in call.body.raw_response


@pytest.mark.parametrize(
    "asked",
    [
        TALK,
        {
            "function_name": "helper",
            "input": {"messages": TALK["input"]["messages"]},
            "tags": {"team": "ops"},
            "tool_choice": {"specific": "page"},
            "parallel_tool_calls": False,
            "allowed_tools": ["page"],
            "params": {"chat_completion": {"seed": 7, "stop_sequences": ["."]}},
            "extra_body": [{"pointer": "/user", "value": "u"}],
        },
        {"function_name": "verdict", "input": {"messages": TALK["input"]["messages"]}},
    ],
    ids=["chat", "tools", "json"],
)
async def test_what_is_stored_is_what_its_records_would_be_stored_as(
    gateway: Gateway, tmp_path: Path, asked: Any
) -> None:
    """The fields that the gateway names are those of records, in their order, to the byte."""
    gateway["one"].will(fails(503))
    gateway["two"].will(says("Hello"))
    answer = await gateway.infer(**asked, credentials={"customers_key": "sk-1"})
    made = await gateway.stored(answer["inference_id"])
    assert made is not None
    calls = await gateway.stored_calls(answer["inference_id"])
    assert gateway.store is not None

    with closing(open_store(tmp_path / "second")) as second:
        put(second, second.inferences.record(made, calls))

        assert rows_of(gateway.store, made) == rows_of(second, made)
        assert len(rows_of(second, made)) == 2 + 2 * len(calls)


def rows_of(store: Store, record: InferenceRecord) -> list[tuple[bytes, bytes]]:
    """All JSON that is stored of an inference."""
    own = id_key(record.inference_id)
    with store.data.read() as transaction:
        return [
            row
            for database in (
                INFERENCES,
                INFERENCE_BODIES,
                MODEL_INFERENCES,
                MODEL_INFERENCE_BODIES,
            )
            for row in transaction.range(database, own, end_of(own))
        ]


async def test_the_id_of_a_call_is_the_one_that_was_shown(gateway: Gateway) -> None:
    """Whoever has asked for raw responses can look the call up."""
    answer = await gateway.infer(include_raw_response=True, **TALK)

    (call,) = await gateway.stored_calls(answer["inference_id"])
    (entry,) = answer["raw_response"]
    assert entry["model_inference_id"] == call.id


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 0, "completion_tokens": 0}, (None, None, None)),
        (None, (None, None, None)),
        (
            {
                "prompt_tokens": 7,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
            (7, 3, 0),
        ),
    ],
    ids=["zeros", "nothing", "provider's cache"],
)
async def test_no_tokens_are_kept_as_unknown(
    gateway: Gateway, usage: Any, tokens: tuple[int | None, ...]
) -> None:
    """A provider that reports 0 has not counted; of its cache 0 is a count."""
    gateway["one"].will(completes({"content": "Hi"}, usage=usage))
    answer = await gateway.infer(**TALK)

    (call,) = await gateway.stored_calls(answer["inference_id"])

    assert tokens == (
        call.input_tokens,
        call.output_tokens,
        call.provider_cache_read_input_tokens,
    )
    if usage is not None and not usage["prompt_tokens"]:
        assert answer["usage"]["input_tokens"] == 0


async def test_failed_calls_are_kept_beside_the_good_one(gateway: Gateway) -> None:
    """The record tells the model and the provider that answered in the end."""
    gateway["one"].will(fails(503, "ill"))
    gateway["two"].will(fails(400, "bad"))
    gateway["y1"].will(says("Hi"))
    answer = await gateway.infer(credentials={"customers_key": "sk-customer"}, **TALK)

    one, two, y1 = await gateway.stored_calls(answer["inference_id"])

    assert [
        (each.model_name, each.model_provider_name, each.status) for each in (one, two, y1)
    ] == [
        ("m", "one", "error"),
        ("m", "two", "error"),
        ("y", "y1", "ok"),
    ]
    assert one.error == "openai returned HTTP 503: ill [code: x_error]"
    assert (one.input_tokens, one.output_tokens, one.cost) == (None, None, None)
    assert one.body is not None
    assert one.body.output is None
    assert one.body.raw_response is not None
    assert '"ill"' in one.body.raw_response
    assert y1.variant_name == "v"


async def test_of_a_failed_inference_only_its_calls_are_kept(gateway: Gateway) -> None:
    """They are found by the ids that the error tells."""
    for name in ("one", "two", "y1"):
        gateway[name].will(fails(400))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer(credentials={"customers_key": "sk-customer"}, **TALK)

    assert failed.value.inference_id is not None
    assert failed.value.episode_id is not None
    kept = await gateway.stored_calls(failed.value.inference_id)
    assert [call.status for call in kept] == ["error"] * 3
    assert await gateway.all_stored() == []
    assert gateway.store is not None
    of_episode = gateway.store.inferences.failed_attempts(failed.value.episode_id)
    assert [call.id for call in of_episode] == [call.id for call in kept]


async def test_without_a_call_there_is_nothing_to_keep(gateway: Gateway) -> None:
    """An inference that failed before anybody was asked leaves no trace."""
    with pytest.raises(InferenceFailed):
        await gateway.infer()  # the template has no mood to fill in

    assert gateway.providers.asked() == []
    assert gateway.writer is not None
    assert gateway.writer.statistics().writes_queued == 0


async def test_a_dry_run_leaves_nothing(gateway: Gateway) -> None:
    """Neither a good one nor a failed one."""
    good = await gateway.infer(dryrun=True, **TALK)
    for name in ("one", "two", "y1"):
        gateway[name].will(fails(400))
    with pytest.raises(InferenceFailed):
        await gateway.infer(dryrun=True, **TALK)

    assert await gateway.stored(good["inference_id"]) is None
    assert await gateway.stored_calls(good["inference_id"]) == []
    assert gateway.writer is not None
    assert gateway.writer.statistics().writes_queued == 0


async def test_a_json_inference_keeps_what_stands_beside_the_json(gateway: Gateway) -> None:
    """Thoughts and other texts are kept, but not returned; the schema is the one in force."""
    message = {"content": '{"urgent":true}', "reasoning_content": "hm"}
    gateway["one"].will(completes(message))

    own = await record(gateway, function_name="verdict")
    given = await record(gateway, function_name="verdict", output_schema={"type": "object"})

    assert own.function_type == "json"
    assert own.body is not None
    assert given.body is not None
    assert own.body.output == {"raw": '{"urgent":true}', "parsed": {"urgent": True}}
    assert [block["type"] for block in own.body.auxiliary_content] == ["thought"]
    assert own.body.output_schema == VERDICT_SCHEMA
    assert given.body.output_schema == {"type": "object"}
    assert own.body.tool_choice is None


async def test_tools_are_kept_as_the_request_gave_them(gateway: Gateway) -> None:
    """What the request has not said is not kept; without tools nothing is."""
    lookup = {"name": "lookup", "description": "d", "parameters": {}}
    custom = {"type": "openai_custom", "name": "sql", "format": {"type": "text"}}
    gateway["one"].will(calls("page", '{"urgent":true}'))

    told = await record(
        gateway,
        function_name="helper",
        additional_tools=[lookup, custom],
        allowed_tools=["page"],
        tool_choice={"specific": "page"},
        parallel_tool_calls=False,
    )
    silent = await record(gateway, function_name="helper")
    without = await record(gateway, tool_choice="required", **TALK)

    assert told.body is not None
    assert told.body.additional_tools == [
        {"type": "function", **lookup, "strict": False},
        custom,
    ]
    assert told.body.allowed_tools == ["page"]
    assert told.body.tool_choice == {"specific": "page"}
    assert told.body.parallel_tool_calls is False
    assert told.body.output[0]["arguments"] == {"urgent": True}
    for made in (silent, without):
        assert made.body is not None
        for field in ("additional_tools", "allowed_tools", "tool_choice", "parallel_tool_calls"):
            assert getattr(made.body, field) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"tool": {"type": "web"}}, {"tool": {"type": "web"}}),
        ({"tool": {}, "scope": None}, {"tool": {}}),
        (
            {"tool": {}, "scope": {"model_name": "other"}},
            {"tool": {}, "scope": {"model_name": "other"}},
        ),
        (
            {"tool": {}, "scope": {"model_name": "m", "provider_name": "two"}},
            {"tool": {}, "scope": {"model_name": "m", "provider_name": "two"}},
        ),
    ],
    ids=["everywhere", "null scope", "model", "provider"],
)
async def test_provider_tools_are_kept_with_their_scopes(
    gateway: Gateway, given: Any, kept: Any
) -> None:
    """In the form in which they may be sent again."""
    asked = variant_run(gateway, provider_tools=[given], **TALK)

    body = _body(asked.run, asked.accepted, SILENCE)

    assert body["provider_tools"] == [kept]


@pytest.mark.parametrize(
    ("content", "is_kept"),
    [
        ("Hi", True),
        ([{"type": "file", "mime_type": "image/png", "data": "aGk="}], False),
    ],
    ids=["text", "file"],
)
async def test_the_bytes_of_files_do_not_wait_for_the_commit(
    gateway: Gateway, shelf: Shelf, content: Any, is_kept: bool
) -> None:
    """What a write is made of lives until then, but for a request with files, which may be big."""
    talk = {"system": {"mood": "kind"}, "messages": [{"role": "user", "content": content}]}
    recorder = Recorder(shelf.store, shelf.writer, waits_for_commit=False)
    asked = variant_run(gateway, input=talk)
    run = weakref.ref(asked.run)

    write = recorder.answered(asked.run, asked.accepted, SILENCE)
    del asked

    assert (run() is not None) is is_kept
    assert write.rows == 1


async def test_edits_of_the_body_are_kept_those_of_headers_are_not(gateway: Gateway) -> None:
    """A header may hold a key; a body is kept as it was sent anyway."""
    edits = [
        {"pointer": "/a", "value": None},
        {"pointer": "/b", "delete": True, "model_name": "m", "provider_name": "one"},
    ]

    made = await record(
        gateway,
        extra_body=edits,
        extra_headers=[{"name": "x-secret", "value": "tok-98765"}],
        **TALK,
    )

    assert made.body is not None
    assert made.body.extra_body == edits


async def test_secrets_occur_nowhere_in_the_store(
    gateway: Gateway, tmp_path: Path, shelf: Shelf
) -> None:
    """Whatever a provider repeats: credentials and headers of a request are not written down."""
    secrets = ("sk-customer-1", "tok-98765", OPERATORS_KEY)
    told = f"who are {' and '.join(secrets)}?"
    gateway["one"].will(fails(400, told), breaks_after("a", event_of(told)), says("Hello"))
    gateway["two"].will(fails(400, "who is sk-customer-1?"))
    gateway["y1"].will(fails(400, told))
    options: dict[str, Any] = {
        "credentials": {"customers_key": "sk-customer-1"},
        "extra_headers": [{"name": "x-token", "value": "tok-98765"}],
        "cache_options": {"enabled": "on"},
        **TALK,
    }

    with pytest.raises(InferenceFailed):
        await gateway.infer(**options)
    await gateway.stream(**options)
    await gateway.infer(**options)

    await shelf.writer.settle()
    files = [path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert any(b"Hello" in each for each in files)
    for secret in secrets:
        assert not any(secret.encode() in each for each in files)


def event_of(message: str) -> bytes:
    """An error within a stream."""
    return b'data: {"error":{"message":"' + message.encode() + b'"}}\n\n'


async def test_a_stream_is_kept_with_its_raw_events(
    start: StartGateway, shelf: Shelf, autojump_clock: trio.testing.MockClock
) -> None:
    """Joined by newlines; times count from the request, and at the provider from the call."""
    gateway = start(CONFIG, shelf=shelf, files={"system.minijinja": ""})
    gateway["one"].will(fails(500, after_s=1))
    gateway["two"].will(streams(Pause(0.5), "An old", Pause(2), " pond"))

    events = await gateway.stream(credentials={"customers_key": "sk-customer-1"})

    made = await gateway.stored(events[0]["inference_id"])
    assert made is not None
    assert (made.status, made.processing_time_ms, made.ttft_ms) == ("ok", 3500, 1500)
    assert made.body is not None
    assert made.body.output == [{"type": "text", "text": "An old pond"}]
    _, call = await gateway.stored_calls(events[0]["inference_id"])
    assert (call.response_time_ms, call.ttft_ms) == (2500, 500)
    assert call.body is not None
    assert call.body.raw_response is not None
    assert call.body.raw_response.count("\n") == 2


async def test_a_broken_stream_is_kept_as_interrupted(gateway: Gateway) -> None:
    """With what had arrived, and without a finish reason."""
    gateway["one"].will(breaks_after("An old"))

    events = await gateway.stream(**TALK)

    made = await gateway.stored(events[0]["inference_id"])
    assert made is not None
    assert made.status == "interrupted"
    assert made.body is not None
    assert made.body.output == [{"type": "text", "text": "An old"}]
    (call,) = await gateway.stored_calls(events[0]["inference_id"])
    assert (call.status, call.finish_reason) == ("interrupted", None)
    assert call.error == "openai: stream ended early; the connection broke"


async def test_a_plain_answer_has_no_first_chunk(gateway: Gateway) -> None:
    """Nothing was streamed, so nothing came first."""
    made = await record(gateway, **TALK)

    assert made.ttft_ms is None
    assert made.processing_time_ms is not None


async def test_a_model_is_recorded_under_its_own_name(gateway: Gateway) -> None:
    """As the variant of the built-in function."""
    made = await record(gateway, model_name="m")

    assert (made.function_name, made.variant_name) == ("lsd::default", "m")


async def test_records_are_found_by_id_episode_function_and_tag(gateway: Gateway) -> None:
    """At once, and each once."""
    made = await record(gateway, tags={"team": "ops"}, **TALK)

    found = await gateway.all_stored()
    assert [each.inference_id for each in found] == [made.inference_id]
    assert gateway.store is not None
    episode = gateway.store.episodes.get(made.episode_id)
    assert episode is not None
    assert episode.count == 1


@pytest.mark.parametrize("waits", [True, False], ids=["before the answer", "after the answer"])
async def test_an_answer_may_wait_for_its_record(
    start: StartGateway, store: Store, waits: bool
) -> None:
    """With `async_writes` off nothing is answered that is not committed."""
    writer = store.writer(SystemClock())
    shelf = Shelf(store, writer, None, None)  # type: ignore[arg-type]
    gateway = start(CONFIG, shelf=shelf, waits_for_commit=waits, files={"system.minijinja": ""})
    gateway["one"].will(says("Hi"))
    answered = trio.Event()

    async def infer() -> None:
        await gateway.infer()
        answered.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(infer)
        await trio.testing.wait_all_tasks_blocked()
        assert answered.is_set() is not waits
        await nursery.start(writer.run)
        await answered.wait()
        await writer.close()


async def test_a_store_that_fails_changes_no_answer(
    gateway: Gateway, shelf: Shelf, log: list[MutableMapping[str, Any]]
) -> None:
    """The log tells which inference was lost."""
    await shelf.writer.close()

    answer = await gateway.infer(**TALK)

    assert answer["content"] == [{"type": "text", "text": "Hello"}]
    (entry,) = [each for each in log if each["event"] == "inference not recorded"]
    assert entry["inference_id"] == answer["inference_id"]


async def test_without_a_recorder_nothing_is_kept(start: StartGateway) -> None:
    """Answers are the same."""
    gateway = start(CONFIG, files={"system.minijinja": ""})
    gateway["one"].will(says("Hello"))

    assert (await gateway.infer())["content"] == [{"type": "text", "text": "Hello"}]
