"""What a call costs: exact sums over what the provider reported."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.config import CostEntry
from lsd.conversation import decode_json, encode_json
from lsd.inference.costs import CostTable, CostUnknown


def rate(pointer: str, dollars_per_million: str, *, required: bool = False) -> CostEntry:
    """One line of a `cost` list."""
    return CostEntry(
        pointer=pointer, cost_per_million=Decimal(dollars_per_million), required=required
    )


INPUT = rate("/usage/prompt_tokens", "0.15")
OUTPUT = rate("/usage/completion_tokens", "0.60")


def cost(body: Any, *entries: CostEntry) -> Decimal:
    """What an answer with this body costs."""
    table = CostTable.of(entries or (INPUT, OUTPUT))
    assert table is not None
    return table.cost(body)


def test_a_table_can_be_stored() -> None:
    """It gives the same sums when it is read again."""
    table = CostTable.of((INPUT, rate("/usage/x", "3", required=True)))
    assert table is not None

    again = CostTable.of_json(decode_json(encode_json(table.to_json())))

    assert again is not None
    body = {"usage": {"prompt_tokens": 7, "x": 1}}
    assert again.cost(body) == table.cost(body) == Decimal("0.00000405")


def why_unknown(body: Any, *entries: CostEntry) -> str:
    """Why the cost of an answer with this body cannot be told."""
    with pytest.raises(CostUnknown) as unknown:
        cost(body, *entries)
    return unknown.value.reason


def streamed(*chunks: Any, entries: tuple[CostEntry, ...] = (INPUT, OUTPUT)) -> Decimal:
    """What a stream of these chunks costs."""
    table = CostTable.of(entries)
    assert table is not None
    counter = table.stream()
    for chunk in chunks:
        counter.add(chunk)
    return counter.cost()


def test_without_a_table_the_cost_is_unknown() -> None:
    """No rates are not the same as rates of nothing."""
    assert CostTable.of(()) is None


@pytest.mark.parametrize(
    ("body", "dollars"),
    [
        ({"usage": {"prompt_tokens": 41, "completion_tokens": 19}}, "0.00001755"),
        ({"usage": {"prompt_tokens": 0, "completion_tokens": 0}}, "0"),
        ({"usage": {"prompt_tokens": 41}}, "0.00000615"),
        ({"usage": {}}, "0"),
        ({"usage": None}, "0"),
        ({}, "0"),
        (None, "0"),
        ([], "0"),
        ({"usage": {"prompt_tokens": "41"}}, "0.00000615"),
        ({"usage": {"prompt_tokens": "41.5"}}, "0.000006225"),
        ({"usage": {"prompt_tokens": 41.5}}, "0.000006225"),
        ({"usage": {"prompt_tokens": "1e3"}}, "0.00015"),
        ({"usage": {"prompt_tokens": 2**50 + 1}}, "168884986.02639375"),
    ],
    ids=[
        "both",
        "zeros",
        "one is missing",
        "all are missing",
        "no object on the way",
        "empty",
        "no body",
        "another shape",
        "numeric string",
        "numeric string with a fraction",
        "fraction",
        "numeric string with an exponent",
        "very many",
    ],
)
def test_a_cost_is_the_exact_sum_of_figures_times_rates(body: Any, dollars: str) -> None:
    """Numbers and numeric strings count; an optional figure that is missing adds nothing."""
    assert cost(body) == Decimal(dollars)


@given(
    tokens=st.lists(st.integers(0, 10**9), min_size=1, max_size=5),
    micro_rate=st.integers(-(10**6), 10**9),
)
def test_no_cent_is_lost(tokens: list[int], micro_rate: int) -> None:
    """However many figures are summed, the result is what integers would give."""
    entries = [
        rate(f"/{place}", str(Decimal(micro_rate) / 10**6)) for place, _ in enumerate(tokens)
    ]
    exact = sum(tokens) * micro_rate

    if exact < 0:
        assert "negative" in why_unknown(tokens, *entries)
    else:
        assert cost(tokens, *entries) * 10**12 == exact


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "is no number"),
        ("many", "is no number"),
        ("", "is no number"),
        ("0x10", "is no number"),
        ([1], "is no number"),
        ({"n": 1}, "is no number"),
        (None, "is no number"),
        ("NaN", "is no number that could be a count"),
        ("Infinity", "is no number that could be a count"),
        ("1e999999999", "is no number"),
        ("1e999999", "is no number that could be a count"),
        (1e300, "is no number that could be a count"),
    ],
    ids=str,
)
def test_what_is_no_number_makes_the_cost_unknown(value: Any, reason: str) -> None:
    """A figure that cannot be counted is not passed over: the whole cost is null."""
    told = why_unknown({"usage": {"prompt_tokens": value}})

    assert told.startswith("/usage/prompt_tokens ")
    assert reason in told


def test_a_required_figure_that_is_missing_makes_the_cost_unknown() -> None:
    """The operator says which figures a cost cannot do without."""
    entries = (rate("/usage/prompt_tokens", "1", required=True), OUTPUT)

    assert cost({"usage": {"prompt_tokens": 2}}, *entries) == Decimal("0.000002")
    assert why_unknown({"usage": {"completion_tokens": 2}}, *entries) == (
        "/usage/prompt_tokens is missing, and required"
    )


def test_a_discount_may_lower_a_cost_but_not_below_nothing() -> None:
    """Rates may be negative, totals may not."""
    entries = (INPUT, rate("/usage/cached", "-0.1"))

    assert cost({"usage": {"prompt_tokens": 100, "cached": 50}}, *entries) == Decimal("0.00001")
    assert why_unknown({"usage": {"prompt_tokens": 1, "cached": 50}}, *entries) == (
        "the total is negative: -0.00000485"
    )


def test_a_sum_beyond_reason_is_no_cost() -> None:
    """A billion dollars for one call is a figure that went wrong."""
    assert cost(10**9, rate("", "1000000")) == 10**9
    assert why_unknown(10**9 + 1, rate("", "1000000")) == ("the total is beyond 1000000000 dollars")


@pytest.mark.parametrize(
    ("pointer", "body"),
    [
        ("/choices/1/tokens", {"choices": [{}, {"tokens": 5}]}),
        ("/a~1b/c~0d", {"a/b": {"c~d": 5}}),
        ("/~01", {"~1": 5}),
        ("/0", {"0": 5}),
        ("/", {"": 5}),
        ("", 5),
    ],
)
def test_a_pointer_finds_its_figure(pointer: str, body: Any) -> None:
    """Pointers are those of RFC 6901: places in arrays, and escapes for slash and tilde."""
    assert cost(body, rate(pointer, "1000000")) == 5


@pytest.mark.parametrize("pointer", ["/list/2", "/list/-", "/list/x", "/list/\u00b2", "/text/0"])
def test_a_pointer_that_leads_nowhere_is_a_missing_figure(pointer: str) -> None:
    """Beyond an array's end, into a text: there is nothing, and nothing breaks."""
    assert cost({"list": [1, 2], "text": "5"}, rate(pointer, "1")) == 0


