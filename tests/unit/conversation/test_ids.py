"""Ids: how they are made, and in which forms they come back."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise
from random import Random
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    BadId,
    IdGenerator,
    id_time_ms,
    is_version_7,
    parse_id,
)

AN_ID = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
DIGITS = AN_ID.replace("-", "")
TIMES = st.integers(0, 2**48 - 2)


def id_of(time_ms: int, more: int) -> str:
    """Anybody's UUIDv7 of a time; 74 bits of `more` fill it up."""
    number = time_ms << 80 | 7 << 76 | (more >> 62) << 64 | 2 << 62 | more & (1 << 62) - 1
    return str(UUID(int=number))


class Bits(Random):
    """A generator whose bits are all 0 or all 1."""

    def __init__(self, *, bit: int) -> None:
        super().__init__(0)
        self.bit = bit

    def getrandbits(self, k: int, /) -> int:
        """So many equal bits."""
        return (1 << k) - 1 if self.bit else 0


def at(*times_ms: int) -> Callable[[], int]:
    """A clock that is read at these times, somewhere in their milliseconds, and then stops."""
    left = list(times_ms)
    return lambda: (left.pop(0) if len(left) > 1 else left[0]) * 1_000_000 + 123_456


@pytest.mark.parametrize(
    ("bit", "expected"),
    [
        (0, "0199c0de-1234-7000-8000-000000000000"),
        (1, "0199c0de-1234-77ff-bfff-ffffffffffff"),
    ],
)
def test_an_id_is_its_time_and_then_chance(bit: int, expected: str) -> None:
    """48 bits of milliseconds, the version, and random bits of which the first is free."""
    ids = IdGenerator(now_ns=at(0x0199C0DE1234), random=Bits(bit=bit))

    assert ids.new() == expected


@given(TIMES, st.integers())
def test_an_id_is_a_uuid_of_version_7(now_ms: int, seed: int) -> None:
    """Any library reads it as one, and its time is the time at which it was made."""
    made = IdGenerator(now_ns=at(now_ms), random=Random(seed)).new()

    read = UUID(made)
    assert str(read) == made
    assert (read.version, read.variant) == (7, RFC_4122)
    assert is_version_7(made)
    assert id_time_ms(made) == now_ms


@given(st.lists(TIMES, min_size=1, max_size=30), st.integers())
def test_ids_rise_whatever_the_clock_does(times: list[int], seed: int) -> None:
    """Each id is greater than all before; when the clock steps back, the last millisecond holds."""
    ids = IdGenerator(now_ns=at(*times), random=Random(seed))

    made = [ids.new() for _ in times]

    assert all(first < second for first, second in pairwise(made))
    latest = [max(times[: place + 1]) for place in range(len(times))]
    assert [id_time_ms(each) for each in made] == latest


@pytest.mark.parametrize("bit", [0, 1])
def test_a_busy_millisecond_has_room(bit: int) -> None:
    """However chance has it, a hundred thousand ids of one millisecond stay within it."""
    ids = IdGenerator(now_ns=at(5), random=Bits(bit=bit))

    made = [ids.new() for _ in range(100_000)]

    assert id_time_ms(made[-1]) == 5
    assert made == sorted(set(made))


@given(st.builds(id_of, TIMES, st.integers(0, 2**74 - 1)), TIMES, st.integers())
def test_ids_go_on_after_those_of_an_earlier_run(greatest: str, now_ms: int, seed: int) -> None:
    """After a restart ids are greater than the greatest in the store, though the clock be late."""
    ids = IdGenerator(now_ns=at(now_ms), random=Random(seed))

    ids.start_after(greatest)

    made = ids.new()
    assert made > greatest
    assert is_version_7(made)


def test_an_empty_store_has_no_greatest_id() -> None:
    """The first run begins at its clock, and to start after an older id changes nothing."""
    ids = IdGenerator(now_ns=at(0x0199C0DE1234), random=Bits(bit=0))

    ids.start_after(None)
    ids.start_after("0199c0de-0000-7000-8000-000000000000")

    assert ids.new() == "0199c0de-1234-7000-8000-000000000000"


