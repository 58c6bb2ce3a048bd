"""`POST /openai/v1/chat/completions` at a running daemon: failures, streams, records and edges."""

import gzip
import threading
from typing import Any

import httpx
import orjson
import pytest
import trio

from tests.api.asking import limited, statuses, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.openai_asking import (
    HI,
    LANES,
    LOOK,
    PATH,
    added_up,
    at_rest,
    completion,
    configuration,
    frames_in,
    message,
    post,
    refusal,
    streamed,
)
from tests.api.test_api_keys import new_key
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.openai_scripts import USAGE, answers, chunk, events, fails
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Chunked, Delay, Fin, Script, Split, Until

ERROR = {"error": {"message": "late", "type": "server_error", "code": "server_error"}}


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with models for each lane."""
    return start_shared(configuration(shared_provider))


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The providers, with nothing asked of them yet."""
    return at_rest(shared_provider)


def test_one_provider_after_the_other(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 4: after any error; both attempts are on record."""
    upstream.will("gpt", fails(400))

    response = post(gateway, "two")

    assert response.status_code == 200
    assert response.headers["x-lsd-provider"] == "b"
    calls = gateway.calls(response.headers["x-lsd-inference-id"])
    assert statuses(calls) == [("a", "error"), ("b", "ok")]


@pytest.mark.parametrize(
    ("first", "second", "status", "code", "begin"),
    [
        (fails(500), fails(400), 502, "upstream_error", "fake 500 [provider a"),
        (
            fails(429, headers={"retry-after": "7"}),
            fails(503),
            503,
            "overloaded",
            "fake 503 [provider b",
        ),
        (
            fails(429, headers={"retry-after": "7"}),
            fails(500),
            429,
            "rate_limit_exceeded",
            "fake 429 [provider a; also failed: b (500)]",
        ),
        (fails(401), fails(401), 502, "upstream_auth", "fake 401 [provider b"),
    ],
    ids=["a 500, b 400", "429 and 503", "429 and 500", "401 only"],
)
def test_which_failure_is_told(
    gateway: Gateway,
    upstream: FakeProviderThread,
    first: Script,
    second: Script,
    status: int,
    code: str,
    begin: str,
) -> None:
    """Case 5: the deciding one's own words come first."""
    upstream.will("gpt", first)
    upstream.will("second", second)

    response = post(gateway, "two")

    error = refusal(response, status)
    assert error["code"] == code
    assert error["message"].startswith(begin)
    assert response.headers.get("retry-after") == ("7" if status in (429, 503) else None)
    assert ("x-should-retry" in response.headers) == (code == "upstream_auth")
    inference_id = response.headers["x-lsd-inference-id"]
    assert response.headers["x-request-id"] == f"req_{inference_id.replace('-', '')}"
    assert statuses(gateway.calls(inference_id)) == [("a", "error"), ("b", "error")]


def test_a_prompt_that_is_too_long(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Agents know it by its code, whichever words the provider has for it."""
    said = "This model's maximum context length is 8 tokens"
    for lane in LANES:
        upstream.will(lane, answers({"error": {"message": said}}, status=400))

    for lane in LANES:
        error = refusal(post(gateway, lane), 400)

        assert (error["code"], error["param"]) == ("context_length_exceeded", "messages")
        assert error["message"].startswith(said)


def test_an_error_before_the_first_word(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Cases 6 and 36: the next provider answers; if there is none, it is no stream."""
    role = chunk({"role": "assistant", "content": ""})
    upstream.will("gpt", events([role, ERROR]))

    chunks = streamed(gateway, "two")
    alone = post(gateway, "gpt", stream=True)

    assert added_up(chunks)["content"] == "An old pond"
    assert refusal(alone, 502)["message"].startswith("late")


@pytest.mark.parametrize("name", LANES)
def test_an_error_after_the_first_word(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """Case 7: one last frame, no reason, no end mark; what had arrived is on record."""
    upstream.will("gpt", events([chunk({"content": "An old"}), ERROR, chunk({"content": " pond"})]))
    text = anthropic_scripts.opened([{"type": "text", "text": "An old"}])
    upstream.will(
        "claude",
        anthropic_scripts.streams([*text, anthropic_scripts.error("overloaded_error", "late")]),
    )

    response = post(gateway, name, stream=True)

    *chunks, last = frames_in(response.text)
    assert set(last) == {"error"}
    assert last["error"]["message"] == "late [provider one]"
    assert last["error"]["code"] == ("overloaded" if name == "claude" else "upstream_error")
    assert all(each["choices"][0]["finish_reason"] is None for each in chunks)
    record = gateway.stored(response.headers["x-lsd-inference-id"])
    assert record is not None
    assert record["status"] == "interrupted"
    assert record["output"][0]["text"].startswith("An old")


@pytest.mark.parametrize("is_good", [False, True])
def test_an_end_without_its_mark(
    gateway: Gateway, upstream: FakeProviderThread, is_good: bool
) -> None:
    """Case 8: with a reason it is an end, without one it is an error."""
    reason = [chunk({}, finish_reason="stop")] if is_good else []
    sent = events([chunk({"content": "An old"}), *reason], done=False)
    upstream.will("gpt", Script((*sent.steps, Fin())))

    *_, last = frames_in(post(gateway, "gpt", stream=True).text)

    assert last == "[DONE]" if is_good else "error" in last


@pytest.mark.parametrize("name", LANES)
def test_an_answer_from_the_cache(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """Case 32: it costs nothing, says so, and is well-formed in either form."""
    options = {"lsd::cache_options": {"enabled": "on"}, "user": "cached"}
    stream = {"stream": True, "stream_options": {"include_usage": True}, **options}

    post(gateway, name, **options)
    post(gateway, name, **stream)
    plain, again = post(gateway, name, **options), post(gateway, name, **stream)

    assert len(upstream.requests) == 2
    assert plain.headers["x-lsd-cache"] == again.headers["x-lsd-cache"] == "hit"
    assert plain.json()["choices"][0]["message"]["content"] == "An old pond"
    assert plain.json()["usage"]["total_tokens"] == 0
    *chunks, _ = frames_in(again.text)
    made = added_up(chunks)
    assert made["content"] == "An old pond"
    assert made["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_what_shapes_the_answer_shapes_its_place_in_the_cache(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """A field that only the provider knows does; who asks does not."""
    options = {"lsd::cache_options": {"enabled": "on"}}

    post(gateway, "gpt", foo=1, user="a", **options)
    hit = post(gateway, "gpt", foo=1, user="b", **options)
    miss = post(gateway, "gpt", foo=2, user="a", **options)

    assert "x-lsd-cache" in hit.headers
    assert "x-lsd-cache" not in miss.headers


@pytest.mark.parametrize("name", LANES)
def test_a_record_is_there_when_the_answer_is(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """Case 35: under the id of the answer, whole and streamed; all that the client says is kept."""
    response = post(gateway, name, metadata={"a": "2"}, user="u", headers={"x-lsd-tags": "a=1,b=3"})
    stream = post(gateway, name, stream=True, tools=[LOOK])

    record = gateway.stored(response.headers["x-lsd-inference-id"])
    again = gateway.stored(stream.headers["x-lsd-inference-id"])
    assert record is not None
    assert again is not None
    assert record["tags"] == {
        "a": "2",
        "b": "3",
        "user": "u",
        "lsd::api": "openai.chat_completions",
    }
    assert (record["function_name"], record["variant_name"]) == ("lsd::default", name)
    assert record["output"] == again["output"] == [{"type": "text", "text": "An old pond"}]
    assert record["input"]["messages"][0]["content"] == [{"type": "text", "text": "Hi"}]
    feedback = gateway.post(
        "/feedback",
        {"metric_name": "comment", "value": "good", "inference_id": response.json()["id"]},
    )
    assert feedback.status_code == 200


@pytest.mark.parametrize("name", LANES)
def test_a_dry_run_leaves_nothing(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """But for its ids."""
    response = post(gateway, name, headers={"x-lsd-dryrun": "true"})

    assert response.status_code == 200
    assert gateway.stored(response.headers["x-lsd-inference-id"]) is None


@pytest.mark.parametrize("name", LANES)
def test_the_first_word_does_not_wait_for_the_second(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """It is at the client before the provider has said more."""
    may_go_on = trio.Event()
    text = anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])
    whole = {
        "claude": anthropic_scripts.streams([*text, *anthropic_scripts.ending()]),
        "gpt": openai_scripts.streams(["An ", "old ", "pond"], usage=USAGE),
    }[name]
    place = next(
        place
        for place, step in enumerate(whole.steps)
        if isinstance(step, Chunked) and b"An " in step.data
    )
    steps = (*whole.steps[: place + 1], Until(may_go_on), *whole.steps[place + 1 :])
    upstream.will(name, Script(steps))
    body = {"model": name, "messages": HI, "stream": True}

    with gateway.client.stream("POST", PATH, json=body) as response:
        received = ""
        for piece in response.iter_text():
            received += piece
            if "An " in received and not may_go_on.is_set():
                assert "old" not in received
                upstream.set(may_go_on)

    *chunks, _ = frames_in(received)
    assert added_up(chunks)["content"] == "An old pond"


@pytest.mark.parametrize("name", LANES)
def test_a_client_that_leaves(gateway: Gateway, upstream: FakeProviderThread, name: str) -> None:
    """Case 38: the provider is left at once, and what had arrived is on record."""
    never = trio.Event()
    text = anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])[:2]
    begun = {
        "claude": anthropic_scripts.streams(text),
        "gpt": events([chunk({"content": "An "})], done=False),
    }[name]
    upstream.will(name, Script((*begun.steps, Until(never))))
    body = {"model": name, "messages": HI, "stream": True}

    with gateway.client.stream("POST", PATH, json=body) as response:
        inference_id = response.headers["x-lsd-inference-id"]
        next(response.iter_bytes())

    record = wait_for(lambda: gateway.stored(inference_id))
    assert record is not None
    assert record["status"] == "interrupted"
    assert wait_for(lambda: upstream.requests[0].closed_early)


def test_a_client_that_leaves_may_be_recorded_whole(
    start_gateway: StartGateway, upstream: FakeProviderThread
) -> None:
    """Case 38, as it can be configured: the provider is heard to its end."""
    config = configuration(upstream).replace(
        "[gateway]\n", '[gateway]\non_client_disconnect = "finish"\n', 1
    )
    gateway = start_gateway(config)
    may_go_on = trio.Event()
    whole = openai_scripts.streams(["An ", "old ", "pond"], usage=USAGE)
    upstream.will("gpt", Script((*whole.steps[:4], Until(may_go_on), *whole.steps[4:])))
    body = {"model": "gpt", "messages": HI, "stream": True}

    with gateway.client.stream("POST", PATH, json=body) as response:
        inference_id = response.headers["x-lsd-inference-id"]
        next(response.iter_bytes())
    upstream.set(may_go_on)

    record = wait_for(lambda: gateway.stored(inference_id))
    assert record is not None
    assert record["status"] == "ok"
    assert record["output"][0]["text"] == "An old pond"


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("name", LANES)
def test_letters_that_are_cut_in_two(
    gateway: Gateway, upstream: FakeProviderThread, name: str, size: int
) -> None:
    """Case 51: however the network cuts, and whatever separates lines elsewhere."""
    text = "Müßiggang 🪷\u2028池"
    upstream.will("gpt", Script((Split(size), *openai_scripts.streams([text], usage=USAGE).steps)))
    said = anthropic_scripts.opened([{"type": "text", "text": text}])
    whole = anthropic_scripts.streams([*said, *anthropic_scripts.ending()])
    upstream.will("claude", Script((Split(size), *whole.steps)))

    response = post(gateway, name, stream=True)

    *chunks, _ = frames_in(response.content.decode())
    assert added_up(chunks)["content"] == text


def _said(name: str) -> dict[str, Any]:
    """What each provider says, in its own words: a text, thoughts, calls, reasons."""
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    text = {"type": "text", "text": "An old pond"}
    calls = [
        {"type": "tool_use", "id": "c1", "name": "look", "input": {"z": 1, "a": "é"}},
        {"type": "tool_use", "id": "c2", "name": "look", "input": {}},
    ]
    return {
        "claude text": anthropic_scripts.gives([text]),
        "claude thought": anthropic_scripts.gives([thought, text]),
        "claude hidden": anthropic_scripts.gives(
            [{"type": "redacted_thinking", "data": "ZA=="}, text]
        ),
        "claude calls": anthropic_scripts.gives([text, *calls], stop_reason="tool_use"),
        "claude length": anthropic_scripts.gives([text], stop_reason="max_tokens"),
        "claude refusal": anthropic_scripts.gives([text], stop_reason="refusal"),
        "gpt text": openai_scripts.says("An old pond"),
        "gpt call": openai_scripts.tool_call("look", {"z": 1, "a": "é"}),
        "gpt empty call": openai_scripts.tool_call("look", ""),
    }[name]


@pytest.mark.parametrize(
    "said",
    [
        "claude text",
        "claude thought",
        "claude hidden",
        "claude calls",
        "claude length",
        "claude refusal",
        "gpt text",
        "gpt call",
        "gpt empty call",
    ],
)
def test_a_stream_adds_up_to_the_whole_answer(
    gateway: Gateway, upstream: FakeProviderThread, said: str
) -> None:
    """Cases 10, 11, 12 and 59: ids, content, reason and usage."""
    name = said.split(" ", maxsplit=1)[0]
    upstream.will(name, _said(said))

    whole = completion(gateway, name, tools=[LOOK])
    made = added_up(streamed(gateway, name, tools=[LOOK], stream_options={"include_usage": True}))

    (choice,) = whole["choices"]
    expected = {key: value for key, value in choice["message"].items() if key != "annotations"}
    for each in made.get("tool_calls", ()):
        del each["index"]
    assert made.pop("reasons") == [choice["finish_reason"]]
    assert made.pop("usage") == whole["usage"]
    made["content"] = made["content"] or None
    assert made == expected


def test_a_very_long_argument(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 52: a megabyte in small pieces costs no more than it must."""
    text = orjson.dumps({"a": "x" * 1_000_000}).decode()
    pieces = [text[start : start + 50] for start in range(0, len(text), 50)]
    head = {"index": 0, "id": "c", "type": "function", "function": {"name": "look"}}
    deltas = [{"tool_calls": [head]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": each}}]} for each in pieces]
    payloads = [*map(chunk, deltas), chunk({}, finish_reason="tool_calls")]
    upstream.will("gpt", events(payloads))

    made = added_up(streamed(gateway, "gpt", tools=[LOOK]))

    assert made["tool_calls"][0]["function"]["arguments"] == text


def test_silence_at_the_beginning_is_not_waited_for_for_ever(
    start_gateway: StartGateway, upstream: FakeProviderThread
) -> None:
    """A provider may take its time; the model's limit ends it as a timeout."""
    config = configuration(upstream).replace(
        '[models."gpt"]', '[models."gpt"]\ntimeouts.streaming.ttft_ms = 100', 1
    )
    gateway = start_gateway(config)
    upstream.will("gpt", Script((Delay(60_000), *openai_scripts.streams(["late"]).steps)))

    error = refusal(post(gateway, "gpt", stream=True), 504)

    assert error["code"] == "timeout"
    assert "ttft_ms" in error["message"]


def test_keys(start_gateway: StartGateway) -> None:
    """Cases 33 and 34: in either header; of two, the one that is a key of LSD's counts."""
    gateway = start_gateway("[gateway]\nauth.enabled = true\n")
    key = new_key(gateway)
    body = {"model": "echo::x", "messages": HI}

    def asked(**headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return gateway.client.post(PATH, json=body, headers=names)

    good = [
        asked(authorization=f"Bearer {key}"),
        asked(x_api_key=key),
        asked(authorization="Bearer sk-foreign", x_api_key=key),
        asked(authorization=f"Bearer {key}", x_api_key="sk-foreign"),
    ]
    bad = [asked(), asked(authorization="Bearer sk-foreign"), asked(authorization=f"Basic {key}")]

    assert [response.status_code for response in good] == [200] * 4
    for response in bad:
        assert refusal(response, 401)["code"] == "invalid_api_key"
        assert key not in response.text
    assert gateway.client.options(PATH).status_code == 204
    assert gateway.client.head("/openai/v1").status_code == 200
    assert gateway.client.get("/openai/v1/models").status_code == 401


def test_bodies_of_all_kinds(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Cases 39, 40 and 41: types, codings, sizes."""
    body = orjson.dumps({"model": "gpt", "messages": HI})
    ask = gateway.client.post

    packed = ask(PATH, content=gzip.compress(body), headers={"content-encoding": "gzip"})
    bomb = gzip.compress(b" " * 4_000_000)
    too_large = ask(PATH, content=bomb, headers={"content-encoding": "gzip"})
    strange = ask(PATH, content=body, headers={"content-encoding": "compress"})
    text = ask(PATH, content=body, headers={"content-type": "text/plain"})

    assert packed.status_code == 200
    assert refusal(too_large, 413)["code"] == "request_too_large"
    assert refusal(strange, 415)["code"] == "unsupported_media_type"
    assert refusal(text, 415)["code"] == "unsupported_media_type"
    for broken in (b"[]", b"null", body + b"x", b'{"model":"\xff"}', b"", b"{" * 1000):
        refusal(ask(PATH, content=broken), 400)


def test_a_limit_of_lsd(start_gateway: StartGateway) -> None:
    """Case 50: the client hears how long to wait, and waiting helps."""
    gateway = start_gateway(
        """
        [models.m]
        routing = ["one"]
        providers.one = { type = "echo" }
        [[rate_limiting.rules]]
        always = true
        model_inferences_per_second = { capacity = 1, refill_rate = 1 }
        """
    )

    first, second = post(gateway, "m"), limited(lambda: post(gateway, "m"))
    threading.Event().wait(float(second.headers["retry-after-ms"]) / 1000)

    assert first.status_code == 200
    error = refusal(second, 429)
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert second.headers["retry-after"] == "1"
    assert post(gateway, "m").status_code == 200


def test_a_page_of_another_origin_may_be_allowed(start_gateway: StartGateway) -> None:
    """Trap 27: with all the headers that its library sends, and those it may read."""
    origin = "https://app.example"
    gateway = start_gateway(f'[gateway]\ncors.allow_origins = ["{origin}"]\n')
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-stainless-os,x-stainless-retry-count",
    }

    preflight = gateway.client.options(PATH, headers=asked)
    answer = post(gateway, "echo::x", headers={"origin": origin})

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "x-stainless-os" in preflight.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == origin
    assert "x-lsd-inference-id" in answer.headers["access-control-expose-headers"]


def test_messages_of_the_mixed_kind(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """What only the first provider understands fails at the second, with the reason."""
    upstream.will("gpt", fails(500))
    content = [{"type": "file", "file": {"file_id": "file-1"}}]
    asked = [{"role": "user", "content": content}]

    error = refusal(post(gateway, "mixed", messages=asked), 502)
    upstream.will("gpt", openai_scripts.says("An old pond"))
    made = message(gateway, "mixed", messages=asked)

    assert error["message"].startswith("fake 500 [provider a; also failed: b (config)]")
    assert made["content"] == "An old pond"