def test_a_price_per_unit_is_taken_as_it_is() -> None:
    """A call, an image or a second may have a price, too."""
    entry = CostEntry(pointer="/images", cost_per_unit=Decimal("0.04"))

    assert cost({"images": 3}, entry) == Decimal("0.12")


def test_a_figure_may_stand_elsewhere_in_a_stream() -> None:
    """With a pair of pointers, plain answers and chunks are looked at in their own places."""
    entry = CostEntry(
        pointer_nonstreaming="/usage/total",
        pointer_streaming="/delta/usage/total",
        cost_per_unit=Decimal(1),
    )

    assert cost({"usage": {"total": 3}}, entry) == 3
    assert streamed({"delta": {"usage": {"total": 4}}}, entries=(entry,)) == 4


@pytest.mark.parametrize(
    ("chunks", "dollars"),
    [
        ([], "0"),
        ([{}, {}], "0"),
        ([{"usage": None}, {"usage": {"prompt_tokens": 100}}], "0.000015"),
        ([{"usage": {"prompt_tokens": n}} for n in (10, 30, 20)], "0.0000045"),
        (
            [{"usage": {"prompt_tokens": 100}}, {"usage": {"completion_tokens": 100}}],
            "0.000075",
        ),
        ([{"usage": {"prompt_tokens": None}}, {"usage": {"prompt_tokens": "100"}}], "0.000015"),
        ([{"usage": {"prompt_tokens": 100}}, {"usage": {"prompt_tokens": None}}], "0.000015"),
    ],
    ids=[
        "no chunk",
        "no usage",
        "once at the end",
        "cumulative",
        "in two chunks",
        "null before",
        "null after",
    ],
)
def test_of_a_stream_the_greatest_figures_count(chunks: list[Any], dollars: str) -> None:
    """It does not matter whether a provider reports once, ever more, or in parts."""
    assert streamed(*chunks) == Decimal(dollars)


def test_a_required_figure_may_come_in_any_chunk() -> None:
    """Only at the end of a stream is a figure missing."""
    required = (rate("/n", "1000000", required=True),)

    assert streamed({}, {"n": 2}, {}, entries=required) == 2
    with pytest.raises(CostUnknown):
        streamed({}, {"n": None}, entries=required)


def test_a_bad_figure_in_a_stream_is_told_by_where_it_was_looked_for() -> None:
    """The reason names the pointer for streams, where there are two."""
    entry = CostEntry(
        pointer_nonstreaming="/a",
        pointer_streaming="/b~1c",
        cost_per_unit=Decimal(1),
        required=True,
    )

    with pytest.raises(CostUnknown) as wrong:
        streamed({"b/c": "many"}, entries=(entry,))
    with pytest.raises(CostUnknown) as missing:
        streamed({}, entries=(entry,))

    assert wrong.value.reason == "/b~1c is no number"
    assert missing.value.reason == "/b~1c is missing, and required"
