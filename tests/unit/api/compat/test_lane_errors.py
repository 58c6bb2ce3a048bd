"""The same trouble in the words of OpenAI and of Anthropic."""

from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
import pytest

from lsd.api import ErrorAnswers, error_desk
from lsd.api.compat.conditions import ROWS, Condition, Trouble
from lsd.api.compat.lane_errors import LaneErrors
from lsd.api.errors import Refused
from lsd.api.exchange import Answer
from lsd.conversation import AttemptFailed, IdGenerator
from lsd.telemetry import CURRENT_REQUEST, RequestContext

OPENAI = LaneErrors("openai")
ANTHROPIC = LaneErrors("anthropic")

REQUEST = "0199e3a2-7c11-7d30-9a51-000000000001"
INFERENCE = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
IDS = IdGenerator(lambda: 1_770_000_000_000_000_000, Random(7))


@pytest.fixture(autouse=True)
def request_in_progress() -> Iterator[None]:
    """The id under which the log keeps the request."""
    context = RequestContext(method="POST", path="/x", new_id=lambda: REQUEST)
    token = CURRENT_REQUEST.set(context)
    yield
    CURRENT_REQUEST.reset(token)


def body(answer: Answer) -> Any:
    """The decoded body."""
    assert answer.media_type == "application/json"
    return orjson.loads(answer.body)


def trouble(condition: Condition, **more: Any) -> Trouble:
    """A trouble that says "no"."""
    return Trouble(condition=condition, message="no", **more)


def test_openais_body_has_four_keys() -> None:
    """All of them are always there."""
    answer = OPENAI.answer(trouble(Condition.UNKNOWN_MODEL, param="model"))

    assert answer.status == 404
    assert body(answer) == {
        "error": {
            "message": "no",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    }
    assert dict(answer.headers) == {b"x-request-id": b"req_0199e3a27c117d309a51000000000001"}


def test_anthropics_body_names_the_request() -> None:
    """Its type stands at two places."""
    answer = ANTHROPIC.answer(trouble(Condition.MALFORMED, param="x", details={"error_code": "y"}))

    assert answer.status == 400
    assert body(answer) == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "no",
            "details": {"error_code": "y"},
        },
        "request_id": "req_0199e3a27c117d309a51000000000001",
    }
    assert dict(answer.headers)[b"request-id"].decode() == body(answer)["request_id"]


def test_a_record_gives_its_id_to_the_request() -> None:
    """What the client's library shows as request id is then that of the record."""
    headers = dict(OPENAI.answer(trouble(Condition.UPSTREAM, inference_id=INFERENCE)).headers)

    assert headers[b"x-request-id"] == b"req_0199e3a27c117d309a512f6d0c1b7e44"
    assert headers[b"x-lsd-inference-id"] == INFERENCE.encode()


@pytest.mark.parametrize(
    ("seconds", "whole", "exact"),
    [(0.2, b"1", b"200"), (7.0, b"7", b"7000"), (7.0001, b"8", b"7001")],
)
def test_how_long_to_wait_is_told_twice(seconds: float, whole: bytes, exact: bytes) -> None:
    """In whole seconds for everybody, in milliseconds for the libraries that know them."""
    headers = dict(OPENAI.answer(trouble(Condition.OWN_LIMIT, retry_after_s=seconds)).headers)

    assert (headers[b"retry-after"], headers[b"retry-after-ms"]) == (whole, exact)


def test_what_no_retry_can_mend_says_so() -> None:
    """The libraries of both APIs obey."""
    hopeless = {
        condition
        for condition in Condition
        if (b"x-should-retry", b"false")
        in OPENAI.answer(trouble(condition, retry_after_s=1.0)).headers
    }

    assert hopeless == {Condition.OUT_OF_FUNDS, Condition.UPSTREAM_AUTH}


def test_a_limit_that_never_lets_the_call_pass_says_so() -> None:
    """No wait would help."""
    headers = dict(OPENAI.answer(trouble(Condition.OWN_LIMIT)).headers)

    assert headers[b"x-should-retry"] == b"false"
    assert b"retry-after" not in headers


