"""The object that an answer of the Responses API is."""

from typing import Any

from lsd.api.openai.response_object import ResponseObject
from lsd.conversation import Text, Usage, parse_id
from tests.unit.api.openai.replies import HEX, INFERENCE, model_call, reply

HI = Text(text="Hi")


def response(call: Any = None, flags: Any = None, **body: Any) -> ResponseObject:
    """The answer that a call makes to a body."""
    made = reply(model_call(HI) if call is None else call, **flags or {})
    return ResponseObject(reply=made, model="m", body=body)


def test_a_whole_answer() -> None:
    """All that clients look for is there."""
    whole = response(user="u").whole()

    assert whole["id"] == f"resp_{HEX}"
    assert parse_id(whole["id"]) == INFERENCE
    assert (whole["object"], whole["model"], whole["status"]) == ("response", "m", "completed")
    assert whole["output"][0]["content"][0]["text"] == "Hi"
    assert whole["usage"]["total_tokens"] == 12
    assert whole["store"] is False
    assert (whole["error"], whole["incomplete_details"]) == (None, None)


def test_the_request_is_repeated() -> None:
    """Where it says nothing, with what that means."""
    begun = response(instructions="a", temperature=0.5, tools=[{"type": "web_search"}]).begun()

    assert begun["instructions"] == "a"
    assert begun["temperature"] == 0.5
    assert begun["tools"] == [{"type": "web_search"}]
    assert begun["tool_choice"] == "auto"
    assert begun["parallel_tool_calls"] is True
    assert begun["status"] == "in_progress"
    assert begun["output"] == []
    assert begun["usage"] is None


def test_a_cut_answer_is_incomplete() -> None:
    """And so is its last item."""
    for reason, told in (("length", "max_output_tokens"), ("content_filter", "content_filter")):
        whole = response(model_call(HI, finish_reason=reason)).whole()

        assert whole["status"] == "incomplete"
        assert whole["incomplete_details"] == {"reason": told}
        assert whole["output"][0]["status"] == "incomplete"


def test_usage() -> None:
    """All details are numbers; what nobody has told is null, what came from the cache is free."""
    usage = Usage(
        input_tokens=9,
        output_tokens=3,
        provider_cache_read_input_tokens=4,
        provider_cache_write_input_tokens=5,
        reasoning_tokens=2,
    )

    assert response(model_call(HI, usage=usage)).whole()["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 12,
    }
    assert response(model_call(HI, usage=Usage())).whole()["usage"] is None
    cached = response(model_call(HI, usage=usage, cached=True)).whole()["usage"]
    assert cached["total_tokens"] == cached["input_tokens_details"]["cached_tokens"] == 0


def test_raw_words_are_told_if_wanted() -> None:
    """Beside all else."""
    whole = response(flags={"include_raw_usage": True}).whole()

    assert "lsd_raw_usage" in whole
    assert "lsd_raw_usage" not in response().whole()


def test_a_failed_answer_says_why() -> None:
    """With what was whole by then."""
    failed = response().failed([], "server_error", "cut")

    assert failed["status"] == "failed"
    assert failed["error"] == {"code": "server_error", "message": "cut"}
