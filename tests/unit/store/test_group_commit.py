"""Strangers in one transaction, and a bad one among them."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsd.store._group_commit import PAUSE_EVERY, Write, commit_group
from lsd.store.engine import Environment
from lsd.store.errors import StoreFull, UnknownTarget, WriteFailed

REFUSAL = UnknownTarget("inference", "0198")


def putting(key: bytes, size: int = 1) -> Write:
    """A write that succeeds while there is room."""
    return Write(apply=lambda transaction: transaction.put("a", key, b"x" * size))


def failing(key: bytes) -> Write:
    """A write that fails after it has put something."""

    def apply(transaction: object) -> None:
        transaction.put("a", key, b"half")
        raise ValueError("in the middle")

    return Write(apply=apply)


def refusing() -> Write:
    """A write that does not want to, and has put nothing."""

    def apply(_transaction: object) -> None:
        raise REFUSAL

    return Write(apply=apply)


def keys_in(environment: Environment) -> list[bytes]:
    """All keys of the database."""
    with environment.read() as transaction:
        return [key for key, _ in transaction.range("a")]


def test_a_good_group_is_one_transaction(environment: Environment) -> None:
    """Writes that all succeed are visible at the same moment."""
    seen: list[int] = []

    def look(transaction: object) -> None:
        seen.append(transaction.count("a"))

    outcomes = commit_group(environment, [putting(b"1"), Write(apply=look), putting(b"2")])

    assert (outcomes, seen, keys_in(environment)) == ([None, None, None], [1], [b"1", b"2"])


def test_others_have_a_turn_on_the_way(environment: Environment) -> None:
    """After so many writes, and still in one transaction; a short group needs no pause."""
    pauses: list[int] = []

    def pause() -> None:
        pauses.append(len(keys_in(environment)))

    group = [putting(b"%03d" % number) for number in range(2 * PAUSE_EVERY)]
    outcomes = commit_group(environment, group, pause)

    assert outcomes == [None] * len(group)
    assert pauses == [0, 0]
    commit_group(environment, group[: PAUSE_EVERY - 1], pause)
    assert len(pauses) == 2


def test_a_bad_write_spoils_only_itself(environment: Environment) -> None:
    """The neighbours are stored, nothing of the bad one is, and its own outcome tells."""
    outcomes = commit_group(environment, [putting(b"1"), failing(b"2"), putting(b"3")])

    assert keys_in(environment) == [b"1", b"3"]
    assert [type(outcome) for outcome in outcomes] == [type(None), WriteFailed, type(None)]
    assert "in the middle" in str(outcomes[1])


def test_a_refusal_costs_its_neighbours_nothing(environment: Environment) -> None:
    """A write that refuses before it puts anything does not even make the others run again."""
    runs: list[int] = []

    def count(transaction: object) -> None:
        runs.append(1)
        transaction.put("a", b"1", b"")

    outcomes = commit_group(environment, [Write(apply=count), refusing(), putting(b"2")])

    assert (outcomes, runs) == ([None, REFUSAL, None], [1])
    assert keys_in(environment) == [b"1", b"2"]


def test_a_write_too_great_for_the_store_leaves_room_for_the_others(
    environment: Environment,
) -> None:
    """Of a group, only what does not fit is refused."""
    group = [putting(b"1"), putting(b"2", size=5 << 20), putting(b"3")]

    outcomes = commit_group(environment, group)

    assert keys_in(environment) == [b"1", b"3"]
    assert [type(outcome) for outcome in outcomes] == [type(None), StoreFull, type(None)]


def test_a_commit_that_fails_is_tried_in_halves(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody in particular is to blame, as many as possible are stored."""
    write = environment.write

    def write_at_most_two(apply: Callable[[object], None]) -> None:
        def bounded(transaction: object) -> None:
            before = transaction.count("a")
            apply(transaction)
            room.append(transaction.count("a") - before)

        room: list[int] = []
        write(lambda transaction: bounded(transaction) or _refuse_more_than(2, room))

    monkeypatch.setattr(Environment, "write", lambda _self, apply: write_at_most_two(apply))
    outcomes = commit_group(environment, [putting(str(number).encode()) for number in range(5)])

    assert outcomes == [None] * 5
    assert keys_in(environment) == [b"0", b"1", b"2", b"3", b"4"]


def _refuse_more_than(most: int, room: list[int]) -> None:
    if room[-1] > most:
        raise StoreFull("/d", "disk", 0)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(["good", "bad", "refused"]), max_size=20))
def test_every_write_has_its_own_outcome(environment: Environment, kinds: list[str]) -> None:
    """Whatever the mixture, exactly the good ones are stored."""
    for key in keys_in(environment):
        environment.write(lambda transaction, key=key: transaction.delete("a", key))
    keys = [f"{place:02}".encode() for place in range(len(kinds))]
    makers = {"good": putting, "bad": failing, "refused": lambda _key: refusing()}

    outcomes = commit_group(
        environment, [makers[kind](key) for kind, key in zip(kinds, keys, strict=True)]
    )

    told = {type(None): "good", WriteFailed: "bad", UnknownTarget: "refused"}
    assert [told[type(outcome)] for outcome in outcomes] == kinds
    good = [key for kind, key in zip(kinds, keys, strict=True) if kind == "good"]
    assert keys_in(environment) == good
