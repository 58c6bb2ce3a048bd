"""Gets, puts and ranges over one ordered database."""

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsd.store.engine import Environment
from lsd.store.transaction import Transaction

KEYS = st.binary(min_size=1, max_size=3)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def fill(environment: Environment, entries: dict[bytes, bytes]) -> None:
    """Makes `entries` the whole content of `a`."""
    with environment.read() as transaction:
        old = [key for key, _ in transaction.range("a")]

    def apply(transaction: object) -> None:
        for key in old:
            transaction.delete("a", key)
        for key, value in entries.items():
            transaction.put("a", key, value)

    environment.write(apply)


@QUICK
@given(
    entries=st.dictionaries(KEYS, st.binary(max_size=3)),
    start=st.binary(max_size=3),
    stop=st.none() | KEYS,
    reverse=st.booleans(),
    limit=st.none() | st.integers(0, 5),
)
def test_a_range_is_a_slice_of_the_sorted_keys(
    environment: Environment,
    entries: dict[bytes, bytes],
    start: bytes,
    stop: bytes | None,
    reverse: bool,
    limit: int | None,
) -> None:
    """Every range gives what sorting and filtering a dict gives."""
    fill(environment, entries)

    with environment.read() as transaction:
        found = list(transaction.range("a", start, stop, reverse=reverse, limit=limit))

    wanted = sorted(
        (item for item in entries.items() if item[0] >= start and (stop is None or item[0] < stop)),
        reverse=reverse,
    )
    assert found == wanted[:limit]


def test_databases_do_not_see_each_other(environment: Environment) -> None:
    """The same key may stand in two databases with two values."""
    environment.write(lambda transaction: transaction.put("a", b"k", b"one"))
    environment.write(lambda transaction: transaction.put("b", b"k", b"two"))

    with environment.read() as transaction:
        assert (transaction.get("a", b"k"), transaction.get("b", b"k")) == (b"one", b"two")
        assert transaction.count("a") == 1


def test_add_leaves_alone_what_is_there(environment: Environment) -> None:
    """Whoever adds is told whether he was the first."""
    answers = environment.write(
        lambda transaction: [transaction.add("a", b"k", value) for value in (b"one", b"two")]
    )

    with environment.read() as transaction:
        assert (answers, transaction.get("a", b"k")) == ([True, False], b"one")


def test_delete_tells_whether_there_was_something(environment: Environment) -> None:
    """A key is gone after its deletion, and a second deletion finds nothing."""
    environment.write(lambda transaction: transaction.put("a", b"k", b"v"))

    answers = environment.write(
        lambda transaction: [transaction.delete("a", b"k"), transaction.delete("a", b"k")]
    )

    assert answers == [True, False]


@attrs.define
class Tally:
    """A row that counts, and goes away at zero."""

    count: int

    @classmethod
    def read(cls, row: bytes | None) -> "Tally":
        return cls(int(row or b"0"))

    def encode(self) -> bytes | None:
        return str(self.count).encode() if self.count else None


def test_a_row_is_put_once_at_the_commit(environment: Environment) -> None:
    """What many writes change is seen by them at once, and stored with the commit."""
    seen = []

    def count(transaction: Transaction, step: int = 1) -> None:
        for _ in range(3):
            transaction.row("a", b"n", Tally.read).count += step
        seen.append(transaction.get("a", b"n"))

    environment.write(count)
    environment.write(count)
    with environment.read() as transaction:
        assert (seen, transaction.get("a", b"n")) == ([None, b"3"], b"6")
    environment.write(lambda transaction: count(transaction, -2))
    with environment.read() as transaction:
        assert transaction.get("a", b"n") is None


@attrs.define(eq=False)
class Names:
    """Names that many writes collect, and the rows that count them."""

    key: str
    article: str
    collected: list[str] = attrs.field(factory=list)

    def settle(self, transaction: Transaction) -> None:
        transaction.put("a", self.key.encode(), " ".join((self.article, *self.collected)).encode())
        transaction.row("a", b"n", Tally.read).count += len(self.collected)


def test_what_writes_have_gathered_is_settled_once_before_the_rows(
    environment: Environment,
) -> None:
    """Until the commit nobody else sees it; what it changes in rows goes with them."""

    def apply(transaction: Transaction) -> bytes | None:
        for name in ("one", "two"):
            transaction.gathered("names", Names, "the").collected.append(name)
        return transaction.get("a", b"names")

    meanwhile = environment.write(apply)

    assert meanwhile is None
    with environment.read() as transaction:
        assert transaction.get("a", b"names") == b"the one two"
        assert Tally.read(transaction.get("a", b"n")).count == 2