def test_the_resource_that_has_run_out_is_openais_type() -> None:
    """Requests, tokens or cost."""
    answer = OPENAI.answer(trouble(Condition.OWN_LIMIT, resource="tokens"))

    assert body(answer)["error"]["type"] == "tokens"


def test_a_providers_own_code_is_told_where_there_is_no_other() -> None:
    """Agents branch on the codes of the table."""
    passed_on = OPENAI.answer(trouble(Condition.MALFORMED, code="bad_thing"))
    own = OPENAI.answer(trouble(Condition.UPSTREAM, code="bad_thing"))

    assert body(passed_on)["error"]["code"] == "bad_thing"
    assert body(own)["error"]["code"] == "upstream_error"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("prompt is too long: 9 > 8", "prompt is too long: 9 > 8"),
        ("maximum context length", "prompt is too long: maximum context length"),
    ],
)
def test_anthropics_agents_know_a_long_prompt_by_the_first_words(message: str, told: str) -> None:
    """OpenAI's look at the code."""
    long = Trouble(condition=Condition.CONTEXT_TOO_LONG, message=message)

    assert body(ANTHROPIC.answer(long))["error"]["message"] == told
    assert body(OPENAI.answer(long))["error"]["message"] == message


@pytest.mark.parametrize(
    ("words", "base", "chat"),
    [
        (LaneErrors("openai"), "/openai/v1", "chat/completions"),
        (LaneErrors("anthropic"), "/anthropic", "v1/messages"),
        (LaneErrors("openai", "/gate"), "/gate/openai/v1", "chat/completions"),
    ],
    ids=["openai", "anthropic", "base path"],
)
def test_an_unknown_path_is_told_with_the_right_base_url(
    words: LaneErrors, base: str, chat: str
) -> None:
    """Case 42: most wrong paths come from a wrong base URL, or are older than chats (trap 20)."""
    answer = words.answer_and_log(Refused(404, "Route not found: POST /x"), "POST /x", IDS)

    assert answer.status == 404
    assert body(answer)["error"]["message"].endswith(
        f"the base URL for clients of this API ends with {base}, "
        f"and models are asked at {base}/{chat}"
    )


def test_a_bug_is_told_by_an_id_alone() -> None:
    """The log has the rest."""
    answer = OPENAI.answer_and_log(KeyError("secret"), "POST /x", IDS)

    assert answer.status == 500
    assert body(answer)["error"]["code"] == "internal_error"
    assert REQUEST in body(answer)["error"]["message"]
    assert b"secret" not in answer.body


def test_a_stream_breaks_off_with_one_event() -> None:
    """OpenAI's frames have only data, Anthropic's are known by their name."""
    failure = AttemptFailed(kind="server", status=529, text="busy")

    openai = OPENAI.broken_off("p", failure, INFERENCE)
    anthropic = ANTHROPIC.broken_off("p", failure, INFERENCE)

    assert openai.startswith(b'data: {"error":{"message":"busy [provider p]",')
    assert openai.endswith(b"}\n\n")
    assert anthropic.startswith(b'event: error\ndata: {"type":"error","error":')
    assert b"overloaded_error" in anthropic


def test_a_daemon_that_stops_asks_to_come_back() -> None:
    """In the dialect of the stream that it cuts off."""
    answer = ANTHROPIC.stopping()

    assert answer.status == 503
    assert dict(answer.headers)[b"retry-after"] == b"5"


def test_the_path_decides_about_the_words() -> None:
    """The first segment does, and nothing but the whole of it."""
    native = ErrorAnswers(shows_tree=False)
    desk = error_desk(native, "/")

    assert desk.words_for("/openai/v1/models") == OPENAI
    assert desk.words_for("/anthropic") == ANTHROPIC
    assert desk.words_for("//openai//v1") == OPENAI
    assert desk.words_for("/inference") is native
    assert desk.words_for("/openais") is native


def test_every_condition_has_its_row() -> None:
    """Both APIs have words for everything."""
    assert set(ROWS) == set(Condition)
