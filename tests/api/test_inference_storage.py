"""What is on record of an inference, when it can be read, and what never gets there."""

from pathlib import Path

import orjson
import pytest

from lsd.store import Selection, TagIs
from tests.api.asking import SAYING_HI, Box, model, open_store, saying, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import answers, chunk, completes, events, fails, says, streams
from tests.fakes.provider_thread import FakeProviderThread

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
FILES = {"number.json": orjson.dumps(NUMBER).decode(), "system.minijinja": "Be kind."}

TABLES = """
    [functions.chat]
    type = "chat"
    [functions.chat.variants.only]
    model = "box"
    system_template = "system.minijinja"
    temperature = 0.5

    [functions.count]
    type = "json"
    output_schema = "number.json"
    variants.only.model = "box"

    [metrics.helpful]
    type = "boolean"
    optimize = "max"
    level = "inference"
"""

COST = """
    cost = [
        { pointer = "/usage/prompt_tokens", cost_per_million = 0.15, required = true },
        { pointer = "/usage/completion_tokens", cost_per_million = 0.6 },
        { pointer = "/usage/absent", cost_per_unit = 1 },
    ]
"""

SYNC = "gateway.observability.async_writes = false\n"
BATCH = """
    [gateway.observability]
    async_writes = false
    batch_writes = { enabled = true, flush_interval_ms = 60000, max_rows = 100000 }
"""
OFF = "gateway.observability.enabled = false\n"

CHAT = {"function_name": "chat", **SAYING_HI}