@pytest.mark.parametrize(
    "written",
    [
        AN_ID,
        AN_ID.upper(),
        f"chatcmpl-{DIGITS}",
        f"msg_{DIGITS}",
        f"resp_{DIGITS}",
        f"CHATCMPL-{DIGITS.upper()}",
        f"Msg_{DIGITS}",
    ],
)
def test_an_id_comes_back_in_any_form_in_which_it_was_given_out(written: str) -> None:
    """Plain or as the compatible endpoints show it, in any letter case."""
    assert parse_id(written) == AN_ID


@given(st.uuids())
def test_ids_of_any_version_are_ids(given_id: UUID) -> None:
    """Whether a version fits its purpose is for whoever knows the purpose."""
    assert parse_id(str(given_id)) == str(given_id)
    assert is_version_7(str(given_id)) == (given_id.version == 7 and given_id.variant == RFC_4122)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "seven",
        DIGITS,
        AN_ID + "\n",
        " " + AN_ID,
        AN_ID[:-1],
        AN_ID + "0",
        f"{{{AN_ID}}}",
        f"urn:uuid:{AN_ID}",
        f"chatcmpl-{AN_ID}",
        f"chatcmpl_{DIGITS}",
        f"msg-{DIGITS}",
        f"msg_{DIGITS}0",
        f"msg_{DIGITS[:-1]}",
        AN_ID.replace("0", "٠"),
        AN_ID.replace("a", "g"),
    ],
)
def test_what_only_resembles_an_id_is_none(written: str) -> None:
    """The message shows what was found and what an id looks like."""
    with pytest.raises(BadId, match=r"^found \".*\"; wanted a UUID, such as 0199e3a2-") as caught:
        parse_id(written)

    assert caught.value.found == written


def test_a_long_text_is_not_repeated() -> None:
    """An error message does not grow with what somebody sends."""
    with pytest.raises(BadId) as caught:
        parse_id("x" * 10**6)

    assert len(str(caught.value)) < 200


@given(st.text() | st.text(alphabet="0123456789abcdefABCDEF-_msgchtpl"))
def test_any_text_is_an_id_or_is_not(written: str) -> None:
    """What is accepted is a canonical UUID; everything else is refused in one way."""
    with suppress(BadId):
        canonical = parse_id(written)

        assert str(UUID(canonical)) == canonical


def test_an_id_of_another_variant_is_not_of_version_7() -> None:
    """A seven in its place is not enough."""
    assert not is_version_7("0199e3a2-7c11-7d30-ca51-2f6d0c1b7e44")
    assert not is_version_7("0199e3a2-7c11-4d30-9a51-2f6d0c1b7e44")


class Heads:
    """What two processes know of each other's ids."""

    def __init__(self, others: int = 0) -> None:
        self.others = others
        self.noted = 0

    def greatest_head(self) -> int:
        return self.others

    def note_head(self, head: int) -> None:
        self.noted = head


@given(seed=st.integers(0, 2**32), turns=st.lists(st.booleans(), max_size=60))
def test_ids_of_several_processes_rise_together(seed: int, turns: list[bool]) -> None:
    """Within one millisecond, too: each is greater than all that were made before, by whomever."""
    heads = Heads(), Heads()
    makers = [IdGenerator(at(5), Random(seed + number), heads[number]) for number in range(2)]
    made = []
    for turn in turns:
        made.append(makers[turn].new())
        heads[not turn].others = heads[turn].noted

    assert made == sorted(made)
    assert len(set(made)) == len(made)


class CountedRandom(Random):
    """Chance that counts how often it is asked for."""

    draws = 0

    def getrandbits(self, k: int, /) -> int:
        """So many bits."""
        self.draws += 1
        return super().getrandbits(k)


@pytest.mark.parametrize("times", [range(1000), [7] * 1000])
def test_chance_is_drawn_for_many_ids_at_once(times: Iterable[int]) -> None:
    """To ask the system for it costs as much as an id; what was drawn is used once."""
    chance = CountedRandom(7)
    ids = IdGenerator(at(*times), chance)

    made = [ids.new() for _ in range(1000)]

    assert 0 < chance.draws <= 1000 / 20
    assert len({each[-12:] for each in made}) == 1000
