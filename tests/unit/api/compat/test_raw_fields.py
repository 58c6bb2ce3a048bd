"""What providers have sent, for those who ask for it."""

from lsd.api.compat.raw_fields import raw_fields
from tests.unit.api.openai.replies import model_call, reply


def test_nothing_is_shown_unasked() -> None:
    """Bodies stay as they are known."""
    assert raw_fields(reply(model_call(raw_response="raw", raw_usage={"n": 1}))) == {}


def test_texts_and_usage_are_shown_apart() -> None:
    """With what they belong to."""
    call = model_call(raw_response="raw", raw_usage={"n": 1})
    entry = {
        "model_inference_id": call.id,
        "provider_type": "openai",
        "api_type": "chat_completions",
    }

    assert raw_fields(reply(call, include_raw_response=True)) == {
        "lsd_raw_response": [{**entry, "data": "raw"}]
    }
    assert raw_fields(reply(call, include_raw_usage=True)) == {
        "lsd_raw_usage": [{**entry, "data": {"n": 1}}]
    }
