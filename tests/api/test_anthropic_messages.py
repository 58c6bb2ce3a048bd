"""`POST /anthropic/v1/messages` on the wire: failures, streams, records, and the edge."""

import gzip
import threading
from typing import Any

import httpx
import orjson
import pytest
import trio

from tests.api.anthropic_asking import (
    CALL,
    HI,
    LANES,
    LOOK,
    PATH,
    added_up,
    answer,
    at_rest,
    configuration,
    conversation,
    events_in,
    post,
    refusal,
    request,
    same,
    streamed,
)
from tests.api.asking import held_after, limited, statuses, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.test_api_keys import new_key
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.openai_scripts import USAGE, answers, chunk, events, fails, tool_call
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Fin, Script, Split, Until


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """Models of both lanes, alone and one behind the other."""
    return start_shared(configuration(shared_provider))


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """All providers, saying "An old pond" until a test wants something else."""
    return at_rest(shared_provider)


def test_one_provider_after_the_other(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 4: also after a 400, and from one lane into the other; both are on record."""
    upstream.will("gpt", fails(400))

    response = post(gateway, "mixed")

    assert response.headers["x-lsd-provider"] == "b"
    assert response.json()["content"] == [{"type": "text", "text": "An old pond"}]
    calls = gateway.calls(response.headers["x-lsd-inference-id"])
    assert statuses(calls) == [("a", "error"), ("b", "ok")]


def test_which_failure_is_told(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 5: what may pass comes before what the client did wrong."""
    overloaded = anthropic_scripts.fails(500, "api_error", "first is ill")
    wrong = anthropic_scripts.fails(400, "invalid_request_error", "second refuses")
    upstream.will("claude", overloaded)
    upstream.will("second", wrong)

    told = refusal(post(gateway, "two"), 502)

    assert told.startswith("first is ill [provider a; also failed: b (400)")


def test_a_limit_and_a_provider_that_says_nothing(
    start_gateway: StartGateway, upstream: FakeProviderThread
) -> None:
    """Case 5: a limit of one and the silence of the other; how long to wait is passed on."""
    silent = '[models."two".providers.b]'
    limit = f"{silent}\ntimeouts.non_streaming.total_ms = 300"
    config = configuration(upstream).replace(silent, limit, 1)
    gateway = start_gateway(config)
    upstream.will("claude", answers({}, status=429, headers={"retry-after": "7"}))
    upstream.will("second", Script((Until(trio.Event()),)))

    response = post(gateway, "two")

    assert "also failed: b (timeout)" in refusal(response, 429)
    assert response.headers["retry-after"] == "7"


def test_a_refused_key_of_the_gateway_is_its_own_affair(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Case 5: no client is asked to sign in, and none tries again."""
    upstream.will("claude", anthropic_scripts.fails(401, "authentication_error", "bad key"))

    response = post(gateway, "claude")

    assert "bad key [provider one]" in refusal(response, 502)
    assert response.headers["x-should-retry"] == "false"


def test_a_prompt_that_is_too_long(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Agents shorten their conversation when the message begins so."""
    error = {"message": "This model's maximum context length is 8192 tokens", "code": None}
    upstream.will("gpt", fails(400, {"error": error}))

    assert refusal(post(gateway, "gpt"), 400).startswith("prompt is too long: This model's")


@pytest.mark.parametrize("name", ["two", "mixed"])
def test_an_error_before_the_first_word(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """Case 6: the client sees one clean stream, of the next provider."""
    upstream.will("claude", anthropic_scripts.streams([anthropic_scripts.error("api_error")]))
    upstream.will("gpt", events([{"error": {"message": "no"}}]))
    if name == "mixed":
        upstream.will("claude", anthropic_scripts.says("An old pond"))

    message = added_up(streamed(gateway, name))

    assert message["content"] == [{"type": "text", "text": "An old pond"}]


@pytest.mark.parametrize("name", LANES)
def test_an_error_after_the_first_word(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """Cases 7 and 8: the error is the last event, and the record says what became of it."""
    begun = anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])[:3]
    upstream.will(
        "claude", anthropic_scripts.streams([*begun, anthropic_scripts.error("api_error")])
    )
    upstream.will("gpt", openai_scripts.cut_after(2))

    response = post(gateway, name, stream=True)

    *_, last = events_in(response.text)
    assert last["type"] == "error"
    assert last["error"]["type"] == "api_error"
    assert last["request_id"] == response.headers["request-id"]
    record = gateway.stored(response.headers["x-lsd-inference-id"])
    assert record is not None
    assert record["status"] == "interrupted"


@pytest.mark.parametrize("name", LANES)
def test_an_end_without_its_mark_is_an_end(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """Case 8: the reason for the end was told, and that is enough."""
    text = anthropic_scripts.opened([{"type": "text", "text": "Hi"}])
    claude = anthropic_scripts.streams([*text, anthropic_scripts.ending()[0]])
    upstream.will("claude", Script((*claude.steps, Fin())))
    last = [chunk({"content": "Hi"}), chunk({}, finish_reason="stop")]
    upstream.will("gpt", Script((*events(last, done=False).steps, Fin())))

    assert added_up(streamed(gateway, name))["content"] == [{"type": "text", "text": "Hi"}]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", LANES)
def test_an_answer_from_the_cache(
    gateway: Gateway, upstream: FakeProviderThread, name: str, stream: bool
) -> None:
    """Case 32: it has cost nothing, and looks like any other."""
    text = f"cache me, {name} {stream}"
    options = {"messages": conversation(text), "lsd::cache_options": {"enabled": "on"}}

    for _ in range(2):
        response = post(gateway, name, stream=stream, **options)
    message = added_up(events_in(response.text)) if stream else response.json()

    assert response.headers["x-lsd-cache"] == "hit"
    assert message["content"] == [{"type": "text", "text": "An old pond"}]
    counts = {key: value for key, value in message["usage"].items() if key.endswith("tokens")}
    assert set(counts.values()) <= {0}
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_what_claude_said_comes_from_the_cache_as_it_was(
    gateway: Gateway, upstream: FakeProviderThread, stream: bool
) -> None:
    """Signatures of thoughts, and blocks that only this API knows."""
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
        {"type": "text", "text": "Yes."},
    ]
    upstream.will("claude", anthropic_scripts.gives(content))
    options = {
        "messages": conversation(f"search {stream}"),
        "lsd::cache_options": {"enabled": "on"},
        "stream": stream,
    }

    post(gateway, "claude", **options)
    response = post(gateway, "claude", **options)
    other = post(gateway, "claude", foo=1, **options)

    message = added_up(events_in(response.text)) if stream else response.json()
    assert response.headers["x-lsd-cache"] == "hit"
    assert message["content"] == content
    assert "x-lsd-cache" not in other.headers


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", LANES)
def test_a_record_is_there_when_the_answer_is(
    gateway: Gateway, upstream: FakeProviderThread, name: str, stream: bool
) -> None:
    """Cases 35 and 53: under the message's own id, with tags of all three places."""
    more = {"metadata": {"user_id": "body"}, "lsd::tags": {"b": "own"}, "stream": stream}

    response = post(gateway, name, headers={"x-lsd-tags": "user_id=h,b=h,c=%C3%A9"}, **more)

    inference_id = response.headers["x-lsd-inference-id"]
    digits = inference_id.replace("-", "")
    assert f'"msg_{digits}"' in response.text
    record = gateway.stored(f"msg_{digits}")
    assert record is not None
    assert record["inference_id"] == inference_id
    assert record["tags"] == {
        "user_id": "body",
        "b": "own",
        "c": "é",
        "lsd::api": "anthropic.messages",
    }
    assert record["output"] == [{"type": "text", "text": "An old pond"}]


@pytest.mark.parametrize("name", LANES)
def test_a_dry_run_leaves_nothing(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """But for its ids."""
    response = post(gateway, name, headers={"x-lsd-dryrun": "true"})

    assert response.status_code == 200
    assert gateway.stored(response.headers["x-lsd-inference-id"]) is None


def _old_pond(name: str) -> Script:
    """The stream of the provider of this name, word by word."""
    text = anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])
    return {
        "claude": anthropic_scripts.streams([*text, *anthropic_scripts.ending()]),
        "gpt": openai_scripts.streams(["An ", "old ", "pond"], usage=USAGE),
    }[name]


@pytest.mark.parametrize("name", LANES)
def test_the_first_word_does_not_wait_for_the_second(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """It is at the client before the provider has said more."""
    may_go_on = trio.Event()
    upstream.will(name, held_after(_old_pond(name), b"An ", may_go_on))

    with gateway.client.stream("POST", PATH, json=request(name, stream=True)) as response:
        received = ""
        for piece in response.iter_text():
            received += piece
            if "An " in received and not may_go_on.is_set():
                assert "old" not in received
                upstream.set(may_go_on)

    message = added_up(events_in(received))
    assert message["content"] == [{"type": "text", "text": "An old pond"}]


@pytest.mark.parametrize("name", LANES)
def test_a_client_that_leaves(gateway: Gateway, upstream: FakeProviderThread, name: str) -> None:
    """Case 38: the provider is left at once, and what had arrived is on record."""
    never = trio.Event()
    text = anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])[:2]
    begun = {
        "claude": anthropic_scripts.streams(text),
        "gpt": openai_scripts.streams(["An "]),
    }[name]
    upstream.will(name, held_after(begun, b"An ", never))

    with gateway.client.stream("POST", PATH, json=request(name, stream=True)) as response:
        inference_id = response.headers["x-lsd-inference-id"]
        next(response.iter_bytes())

    record = wait_for(lambda: gateway.stored(inference_id))
    assert record is not None
    assert record["status"] == "interrupted"
    assert wait_for(lambda: upstream.requests[0].closed_early)


