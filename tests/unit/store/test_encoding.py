"""Records to bytes and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import Fragment, decode_json, encode_json
from lsd.store import Fields, ModelInferenceRecord, new_calls
from lsd.store import _encoding as encoding
from lsd.store.new_inference import new_inference
from tests.unit.store.makers import SNAPSHOT_HASH, Maker

EPISODE = "0198f3a2-7b40-7c11-a5d2-9e0f41c6b3aa"


def heads(*calls: ModelInferenceRecord) -> list[Fields]:
    """The heads of calls as they are stored."""
    return [encoding.model_inference_head(each.head) for each in new_calls(calls)]


def test_an_inference_comes_back_as_it_was(make: Maker) -> None:
    """Head and body together are the record."""
    record = make.inference(tags={"tenant": "acme"}, ttft_ms=None)

    new = new_inference(record, [])
    head = encode_json(encoding.inference_head(new.head, []))
    body = encoding.encode_given(new.body or {})

    assert encoding.read_inference(record.inference_id, head, body) == record
    assert encoding.read_inference(record.inference_id, head).body is None


def test_the_stored_json_stays_as_it_is(make: Maker) -> None:
    """Byte for byte: what reads dumps of stores relies on names, and people on the order."""
    record = make.inference(episode_id=EPISODE, tags={"tenant": "acme"}, ttft_ms=7)
    call = make.call(record.inference_id, error="late", provider_cache_read_input_tokens=0)
    new = new_inference(record, [call])

    (call_head,) = heads(call)
    assert encode_json(encoding.inference_head(new.head, [call_head])) == (
        b'{"function_type":"chat","function_name":"write_haiku","variant_name":"terse",'
        b'"episode_id":"0198f3a2-7b40-7c11-a5d2-9e0f41c6b3aa","status":"ok",'
        b'"tags":{"tenant":"acme"},"processing_time_ms":120,"ttft_ms":7,'
        b'"snapshot_hash":"' + SNAPSHOT_HASH.encode() + b'","usage":{"calls":1,'
        b'"input_tokens":12,"output_tokens":7,"provider_cache_read_input_tokens":0,'
        b'"cost":123000,"calls_with_cost":1}}'
    )
    assert encoding.encode_given(new.body or {}) == (
        b'{"input":{"messages":[{"role":"user","content":[{"type":"text","text":"A pond"}]}]},'
        b'"output":[{"type":"text","text":"An old silent pond"}],'
        b'"inference_params":{"chat_completion":{"temperature":0.5}},"extra_body":[]}'
    )
    assert encode_json(call_head) == (
        b'{"function_name":"write_haiku","variant_name":"terse","model_name":"gpt",'
        b'"model_provider_name":"openai","status":"ok","error":"late","input_tokens":12,'
        b'"output_tokens":7,"provider_cache_read_input_tokens":0,"response_time_ms":100,'
        b'"cached":false,"cost":123000,"finish_reason":"stop",'
        b'"snapshot_hash":"' + SNAPSHOT_HASH.encode() + b'"}'
    )
    assert encoding.encode_given(new.calls[0].body or {}) == (
        b'{"raw_request":"{\\"model\\":\\"gpt\\"}","raw_response":"{\\"choices\\":[]}",'
        b'"input_messages":[{"role":"user","content":[{"type":"text","text":"A pond"}]}],'
        b'"output":[{"type":"text","text":"An old silent pond"}]}'
    )


def test_what_is_encoded_already_goes_in_as_it_is(make: Maker) -> None:
    """A caller who has the JSON text at hand need not parse it first."""
    fields = {"input": Fragment(b'{"messages":[]}'), "output": []}

    body = encoding.encode_given(fields)

    assert decode_json(body)["input"] == {"messages": []}


def test_a_body_holds_only_what_is_given(make: Maker) -> None:
    """Empty lists are values; fields without a value take no room."""
    new = new_inference(make.inference(), [])

    body = encoding.encode_given(new.body or {})

    assert decode_json(body).keys() == {"input", "output", "inference_params", "extra_body"}


def test_a_model_inference_comes_back_as_it_was(make: Maker) -> None:
    """Head and body together are the record, money included."""
    call = make.call(make.id(), provider_cache_read_input_tokens=0, cached=True)

    (new,) = new_calls([call])
    head = encode_json(encoding.model_inference_head(new.head))
    body = encoding.encode_given(new.body or {})

    assert encoding.read_model_inference(call.inference_id, call.id, head, body) == call


def test_no_tokens_are_unreported_tokens(make: Maker) -> None:
    """A reported 0 is kept as absent; of the provider's cache, 0 is a value."""
    call = make.call(
        make.id(),
        input_tokens=0,
        output_tokens=0,
        provider_cache_read_input_tokens=0,
        provider_cache_write_input_tokens=None,
    )

    (fields,) = heads(call)

    assert fields.keys().isdisjoint({"input_tokens", "output_tokens"})
    assert fields["provider_cache_read_input_tokens"] == 0


@pytest.mark.parametrize(
    ("dollars", "nano"),
    [
        ("0", 0),
        ("0.000000001", 1),
        ("0.0000000004999", 0),
        ("0.0000000015", 2),
        ("123456.789", 123_456_789_000_000),
    ],
)
def test_money_is_kept_in_whole_billionths(make: Maker, dollars: str, nano: int) -> None:
    """A cost is rounded once, when it is stored; sums are exact from then on."""
    call = make.call(make.id(), cost=Decimal(dollars))

    (head,) = heads(call)

    assert head["cost"] == nano
    back = encoding.read_model_inference(call.inference_id, call.id, encode_json(head))
    assert back.cost == Decimal(nano) / 10**9


def test_the_sums_in_the_head_leave_out_failures_and_the_unknown(make: Maker) -> None:
    """An inference's usage is what its calls reported; a failed attempt does not count."""
    record = make.inference()
    calls = [
        make.call(record.inference_id, cost=Decimal("0.25")),
        make.call(record.inference_id, input_tokens=None, output_tokens=5, cost=None),
        make.call(record.inference_id, status="error", input_tokens=1000),
    ]

    head = encoding.inference_head(new_inference(record, []).head, heads(*calls))

    assert head["usage"] == {
        "calls": 2,
        "input_tokens": 12,
        "output_tokens": 12,
        "cost": 250_000_000,
        "calls_with_cost": 1,
    }


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("boolean", True, b"true"),
        ("float", 3, b"3.0"),
        ("float", -0.0, b"0.0"),
        ("comment", "", b'""'),
        ("demonstration", '{"raw":"1","parsed":1}', b'"{\\"raw\\":\\"1\\",\\"parsed\\":1}"'),
    ],
)
def test_values_of_feedback_are_stored_in_their_type(
    make: Maker, kind: str, value: object, stored: bytes
) -> None:
    """An integer for a float metric is a float, and there is no negative zero."""
    record = make.feedback(make.id(), kind=kind, value=value)

    encoded = encoding.feedback(record)

    assert b'"value":' + stored + b"," in encoded
    assert encoding.read_feedback(record.target_id, record.id, encoded) == record


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back_in_full_precision(value: float) -> None:
    """A float metric is binary64, before and after."""
    record = Maker().feedback("0198f3a2-7b40-7c11-a5d2-9e0f41c6b3aa", kind="float", value=value)

    encoded = encoding.feedback(record)

    assert encoding.read_feedback(record.target_id, record.id, encoded).value == value