def test_whether_a_key_begins_so_is_told(environment: Environment) -> None:
    """Without going through what begins otherwise."""
    environment.write(lambda transaction: transaction.put("a", b"key", b""))

    with environment.read() as transaction:
        assert [transaction.has("a", prefix) for prefix in (b"k", b"key", b"l", b"keys")] == [
            True,
            True,
            False,
            False,
        ]


def test_what_was_put_off_is_there_whatever_is_asked_next(environment: Environment) -> None:
    """It is put together, and never later than somebody looks."""
    fill(environment, {b"a": b"1", b"b": b"2"})
    seen: list[object] = []

    def apply(transaction: Transaction) -> None:
        for ask in (
            lambda: transaction.get("a", b"c"),
            lambda: transaction.has("a", b"c"),
            lambda: transaction.count("a"),
            lambda: list(transaction.range("a")),
            lambda: transaction.seeker("a").last_to(b"z"),
            lambda: transaction.row("a", b"c", Tally.read).count,
            lambda: transaction.delete("a", b"c"),
            lambda: (transaction.put("a", b"c", b"8"), transaction.get("a", b"c")),
            lambda: (transaction.put_all("a", [(b"c", b"9")]), transaction.get("a", b"c")),
        ):
            for value in (b"3", b"4"):
                transaction.put_off("c", Values, "a").values.append(value)
            transaction.put_off("elsewhere", Values, "b").values.append(b"5")
            seen.append(ask())
        transaction.put_off("end", Values, "b").values.append(b"6")

    environment.write(apply)

    three = [(b"a", b"1"), (b"b", b"2"), (b"c", b"34")]
    assert seen == [b"34", True, 3, three, b"c", 34, True, (None, b"8"), (None, b"9")]
    with environment.read() as transaction:
        assert transaction.get("b", b"elsewhere") == b"5"
        assert transaction.get("b", b"end") == b"6"


@attrs.define(eq=False)
class Values:
    """Values that many writes collect under one key."""

    key: str
    database: str
    values: list[bytes] = attrs.field(factory=list)

    def settle(self, transaction: Transaction) -> None:
        transaction.put_all(self.database, [(self.key.encode(), b"".join(self.values))])


def test_many_are_put_at_once(environment: Environment) -> None:
    """Whoever adds is told whether all were the first of their keys; the new ones are there."""
    fill(environment, {b"a": b"1"})

    def apply(transaction: Transaction) -> list[bool]:
        transaction.put_all("a", [(b"a", b"2"), (b"b", b"3")])
        return [
            transaction.add_all("a", [(b"c", b"4"), (b"d", b"5")]),
            transaction.add_all("a", [(b"d", b"6"), (b"e", b"7")]),
            transaction.add_all("a", []),
        ]

    assert environment.write(apply) == [True, False, True]
    with environment.read() as transaction:
        assert dict(transaction.range("a")) == {
            b"a": b"2",
            b"b": b"3",
            b"c": b"4",
            b"d": b"5",
            b"e": b"7",
        }


def test_callbacks_come_after_the_commit_only(environment: Environment) -> None:
    """What is remembered after a commit is not remembered when the commit did not happen."""
    called = []

    def good(transaction: object) -> None:
        transaction.after_commit(lambda: called.append("good"))

    def bad(transaction: object) -> None:
        transaction.after_commit(lambda: called.append("bad"))
        raise ValueError("taken back")

    environment.write(good)
    with pytest.raises(ValueError, match="taken back"):
        environment.write(bad)

    assert called == ["good"]


@QUICK
@given(keys=st.sets(KEYS), asked=st.lists(KEYS, max_size=5))
def test_a_seeker_finds_the_nearest_key(
    environment: Environment, keys: set[bytes], asked: list[bytes]
) -> None:
    """On either side, and goes on from there."""
    fill(environment, dict.fromkeys(keys, b""))
    ordered = sorted(keys)

    with environment.read() as transaction:
        seeker = transaction.seeker("a")
        for key in asked:
            from_key = [each for each in ordered if each >= key]
            assert seeker.first_from(key) == (from_key[0] if from_key else None)
            if from_key:
                assert seeker.next() == (from_key[1] if len(from_key) > 1 else None)
            to_key = [each for each in ordered if each <= key]
            assert seeker.last_to(key) == (to_key[-1] if to_key else None)
            if to_key:
                assert seeker.previous() == (to_key[-2] if len(to_key) > 1 else None)