@pytest.mark.parametrize("name", LANES)
def test_a_client_that_leaves_may_be_recorded_whole(
    start_gateway: StartGateway, upstream: FakeProviderThread, name: str
) -> None:
    """Case 38, as it can be configured: the provider is heard to its end."""
    config = configuration(upstream).replace(
        "[gateway]\n", '[gateway]\non_client_disconnect = "finish"\n', 1
    )
    gateway = start_gateway(config)
    may_go_on = trio.Event()
    upstream.will(name, held_after(_old_pond(name), b"An ", may_go_on))

    with gateway.client.stream("POST", PATH, json=request(name, stream=True)) as response:
        inference_id = response.headers["x-lsd-inference-id"]
        next(response.iter_bytes())
    upstream.set(may_go_on)

    record = wait_for(lambda: gateway.stored(inference_id))
    assert record is not None
    assert record["status"] == "ok"
    assert record["output"][0]["text"] == "An old pond"


@pytest.mark.parametrize("name", LANES)
def test_letters_that_are_cut_in_two(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """Case 51: they arrive whole, and no letter of any language ends a line."""
    text = "日本\u2028é\u0085🙂"
    scripts = {
        "claude": anthropic_scripts.streams(
            [
                *anthropic_scripts.opened([{"type": "text", "text": text}]),
                *anthropic_scripts.ending(),
            ]
        ),
        "gpt": openai_scripts.streams([text]),
    }
    head, *rest = scripts[name].steps
    upstream.will(name, Script((head, Split(1), *rest)))

    message = added_up(streamed(gateway, name))

    assert message["content"] == [{"type": "text", "text": text}]


FIXTURES: dict[str, tuple[Any, Any]] = {
    "text": (
        openai_scripts.says("An old pond"),
        anthropic_scripts.says("An old pond"),
    ),
    "a call": (
        tool_call("look", {"path": "a.py"}),
        anthropic_scripts.gives([CALL], stop_reason="tool_use"),
    ),
    "everything": (
        openai_scripts.says("<b>é</b>"),
        anthropic_scripts.gives(
            [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "text", "text": "Yes."},
                CALL,
                {"type": "text", "text": "No."},
            ],
            stop_reason="max_tokens",
        ),
    ),
}


