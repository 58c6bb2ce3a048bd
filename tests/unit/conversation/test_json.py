"""JSON: what is read, what is refused, how it is written, how error messages show it."""

import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    Fragment,
    NotJson,
    decimal_text,
    decode_json,
    describe_json,
    encode_json,
    encode_json_sorted,
    encode_json_to_keep,
    reread_json,
)
from lsd.conversation.json import FOUND_LENGTH_MAX, NESTING_MAX
from tests.unit.conversation.json_values import JSON_VALUES

WRITER_LEVELS_MAX = 254


def nested(levels: int) -> str:
    """So many arrays within each other, with whatever stands in the innermost."""
    return "[" * levels + "]" * levels


@given(JSON_VALUES)
def test_what_was_written_is_read_again(value: Any) -> None:
    """No value changes on its way through the store."""
    assert decode_json(encode_json(value)) == value
    assert reread_json(encode_json(value)) == value


@given(JSON_VALUES)
def test_what_is_kept_is_the_same_text(value: Any) -> None:
    """Only its memory is another."""
    assert encode_json_to_keep(value) == encode_json(value)


@given(st.binary() | st.text(alphabet='[]{}",:01.e-truefalsn \\u'))
def test_any_text_is_json_or_is_not(text: bytes | str) -> None:
    """Nothing but NotJson comes out of reading, whatever a client or a provider sends."""
    with suppress(NotJson):
        value = decode_json(text)

        assert decode_json(encode_json(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nothing",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"1 2",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e400",
        b"01",
        b"\xef\xbb\xbf1",
        b'"\xff"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
    ],
)
def test_what_only_resembles_json_is_refused(text: bytes) -> None:
    """No extensions, no numbers beyond binary64, no lone surrogate, no byte order mark."""
    with pytest.raises(NotJson, match=r"line 1 column \d+"):
        decode_json(text)


def test_of_equal_keys_the_last_counts() -> None:
    """As nearly all readers have it."""
    assert decode_json(b'{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


def test_a_whole_number_is_not_a_broken_one() -> None:
    """1 and 1.0 stay what they are; an integer beyond 64 bits becomes a number with a fraction."""
    one, one_and_none, huge = decode_json(b"[1, 1.0, 123456789012345678901]")

    assert (type(one), type(one_and_none), type(huge)) == (int, float, float)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_has_a_bound(opening: str) -> None:
    """A text that is deeper than could be sent on or stored is no JSON for us."""
    closing = "]" if opening == "[" else "}"
    deepest = opening * (NESTING_MAX - 1) + "[]" + closing * (NESTING_MAX - 1)
    deeper = opening * NESTING_MAX + "[]" + closing * NESTING_MAX

    assert encode_json(decode_json(deepest)) == deepest.encode()
    with pytest.raises(NotJson, match=f"nested more than {NESTING_MAX} levels deep"):
        decode_json(deeper)


def test_brackets_side_by_side_are_not_deep() -> None:
    """Only levels count, not how many arrays or brackets in texts there are."""
    text = "[" + ",".join(["[[]]", '"[[[[[[[["'] * NESTING_MAX) + "]"

    assert len(decode_json(text)) == 2 * NESTING_MAX


def test_what_we_have_written_may_be_deeper_than_what_comes_in() -> None:
    """A record holds a request within others, and is read whatever the request held."""
    deepest = nested(WRITER_LEVELS_MAX)

    with pytest.raises(NotJson):
        decode_json(deepest)
    assert encode_json(reread_json(deepest)) == deepest.encode()


def test_writing_is_compact_and_keeps_the_order_of_keys() -> None:
    """Characters beyond ASCII are written as they are."""
    assert encode_json({"b": [1, 2.5, None], "a": "é"}) == '{"b":[1,2.5,null],"a":"é"}'.encode()


def test_equal_values_have_equal_canonical_bytes() -> None:
    """Keys are sorted on every level."""
    first = {"b": {"y": 1, "x": 2}, "a": [{"d": 1, "c": 2}]}
    second = {"a": [{"c": 2, "d": 1}], "b": {"x": 2, "y": 1}}

    assert encode_json_sorted(first) == encode_json_sorted(second)
    assert encode_json_sorted(first) == b'{"a":[{"c":2,"d":1}],"b":{"x":2,"y":1}}'


def test_amounts_tuples_and_fragments_have_a_json_form() -> None:
    """Money is an exact number, a tuple an array, a fragment what it says."""
    value = {"cost": Decimal("0.00002310"), "ids": ("a", ("b",)), "raw": Fragment(b'{"x":1}')}

    assert encode_json(value) == b'{"cost":0.0000231,"ids":["a",["b"]],"raw":{"x":1}}'
    assert encode_json_sorted(value) == encode_json(value)


def test_what_has_no_json_form_is_a_bug() -> None:
    """An object of our own never slips into an answer as its Python text."""
    with pytest.raises(TypeError):
        encode_json({"x": object()})


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.0000231", "0.0000231"),
        ("1E-9", "0.000000001"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("1.500", "1.5"),
        ("2.000", "2"),
        ("0", "0"),
        ("0.00", "0"),
        ("-0.0", "0"),
        ("0E-12", "0"),
        ("-1.20", "-1.2"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
    ],
)
def test_amounts_are_written_in_full(amount: str, text: str) -> None:
    """All digits, no exponent, no zeros at the end."""
    assert decimal_text(Decimal(amount)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_no_digit_of_an_amount_is_lost(amount: Decimal) -> None:
    """The text is the same amount again, and a JSON number."""
    text = decimal_text(amount)

    assert Decimal(text) == amount
    assert re.fullmatch(r"-?\d+(\.\d*[1-9])?", text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (5.5, "5.5"),
        (1e22, "1e+22"),
        (Decimal("0.10"), "0.10"),
        ("hi", '"hi"'),
        ("", '""'),
        ('say "hi"\n', '"say \\"hi\\"\\n"'),
        ([], "an array of 0"),
        ([1, 2], "an array of 2"),
        ((1,), "an array of 1"),
        ({"secret": "x"}, "an object"),
        (b"x", "bytes"),
    ],
)
def test_a_wrong_value_is_shown_as_json(value: object, shown: str) -> None:
    """Containers are counted, not quoted."""
    assert describe_json(value) == shown


def test_a_long_text_is_cut() -> None:
    """The message shows the beginning and that there is more."""
    longest = "x" * (FOUND_LENGTH_MAX - 2)

    assert describe_json(longest) == f'"{longest}"'
    assert describe_json(longest + "x") == f'"{longest[:-1]}…"'
    assert describe_json("x" * 10**7) == f'"{longest[:-1]}…"'


@given(st.text())
def test_any_text_is_shown_on_one_line(text: str) -> None:
    """What is shown is a JSON text with a bounded number of characters of the value."""
    shown = describe_json(text)

    assert "\n" not in shown
    assert len(decode_json(shown)) <= FOUND_LENGTH_MAX


def test_a_file_name_that_is_no_text_can_be_shown() -> None:
    """Bytes that are not UTF-8 come as lone surrogates out of the environment."""
    assert describe_json("caf\udce9.toml") == '"caf\\\\udce9.toml"'
