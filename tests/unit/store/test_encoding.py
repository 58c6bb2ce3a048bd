"""Records to bytes and back."""

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import Fragment, decode_json, encode_json
from lsd.store import _encoding as encoding
from tests.unit.store.makers import Maker


def test_an_inference_comes_back_as_it_was(make: Maker) -> None:
    """Head and body together are the record."""
    record = make.inference(tags={"tenant": "acme"}, ttft_ms=None)

    head = encode_json(encoding.inference_head(record, []))
    body = encoding.inference_body(record.body)

    assert encoding.read_inference(record.inference_id, head, body) == record
    assert encoding.read_inference(record.inference_id, head).body is None


def test_what_is_encoded_already_goes_in_as_it_is(make: Maker) -> None:
    """A caller who has the JSON text at hand need not parse it first."""
    record = make.inference()
    fragment = attrs.evolve(record.body, input=Fragment(b'{"messages":[]}'))

    body = encoding.inference_body(fragment)

    assert decode_json(body)["input"] == {"messages": []}


def test_a_body_holds_only_what_is_given(make: Maker) -> None:
    """Empty lists are values; fields without a value take no room."""
    body = encoding.inference_body(make.inference().body)

    assert decode_json(body).keys() == {"input", "output", "inference_params", "extra_body"}


def test_a_model_inference_comes_back_as_it_was(make: Maker) -> None:
    """Head and body together are the record, money included."""
    call = make.call(make.id(), provider_cache_read_input_tokens=0, cached=True)

    head = encoding.model_inference_head(call)
    body = encoding.model_inference_body(call.body)

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

    fields = decode_json(encoding.model_inference_head(call))

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

    head = encoding.model_inference_head(call)

    assert decode_json(head)["cost"] == nano
    back = encoding.read_model_inference(call.inference_id, call.id, head)
    assert back.cost == Decimal(nano) / 10**9


def test_the_sums_in_the_head_leave_out_failures_and_the_unknown(make: Maker) -> None:
    """An inference's usage is what its calls reported; a failed attempt does not count."""
    record = make.inference()
    calls = [
        make.call(record.inference_id, cost=Decimal("0.25")),
        make.call(record.inference_id, input_tokens=None, output_tokens=5, cost=None),
        make.call(record.inference_id, status="error", input_tokens=1000),
    ]

    head = encoding.inference_head(record, calls)

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
