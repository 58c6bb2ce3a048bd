"""How far a request reaches into provider calls: its keys, its edits of body and headers."""

from typing import Any

import orjson
import pytest

from tests.api.asking import SAYING_HI, Box, model, refusal, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import answers, chunk, events, fails, says
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Script

FUNCTIONS = """
    [functions.greet]
    type = "chat"
    [functions.greet.variants]
    only.model = "plain"
    other.model = "plain"

    [functions.locked]
    type = "chat"
    variants.only.model = "locked"

    [functions.edited]
    type = "chat"
    [functions.edited.variants.only]
    model = "edited"
    extra_body = [
      { pointer = "/who", value = "variant" },
      { pointer = "/variant", value = 1 },
      { pointer = "/gone", value = 1 },
    ]
    extra_headers = [{ name = "x-who", value = "variant" }]
"""

GREET = {"function_name": "greet", "variant_name": "only", **SAYING_HI}
SECRET = "sk-nobody-may-see-this"


@pytest.fixture
def boxes(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Providers `first` and `second`, which answer."""
    shared_provider.forget()
    for name in ("first", "second"):
        shared_provider.will(name, says(name))
    return shared_provider


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with a plain, a locked and an edited model."""
    first, second = (shared_provider.url(name) for name in ("first", "second"))
    dynamic = 'api_key_location = "dynamic::tenant_key"'
    edits = """
        extra_body = [
            { pointer = "/who", value = "provider" },
            { pointer = "/gone", delete = true },
        ]
        extra_headers = [{ name = "x-who", value = "provider" }]
    """
    tables = [
        model("plain", Box("one", first)),
        model("locked", Box("one", first, dynamic)),
        model("half", Box("one", first, dynamic), Box("two", second)),
        model("edited", Box("one", first, edits)),
        model("static", Box("one", first, 'api_key_location = "env::BOX_KEY"')),
    ]
    environment = {"BOX_KEY": SECRET}
    return start_shared("".join(tables) + FUNCTIONS, environment=environment)


def sent(boxes: FakeProviderThread, number: int = 1) -> dict[str, Any]:
    """The body that a provider was sent."""
    body: dict[str, Any] = boxes.wait_for_request(number).json()
    return body


def test_case_42_a_missing_credential_fails_one_attempt(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """The second provider needs none, and rescues."""
    answer = gateway.infer(model_name="half", **SAYING_HI)

    assert text_of(answer) == "second"
    calls = gateway.calls(answer["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert "tenant_key" in calls[0]["error"]


def test_case_42_a_missing_credential_alone_is_an_error(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """It names the provider and the key."""
    body = {"function_name": "locked", "variant_name": "only", **SAYING_HI}

    told = refusal(gateway, 500, body)

    assert 'provider "one": ' in told
    assert "tenant_key" in told
    assert boxes.requests == []


def test_a_credential_of_the_request_is_used(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """Entries for nobody are ignored."""
    gateway.infer(model_name="locked", credentials={"tenant_key": SECRET, "x": "y"}, **SAYING_HI)

    assert boxes.requests[0].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ({"model_name": "locked", "credentials": {"tenant_key": SECRET}}, "credential"),
        ({"model_name": "static"}, "environment"),
        ({"model_name": "plain", "extra_headers": [{"name": "x-a", "value": SECRET}]}, "header"),
    ],
    ids=["of the request", "of the environment", "in a header"],
)
@pytest.mark.parametrize("kind", ["error", "answer"])
def test_a_key_that_a_provider_echoes_is_masked(
    gateway: Gateway, boxes: FakeProviderThread, body: dict[str, Any], given: str, kind: str
) -> None:
    """In errors, in raw bodies, in records and in the log."""
    message = {"error": {"message": f"Incorrect API key provided: {SECRET}"}}
    if kind == "error":
        boxes.will("first", fails(401, message))
    else:
        boxes.will("first", echoing)

    response = gateway.post("/inference", {**body, **SAYING_HI, "include_raw_response": True})

    told = response.json()
    assert response.status_code == (502 if kind == "error" else 200)
    assert "***" in orjson.dumps(told["raw_response"]).decode()
    assert SECRET not in orjson.dumps(told["raw_response"]).decode()
    assert SECRET not in told.get("error", "")
    assert SECRET not in orjson.dumps(gateway.calls(told["inference_id"])).decode()
    assert SECRET not in gateway.log_text()


def test_a_key_that_a_stream_echoes_is_masked(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """In its errors and in the raw text of all its events."""
    boxes.will(
        "first",
        events(
            [
                {**chunk({"content": "hi"}), "debug": SECRET},
                {"error": {"message": f"Incorrect API key provided: {SECRET}"}},
                chunk({}, finish_reason="stop"),
            ]
        ),
    )

    told = gateway.stream(
        model_name="static",
        include_raw_response=True,
        include_original_response=True,
        **SAYING_HI,
    )

    assert text_of(told) == "hi"
    assert "***" in told[0]["raw_chunk"]
    assert [event["error"] for event in told if "error" in event] == [
        "openai reported an error: Incorrect API key provided: ***"
    ]
    assert SECRET not in orjson.dumps(told).decode()


def echoing(request: RecordedRequest) -> Script:
    """An answer that holds the request's key beside its text."""
    whole = orjson.loads(says("hi")(request).steps[-1].data)  # type: ignore[union-attr]
    return answers({**whole, "debug": SECRET})


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", 1),
        ("temperature", 1),
        ("/temperature/", 1),
        ("/messages/-/content", "x"),
        ("/messages/7", "x"),
        ("/messages/7/content", "x"),
        ("/messages/x", "x"),
        ("/model/x", "x"),
        ("/a/0/b", "x"),
    ],
    ids=[
        "case 43: empty",
        "case 43: no slash",
        "case 43: trailing slash",
        "case 43: inner dash",
        "case 43: missing index",
        "below a missing index",
        "no index",
        "below a text",
        "a number below a missing parent",
    ],
)
def test_an_edit_that_cannot_be_made_fails_the_attempt(
    gateway: Gateway, boxes: FakeProviderThread, pointer: str, value: Any
) -> None:
    """The error tells the pointer and why; nothing is sent."""
    edits = [{"pointer": pointer, "value": value}]

    told = refusal(gateway, 500, {**GREET, "extra_body": edits})

    assert pointer in told
    assert "extra_body" in told
    assert boxes.requests == []


def test_case_43_an_edit_makes_what_is_missing(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """Parents are created, a final dash appends, escapes are undone, nulls are values."""
    extra = {"role": "user", "content": "more"}
    edits = [
        {"pointer": "/a/b/c", "value": 1},
        {"pointer": "/messages/-", "value": extra},
        {"pointer": "/x~1y~0z", "value": None},
        {"pointer": "/model", "delete": True},
        {"pointer": "/never/there", "delete": True},
        {"pointer": "/messages/0/content", "value": "changed"},
    ]

    answer = gateway.infer(**GREET, extra_body=edits)

    body = sent(boxes)
    assert body["a"] == {"b": {"c": 1}}
    assert body["messages"] == [{"role": "user", "content": "changed"}, extra]
    assert body["x/y~z"] is None
    assert "model" not in body
    record = gateway.stored(answer["inference_id"])
    assert record is not None
    assert record["extra_body"] == edits
    (call,) = gateway.calls(answer["inference_id"])
    assert orjson.loads(call["raw_request"]) == body


def test_edits_are_made_from_the_variant_inwards(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """Variant, provider, request; the later one wins."""
    body = {"function_name": "edited", **SAYING_HI}
    edits = [{"pointer": "/who", "value": "request"}, {"pointer": "/who", "value": "last"}]
    headers = [{"name": "X-Who", "value": "request"}]

    gateway.infer(**body)
    gateway.infer(**body, extra_body=edits, extra_headers=headers)

    assert (sent(boxes, 1)["who"], sent(boxes, 2)["who"]) == ("provider", "last")
    assert sent(boxes, 1)["variant"] == 1
    assert "gone" not in sent(boxes, 1)
    names = [request.headers["x-who"] for request in boxes.requests]
    assert names == ["provider", "request"]


def test_headers_can_be_changed_and_left_out(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """LSD's own included."""
    headers = [
        {"name": "user-agent", "value": "somebody"},
        {"name": "accept", "delete": True},
        {"name": "authorization", "delete": True},
        {"name": "x-new", "value": "1"},
    ]

    gateway.infer(model_name="static", extra_headers=headers, **SAYING_HI)

    got = boxes.requests[0].headers
    assert (got["user-agent"], got["x-new"]) == ("somebody", "1")
    assert got.keys().isdisjoint({"accept", "authorization"})


def test_lsd_need_not_name_itself(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """A deleted User-Agent is not replaced by another."""
    headers = [{"name": "User-Agent", "delete": True}]

    gateway.infer(model_name="static", extra_headers=headers, **SAYING_HI)

    assert "user-agent" not in boxes.requests[0].headers


@pytest.mark.parametrize(
    ("target", "is_made"),
    [
        ({}, True),
        ({"variant_name": "only"}, True),
        ({"variant_name": "other"}, False),
        ({"model_name": "plain"}, True),
        ({"model_name": "plain", "provider_name": "one"}, True),
        ({"model_name": "half", "provider_name": "one"}, False),
        ({"model_name": "half"}, False),
        ({"model_name": "openai::gpt-4"}, False),
    ],
    ids=[
        "everywhere",
        "this variant",
        "another variant",
        "this model",
        "this provider",
        "case 44: another model's provider",
        "another model",
        "a shorthand",
    ],
)
def test_an_edit_is_made_where_it_is_meant(
    gateway: Gateway, boxes: FakeProviderThread, target: dict[str, str], is_made: bool
) -> None:
    """Body and headers alike."""
    gateway.infer(
        **GREET,
        extra_body=[{"pointer": "/mark", "value": 1, **target}],
        extra_headers=[{"name": "x-mark", "value": "1", **target}],
    )

    assert ("mark" in sent(boxes)) is is_made
    assert ("x-mark" in boxes.requests[0].headers) is is_made


@pytest.mark.parametrize(
    ("target", "status", "told"),
    [
        ({"variant_name": "absent"}, 404, ".variant_name: found 'absent'; wanted"),
        ({"model_name": "absent"}, 400, ".model_name: found 'absent'; wanted"),
        (
            {"model_name": "plain", "provider_name": "two"},
            400,
            ".provider_name: found 'two'; wanted one of one",
        ),
        ({"provider_name": "one"}, 400, ": found `provider_name` without `model_name`; "),
        ({"variant_name": "only", "model_name": "plain"}, 400, ": found both "),
        ({"delete": False}, 400, ".delete: found false; wanted true"),
        ({"delete": True}, 400, ": found both `value` and `delete`; "),
        ({"x": 1}, 400, ".x: unknown key; "),
    ],
    ids=[
        "case 44: unknown variant",
        "case 44: unknown model",
        "unknown provider",
        "provider alone",
        "two targets",
        "delete false",
        "value and delete",
        "unknown key",
    ],
)
@pytest.mark.parametrize("field", ["extra_body", "extra_headers"])
def test_an_edit_that_is_meant_for_nobody_is_refused(
    gateway: Gateway,
    boxes: FakeProviderThread,
    field: str,
    target: dict[str, Any],
    status: int,
    told: str,
) -> None:
    """Its place is told."""
    what = {"pointer": "/a"} if field == "extra_body" else {"name": "x-a"}
    entry = {**what, "value": "1", **target}

    error = refusal(gateway, status, {**GREET, field: [entry]})

    assert error.startswith(f"{field}[0]{told}")
    assert boxes.requests == []


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "x y", "value": "1"},
        {"name": "", "value": "1"},
        {"name": "x", "value": "a\r\nhost: evil"},
        {"name": "x"},
    ],
    ids=["space in the name", "no name", "line break in the value", "nothing to do"],
)
def test_an_illegal_header_is_refused(
    gateway: Gateway, boxes: FakeProviderThread, entry: dict[str, str]
) -> None:
    """Nobody smuggles lines into a request."""
    told = refusal(gateway, 400, {**GREET, "extra_headers": [entry]})

    assert told.startswith("extra_headers[0]: ")
    assert boxes.requests == []


def test_params_are_merged_field_by_field(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """What is not set is not sent, nor stored; zero is set."""
    params = {"temperature": 0, "max_tokens": 7, "stop_sequences": ["x"], "seed": None}

    answer = gateway.infer(**GREET, params={"chat_completion": params})

    body = sent(boxes)
    assert (body["temperature"], body["stop"]) == (0, ["x"])
    assert 7 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert body.keys().isdisjoint({"seed", "top_p"})
    record = gateway.stored(answer["inference_id"])
    assert record is not None
    del params["seed"]
    assert record["inference_params"] == {"chat_completion": params}
