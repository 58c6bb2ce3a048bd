"""Which variant a request gets."""

from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lsd.experiments import Draw, UniformDraw, WeightedDraw, draw_number

VARIANTS = ("gamma", "alpha", "beta")
UNIFORM = UniformDraw(variants=VARIANTS)
WEIGHTED = WeightedDraw(variants=VARIANTS, weights={"gamma": 2, "alpha": 5, "beta": 3})

NAMES = st.text(min_size=1, max_size=8)
NUMBERS = st.integers(0, 2**32 - 1).map(lambda steps: steps / 2**32)
WEIGHTS = st.one_of(st.just(0.0), st.floats(0, 1e9), st.integers(0, 100))


def episode(number: int) -> str:
    """One of a row of episodes."""
    return f"0199c0de-0000-7000-8000-00000000000{number}"


def order(draw: Draw, function: str, episode_id: str) -> list[str]:
    """The variants as they are tried when each of them fails."""
    number = draw_number(function, episode_id)
    tried: list[str] = []
    while (name := draw.choose(number, tried)) is not None:
        tried.append(name)
    return tried


@pytest.mark.parametrize(
    ("function", "number", "digest"),
    [
        ("summarise", 1, 0xD6673E1E),
        ("summarise", 3, 0xC09B0687),
        ("summarise", 4, 0x420F3AD7),
        ("classify", 1, 0x50A06F39),
    ],
)
def test_function_and_episode_make_the_number(function: str, number: int, digest: int) -> None:
    """The same two give the same number on every machine and after each restart."""
    assert draw_number(function, episode(number)) == digest / 2**32


@given(NAMES, st.uuids())
def test_the_number_is_the_head_of_a_digest(function: str, episode_id: UUID) -> None:
    """It is made of the function's name in UTF-8 and the 16 bytes of the episode, nothing else."""
    digest = sha256(function.encode() + episode_id.bytes).digest()

    number = draw_number(function, str(episode_id))

    assert number == int.from_bytes(digest[:4], "big") / 2**32
    assert 0 <= number < 1


@pytest.mark.parametrize(
    ("function", "number", "weighted", "uniform"),
    [
        ("summarise", 1, ["gamma", "beta", "alpha"], ["gamma", "beta", "alpha"]),
        ("summarise", 3, ["beta", "gamma", "alpha"], ["gamma", "beta", "alpha"]),
        ("summarise", 4, ["alpha", "beta", "gamma"], ["alpha", "beta", "gamma"]),
        ("classify", 1, ["alpha", "beta", "gamma"], ["alpha", "beta", "gamma"]),
    ],
)
def test_a_failed_variant_is_taken_out_and_the_draw_is_repeated(
    function: str, number: int, weighted: list[str], uniform: list[str]
) -> None:
    """The rest is drawn from with the same number, until each variant has been tried once."""
    assert order(WEIGHTED, function, episode(number)) == weighted
    assert order(UNIFORM, function, episode(number)) == uniform


@pytest.mark.parametrize(
    ("number", "tried", "chosen"),
    [
        (0.0, (), "alpha"),
        (0.33, (), "alpha"),
        (0.34, (), "beta"),
        (0.67, (), "gamma"),
        (1 - 2**-32, (), "gamma"),
        (0.5, ("alpha",), "gamma"),
        (0.49, ("alpha",), "beta"),
        (0.99, ("gamma", "alpha"), "beta"),
        (0.99, VARIANTS, None),
    ],
)
def test_by_default_all_variants_are_equally_likely(
    number: float, tried: tuple[str, ...], chosen: str | None
) -> None:
    """The names left, sorted, divide the numbers from 0 to 1 into equal parts."""
    assert UNIFORM.choose(number, tried) == chosen


@pytest.mark.parametrize(
    ("number", "tried", "chosen"),
    [
        (0.0, (), "alpha"),
        (0.49, (), "alpha"),
        (0.5, (), "beta"),
        (0.79, (), "beta"),
        (0.8, (), "gamma"),
        (1 - 2**-32, (), "gamma"),
        (0.59, ("alpha",), "beta"),
        (0.6, ("alpha",), "gamma"),
        (0.5, VARIANTS, None),
    ],
)
def test_weights_divide_the_numbers(
    number: float, tried: tuple[str, ...], chosen: str | None
) -> None:
    """The chosen one is the first in the alphabet whose running sum exceeds the drawn part."""
    assert WEIGHTED.choose(number, tried) == chosen


def test_weights_need_not_sum_to_one() -> None:
    """Only their ratios count."""
    small = WeightedDraw(variants=VARIANTS, weights={"alpha": 0.005, "beta": 0.003, "gamma": 0.002})

    for function in ("summarise", "classify", "triage"):
        for number in range(10):
            chosen = order(WEIGHTED, function, episode(number))
            assert order(small, function, episode(number)) == chosen


@given(NUMBERS)
def test_a_weight_of_zero_is_never_drawn(number: float) -> None:
    """It keeps a candidate listed without sending it anything, even when all others fail."""
    draw = WeightedDraw(variants=VARIANTS, weights={"alpha": 0, "beta": 1, "gamma": 0})

    assert draw.choose(number, ()) == "beta"
    assert draw.choose(number, ("beta",)) is None