@pytest.mark.parametrize("name", ["claude", "gpt", "vllm"])
@pytest.mark.parametrize("fixture", FIXTURES)
def test_a_stream_adds_up_to_the_whole_answer(
    gateway: Gateway, upstream: FakeProviderThread, fixture: str, name: str
) -> None:
    """Case 59: ids, content, end and counts are the same."""
    gpt, claude = FIXTURES[fixture]
    upstream.will("gpt", gpt)
    upstream.will("claude", claude)

    whole = answer(gateway, name, tools=[LOOK])
    stream = added_up(streamed(gateway, name, tools=[LOOK]))

    assert same(stream) == same(whole)


def test_keys(start_gateway: StartGateway) -> None:
    """Case 33: in either header; of two, the one that is a key of LSD's counts."""
    gateway = start_gateway("[gateway]\nauth.enabled = true\n")
    key = new_key(gateway)
    body = request("echo::x")

    def asked(**headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return gateway.client.post(PATH, json=body, headers=names)

    good = [
        asked(authorization=f"Bearer {key}"),
        asked(x_api_key=key),
        asked(authorization="Bearer sk-ant-foreign", x_api_key=key),
        asked(authorization=f"Bearer {key}", x_api_key="sk-ant-foreign"),
    ]
    bad = [asked(), asked(x_api_key="sk-ant-foreign"), asked(authorization=f"Basic {key}")]

    assert [response.status_code for response in good] == [200] * 4
    for response in bad:
        refusal(response, 401)
        assert response.json()["error"]["type"] == "authentication_error"
        assert key not in response.text
    assert gateway.client.options(PATH).status_code == 204
    assert gateway.client.get("/anthropic/v1/models").status_code == 401


def test_bodies_of_all_kinds(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Cases 39, 40 and 41: types, codings, sizes."""
    body = orjson.dumps(request("gpt"))

    def status(content: bytes, **headers: str) -> int:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return gateway.client.post(PATH, content=content, headers=names).status_code

    assert status(body) == 200
    assert status(body, content_type="application/json; charset=utf-8") == 200
    assert status(body, content_type="application/vnd.x+json") == 200
    assert status(body, content_type="text/plain") == 415
    assert status(gzip.compress(body), content_encoding="gzip") == 200
    assert status(gzip.compress(b"x" * 4_000_000), content_encoding="gzip") == 413
    assert status(body, content_encoding="compress") == 415
    for broken in (b"[]", b"null", body + b"x", b'{"model":"\xff"}'):
        assert status(broken) == 400
    assert status(body.replace(b'"gpt"', b'"nope","model":"gpt"')) == 200


def test_paths_and_methods(gateway: Gateway) -> None:
    """Case 42: errors of this API, with the base that clients need."""
    method = gateway.client.get(PATH)
    twice = gateway.client.post("/anthropic/v1/v1/messages", json={})
    lost = gateway.client.get("/anthropic/v1/foo")

    refusal(method, 405)
    assert method.headers["allow"] == "POST"
    assert "/anthropic/v1/v1/messages" in refusal(twice, 404)
    assert "base URL" in twice.json()["error"]["message"]
    assert lost.json()["error"]["type"] == "not_found_error"


def test_probes(gateway: Gateway) -> None:
    """Trap 1: agents look whether anything is there before they speak."""
    head = gateway.client.head

    assert [head(path).status_code for path in ("/", "/anthropic", "/anthropic/v1")] == [200] * 3
    assert head("/anthropic/v1/models").status_code == 200
    assert head("/anthropic/v1/models").content == b""
    assert head("/api/hello").status_code == 404


def test_a_failure_leaves_what_was_tried(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Under the id that the error tells; there is no inference."""
    upstream.will("claude", anthropic_scripts.fails(500, "api_error"))

    response = post(gateway, "claude")

    inference_id = response.headers["x-lsd-inference-id"]
    assert response.json()["request_id"] == "req_" + inference_id.replace("-", "")
    assert statuses(gateway.calls(inference_id)) == [("one", "error")]
    assert gateway.stored(inference_id) is None


def test_models_by_path(gateway: Gateway) -> None:
    """Cases 43 and 44: names are unescaped once."""
    get = gateway.client.get

    assert get("/anthropic/v1/models/openai%3A%3Agpt-x").json()["id"] == "openai::gpt-x"
    assert get("/anthropic/v1/models/of%2Fall").json()["id"] == "of/all"
    first = get("/anthropic/v1/models?limit=1").json()
    assert (first["has_more"], first["last_id"]) == (True, "claude")
    second = get("/anthropic/v1/models?limit=1&after_id=claude").json()
    assert second["first_id"] == "gpt"


def test_counting_leaves_nothing(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 45: no provider is asked for an answer, and there is no record."""
    upstream.will("claude", answers({"input_tokens": 12}))
    path = f"{PATH}/count_tokens?beta=true"

    estimated = gateway.post(path, {"model": "gpt", "messages": HI})
    counted = gateway.client.post(
        path,
        json={"model": "mixed", "messages": HI, "max_tokens": 5, "thinking": {"type": "adaptive"}},
        headers={"anthropic-beta": "a"},
    )

    assert estimated.json() == {"input_tokens": 5}
    assert estimated.headers["x-lsd-estimated"] == "true"
    assert counted.json() == {"input_tokens": 12}
    assert "x-lsd-estimated" not in counted.headers
    (asked,) = upstream.requests
    assert asked.path == "/s/claude/v1/messages/count_tokens"
    assert asked.headers["anthropic-beta"] == "a"
    assert asked.json() == {"model": "mixed-b", "messages": HI, "thinking": {"type": "adaptive"}}


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
    wait = threading.Event()
    wait.wait(float(second.headers["retry-after-ms"]) / 1000)

    assert first.status_code == 200
    refusal(second, 429)
    assert second.json()["error"]["type"] == "rate_limit_error"
    assert second.headers["retry-after"] == "1"
    assert post(gateway, "m").status_code == 200