@pytest.fixture
def box(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The one provider."""
    shared_provider.forget()
    shared_provider.will("box", says("yes"))
    return shared_provider


def configuration(provider: FakeProviderThread, head: str = "") -> str:
    """Models with and without a cost table."""
    url = provider.url("box")
    dynamic = 'api_key_location = "dynamic::tenant"'
    tables = [
        model("box", Box("one", url)),
        model("costly", Box("one", url, COST)),
        model("keyed", Box("one", url, dynamic)),
    ]
    return head + "".join(tables) + TABLES


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway that answers first and commits right after."""
    return start_shared(configuration(shared_provider), files=FILES)


@pytest.fixture(scope="module", params=["async", "sync", "batch"])
def any_mode(
    start_shared: StartGateway, shared_provider: FakeProviderThread, request: pytest.FixtureRequest
) -> Gateway:
    """A gateway in each mode of writing."""
    head = {"async": "", "sync": SYNC, "batch": BATCH}[request.param]
    return start_shared(configuration(shared_provider, head), files=FILES)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_case_52_an_answer_can_be_read_at_once(
    any_mode: Gateway, box: FakeProviderThread, stream: bool
) -> None:
    """By whoever has it, in every mode of writing."""
    for _ in range(20):
        answer = any_mode.stream(**CHAT)[-1] if stream else any_mode.infer(**CHAT)

        record = any_mode.stored(answer["inference_id"])
        assert record is not None
        assert record["episode_id"] == answer["episode_id"]


def test_feedback_reaches_the_newest_answer(any_mode: Gateway, box: FakeProviderThread) -> None:
    """Without a pause in between."""
    for _ in range(20):
        answer = any_mode.infer(**CHAT)
        given = any_mode.feedback(
            metric_name="helpful", inference_id=answer["inference_id"], value=True
        )
        assert given["feedback_id"]


def test_case_52_an_answer_is_found_by_episode_and_by_tag_once(
    start_gateway: StartGateway, box: FakeProviderThread
) -> None:
    """Written before the answer is sent, it is there for other processes, too."""
    gateway = start_gateway(configuration(box, SYNC), files=FILES)
    selections = [
        lambda answer: Selection(episode_id=answer["episode_id"]),
        lambda answer: Selection(filter=TagIs(key="team", value=answer["episode_id"])),
        lambda answer: Selection(function_name="chat", variant_name="only"),
    ]

    with open_store(gateway) as store:
        for number in range(1, 4):
            first = gateway.infer(**CHAT)
            tags = {"team": first["episode_id"]}
            answer = gateway.stream(**CHAT, episode_id=first["episode_id"], tags=tags)[-1]

            by_episode, by_tag, by_function = (
                [each.inference_id for each in store.inferences.page(select(answer), limit=99)]
                for select in selections
            )
            assert by_episode == [answer["inference_id"], first["inference_id"]]
            assert by_tag == [answer["inference_id"]]
            assert by_function[:2] == by_episode
            assert len(by_function) == 2 * number


def test_the_record_of_a_chat(gateway: Gateway, box: FakeProviderThread) -> None:
    """Input before rendering, output as returned, effective parameters, final tags."""
    params = {"chat_completion": {"max_tokens": 9}}

    answer = gateway.infer(
        function_name="chat", **saying("hi"), params=params, tags={"a": "b"}, namespace="acme"
    )

    record = gateway.stored(answer["inference_id"])
    assert record is not None
    times = [record.pop(name) for name in ("timestamp", "processing_time_ms")]
    assert times[0].endswith("Z")
    assert times[1] >= 0
    assert record == {
        "type": "chat",
        "inference_id": answer["inference_id"],
        "episode_id": answer["episode_id"],
        "function_name": "chat",
        "variant_name": "only",
        "status": "ok",
        "tags": {"a": "b", "lsd::namespace": "acme"},
        "ttft_ms": None,
        "snapshot_hash": gateway.client.get("/status").json()["config_hash"],
        "dispreferred_outputs": [],
        "input": {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        "output": answer["content"],
        "inference_params": {"chat_completion": {"temperature": 0.5, "max_tokens": 9}},
        "extra_body": [],
        "provider_tools": [],
    }


def test_the_record_of_a_call(gateway: Gateway, box: FakeProviderThread) -> None:
    """What the provider was sent, word for word, and what it said."""
    answer = gateway.infer(**CHAT)

    (call,) = gateway.calls(answer["inference_id"])
    request = box.wait_for_request()
    assert call["raw_request"] == request.body.decode()
    assert orjson.loads(call["raw_response"])["choices"][0]["message"]["content"] == "yes"
    del call["raw_request"], call["raw_response"], call["timestamp"], call["id"]
    assert call.pop("response_time_ms") >= 0
    assert call == {
        "inference_id": answer["inference_id"],
        "status": "ok",
        "model_name": "box",
        "model_provider_name": "one",
        "input_tokens": 10,
        "output_tokens": 5,
        "cached": False,
        "finish_reason": "stop",
        "system": "Be kind.",
        "input_messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "output": [{"type": "text", "text": "yes"}],
    }


def test_the_record_of_a_streamed_call(gateway: Gateway, box: FakeProviderThread) -> None:
    """Its raw answer is the events, line by line; the time to the first chunk is known."""
    box.will("box", streams(["a", "b"]))

    answer = gateway.stream(**CHAT)[-1]

    (call,) = gateway.calls(answer["inference_id"])
    lines = [orjson.loads(line) for line in call["raw_response"].split("\n")]
    deltas = [line["choices"][0]["delta"].get("content") for line in lines]
    assert deltas == ["", "a", "b", None]
    assert 0 <= call["ttft_ms"] <= call["response_time_ms"]
    record = gateway.stored(answer["inference_id"])
    assert record is not None
    assert call["ttft_ms"] <= record["ttft_ms"] <= record["processing_time_ms"]


def test_case_53_a_dry_run_leaves_nothing(gateway: Gateway, box: FakeProviderThread) -> None:
    """The answer is real; its id means nothing to anybody."""
    plain = gateway.infer(**CHAT, dryrun=True)
    streamed = gateway.stream(**CHAT, dryrun=True)[-1]
    box.will("box", fails(500))
    failed = gateway.post("/inference", {**CHAT, "dryrun": True}).json()

    assert text_of(plain) == "yes"
    assert plain["usage"]["input_tokens"] == 10
    for answer in (plain, streamed, failed):
        assert gateway.stored(answer["inference_id"]) is None
        assert gateway.calls(answer["inference_id"]) == []
        assert gateway.calls(answer["episode_id"]) == []
        feedback = {"metric_name": "helpful", "inference_id": answer["inference_id"], "value": True}
        assert gateway.post("/feedback", feedback).status_code == 400


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_case_54_no_tokens_are_an_unknown_number_on_record(
    gateway: Gateway, box: FakeProviderThread, stream: bool
) -> None:
    """The answer tells the provider's zero."""
    usage = {"prompt_tokens": 0, "completion_tokens": 0}
    box.will("box", says("yes", usage=usage))

    answer = gateway.stream(**CHAT)[-1] if stream else gateway.infer(**CHAT)

    assert answer["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": None}
    (call,) = gateway.calls(answer["inference_id"])
    assert call.keys().isdisjoint({"input_tokens", "output_tokens"})


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"prompt_tokens": 154, "completion_tokens": 0}, 0.0000231),
        ({"prompt_tokens": 10, "completion_tokens": 5}, 0.0000045),
        ({"prompt_tokens": 10}, 0.0000015),
        ({"completion_tokens": 5}, None),
        (None, None),
    ],
    ids=["input only", "both", "one missing", "the required one missing", "no usage"],
)
def test_the_cost_is_the_sum_of_its_parts(
    gateway: Gateway,
    box: FakeProviderThread,
    usage: dict[str, int] | None,
    cost: float | None,
    stream: bool,
) -> None:
    """Exact to the digit; what cannot be computed is null, and warned of."""
    box.will("box", says("yes", usage=usage))
    body = {"model_name": "costly", **SAYING_HI}

    answer = gateway.stream(**body)[-1] if stream else gateway.infer(**body)

    assert answer["usage"]["cost"] == cost
    (call,) = gateway.calls(answer["inference_id"])
    assert call.get("cost") == cost
    warned = gateway.log_records("cost not computable")
    assert cost is not None or warned