@given(NUMBERS)
def test_fallbacks_come_last_in_the_order_in_which_they_are_listed(number: float) -> None:
    """When no candidate is left, the list is gone through, whatever the number is."""
    draw = WeightedDraw(
        variants=("alpha", "beta", "gamma", "unlisted"),
        weights={"beta": 1.0},
        fallback=("gamma", "alpha"),
    )

    assert draw.choose(number, ()) == "beta"
    assert draw.choose(number, ("beta",)) == "gamma"
    assert draw.choose(number, ("beta", "gamma")) == "alpha"
    assert draw.choose(number, ("beta", "gamma", "alpha")) is None


def test_only_fallbacks_are_a_fixed_order() -> None:
    """Without a weight above 0 the fallbacks are all there is."""
    draw = WeightedDraw(variants=VARIANTS, weights={"alpha": 0}, fallback=("gamma", "beta"))

    assert order(draw, "summarise", episode(1)) == ["gamma", "beta"]


def test_the_order_of_the_configuration_does_not_matter() -> None:
    """Names are sorted by their bytes, capitals first and letters with accents last."""
    names = ("é", "a", "Z", "b")
    forwards, backwards = UniformDraw(variants=names), UniformDraw(variants=names[::-1])

    assert [forwards.choose(number, ()) for number in (0, 0.25, 0.5, 0.75)] == ["Z", "a", "b", "é"]
    assert [backwards.choose(number, ()) for number in (0, 0.25, 0.5, 0.75)] == ["Z", "a", "b", "é"]


def test_equal_weights_are_drawn_alike_on_every_python() -> None:
    """Weights are added one by one, each sum rounded: ten tenths are a little less than 1."""
    names = tuple("abcdefghij")
    draw = WeightedDraw(variants=names, weights=dict.fromkeys(names, 0.1))

    assert draw.choose(0.5, ()) == "e"


def test_no_variant_is_drawn_from_none() -> None:
    """A function without variants has nothing to draw, and nothing is likely."""
    draw = UniformDraw(variants=())

    assert draw.choose(0.5, ()) is None
    assert draw.probabilities() == {}


@given(
    weights=st.dictionaries(NAMES, WEIGHTS, max_size=6),
    fallback=st.lists(NAMES, unique=True, max_size=3),
    number=NUMBERS,
    data=st.data(),
)
def test_a_draw_gives_whom_it_may_give(
    weights: dict[str, float], fallback: list[str], number: float, data: st.DataObject
) -> None:
    """A candidate with weight while there is one left, then a fallback; never one twice."""
    assume(not weights.keys() & set(fallback))
    names = (*weights, *fallback)
    tried = data.draw(st.sets(st.sampled_from(names))) if names else set()
    draw = WeightedDraw(variants=names, weights=weights, fallback=tuple(fallback))

    chosen = draw.choose(number, tried)

    left = [name for name in weights if weights[name] > 0 and name not in tried]
    in_reserve = [name for name in fallback if name not in tried]
    assert chosen in left if left else chosen == next(iter(in_reserve), None)


@given(st.floats(5e-324, 1e-300), st.floats(5e-324, 1e-300), NUMBERS)
def test_the_tiniest_weights_still_draw_somebody(
    first: float, second: float, number: float
) -> None:
    """Where rounding would leave nobody, the last one is drawn."""
    draw = WeightedDraw(variants=("a", "b"), weights={"a": first, "b": second})

    assert draw.choose(number, ()) in ("a", "b")


@pytest.mark.parametrize("draw", [UNIFORM, WEIGHTED], ids=["uniform", "weighted"])
def test_variants_are_drawn_as_often_as_they_are_likely(draw: Draw) -> None:
    """Over all numbers, the share of each variant is its probability."""
    steps = 3000

    drawn = [draw.choose(step / steps, ()) for step in range(steps)]

    for name, probability in draw.probabilities().items():
        assert drawn.count(name) / steps == pytest.approx(probability)


def test_equal_chances_are_told_for_each_variant() -> None:
    """Without an experiment each variant has its part of 1."""
    assert UniformDraw(variants=("b", "a")).probabilities() == {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize(
    ("weights", "fallback", "told"),
    [
        ({"beta": 1, "alpha": 3}, (), {"alpha": 0.75, "beta": 0.25, "gamma": 0.0}),
        ({"alpha": 3, "beta": 0}, ("gamma",), {"alpha": 1.0, "beta": 0.0, "gamma": 0.0}),
        ({"alpha": 0}, ("gamma", "beta"), {"alpha": 0.0, "beta": 0.0, "gamma": 1.0}),
        ({}, ("gamma",), {"alpha": 0.0, "beta": 0.0, "gamma": 1.0}),
        ({}, (), {"alpha": 0.0, "beta": 0.0, "gamma": 0.0}),
    ],
)
def test_chances_follow_the_weights(
    weights: dict[str, float], fallback: tuple[str, ...], told: dict[str, float]
) -> None:
    """All variants are told, by name; without any weight the first fallback is certain."""
    draw = WeightedDraw(variants=VARIANTS, weights=weights, fallback=fallback)

    assert draw.probabilities() == told
    assert list(draw.probabilities()) == sorted(VARIANTS)