def test_of_several_usages_of_a_stream_the_greatest_counts(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Whether a provider adds up or not; the cost likewise."""
    usages = [{"prompt_tokens": 10, "completion_tokens": n} for n in (1, 5, 3)]
    payloads = [chunk({"content": "x"}, usage=usage) for usage in usages]
    box.will("box", events([*payloads, chunk({}, finish_reason="stop")]))

    answer = gateway.stream(model_name="costly", **SAYING_HI)[-1]

    assert answer["usage"] == {"input_tokens": 10, "output_tokens": 5, "cost": 0.0000045}


def test_what_stands_beside_json_is_kept_and_not_returned(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Thoughts of a json function are in the store only."""
    message = {"role": "assistant", "content": '{"n": 1}', "reasoning_content": "I count one"}
    box.will("box", completes(message))

    answer = gateway.infer(function_name="count", **SAYING_HI)

    record = gateway.stored(answer["inference_id"])
    assert record is not None
    assert record["type"] == "json"
    assert record["output"] == answer["output"] == {"raw": '{"n": 1}', "parsed": {"n": 1}}
    assert record["output_schema"] == NUMBER
    assert "auxiliary_content" not in record
    with open_store(gateway) as store:
        body = store.inferences.body(answer["inference_id"])
    assert body is not None
    assert [block["text"] for block in body.auxiliary_content or ()] == ["I count one"]


KEY, HEADER, SEEN = "sk-tenant-0123456789", "header-value-9876543210", "seen-4711-seen"


def test_case_60_credentials_and_headers_are_nowhere_in_the_store(
    start_gateway: StartGateway, box: FakeProviderThread
) -> None:
    """Neither of answers nor of failures, nor in the cache, nor in a log that tells everything."""
    gateway = start_gateway(configuration(box), "--log-level", "debug", files=FILES)
    body = {
        "model_name": "keyed",
        **saying(SEEN),
        "credentials": {"tenant": KEY, "unused": KEY + "x"},
        "extra_headers": [{"name": "x-secret", "value": HEADER}],
        "cache_options": {"enabled": "on"},
    }

    gateway.infer(**body)
    gateway.stream(**body)
    box.will("box", fails(401, {"error": {"message": f"wrong key {KEY}, header {HEADER}"}}))
    failed = gateway.post("/inference", {**body, **saying(SEEN + " again")})
    gateway.stop()

    assert failed.status_code == 502
    files = [path for path in gateway.data_path.rglob("*") if path.is_file()]
    kept = b"".join(map(Path.read_bytes, files))
    assert SEEN.encode() in kept
    assert KEY.encode() not in kept
    assert HEADER.encode() not in kept
    assert KEY not in gateway.log_text()
    assert HEADER not in gateway.log_text()


def test_records_can_be_switched_off(start_gateway: StartGateway, box: FakeProviderThread) -> None:
    """Answers are as ever; nothing is kept."""
    gateway = start_gateway(configuration(box, OFF), files=FILES)

    answer = gateway.infer(**CHAT)

    assert text_of(answer) == "yes"
    assert gateway.client.get("/health").json() == {"gateway": "ok", "store": "disabled"}
    with open_store(gateway) as store:
        assert not store.inferences.exists(answer["inference_id"])


def test_a_batch_is_written_before_a_stop(
    start_gateway: StartGateway, box: FakeProviderThread
) -> None:
    """However long its interval."""
    gateway = start_gateway(configuration(box, BATCH), files=FILES)
    ids = [gateway.infer(**CHAT)["inference_id"] for _ in range(30)]

    assert gateway.stop() == 0
    gateway.start()

    assert all(gateway.stored(each) for each in ids)


def test_a_large_answer_is_kept_whole(gateway: Gateway, box: FakeProviderThread) -> None:
    """Some mebibytes in one record."""
    text = "abcdefgh" * 400_000
    box.will("box", answers({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}))

    answer = gateway.infer(**CHAT)

    record = gateway.stored(answer["inference_id"])
    assert record is not None
    assert record["output"][0]["text"] == text
