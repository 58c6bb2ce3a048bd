"""One environment: snapshots, commits, a map that grows, and what is told when it cannot."""

import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Event, Thread

import pytest

from lsd.store.engine import Durability, Environment
from lsd.store.errors import StoreFailed, StoreFull, StoreRefused

BLOCK = b"x" * 100_000


def open_at(path: Path, **options: object) -> Environment:
    """An environment with a database `a`."""
    settings = {
        "map_size": 1 << 20,
        "max_map_size": 4 << 20,
        "max_readers": 4,
        "durability": "none",
    }
    opened = Environment.open(path, **settings | options)
    opened.open_databases(("a",))
    return opened


def put_blocks(environment: Environment, first: int, last: int) -> None:
    """Puts numbered values of 100 000 bytes, in one transaction."""

    def apply(transaction: object) -> None:
        for number in range(first, last):
            transaction.put("a", str(number).encode(), BLOCK)

    environment.write(apply)


@pytest.mark.parametrize("durability", ["sync", "lazy", "none"])
def test_what_is_committed_is_there_after_opening_again(
    tmp_path: Path, durability: Durability
) -> None:
    """Every durability keeps commits over an orderly end."""
    first = open_at(tmp_path / "e", durability=durability)
    first.write(lambda transaction: transaction.put("a", b"k", b"v"))
    first.close()

    second = open_at(tmp_path / "e", durability=durability)

    with second.read() as transaction:
        assert transaction.get("a", b"k") == b"v"
    second.close()


def test_what_raises_is_taken_back(environment: Environment) -> None:
    """A write is all or nothing."""

    def apply(transaction: object) -> None:
        transaction.put("a", b"k", b"v")
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        environment.write(apply)

    with environment.read() as transaction:
        assert transaction.get("a", b"k") is None


def test_a_snapshot_does_not_change(environment: Environment) -> None:
    """A read sees what was committed when it began, also in a read inside it."""
    with environment.read() as outer:
        thread = Thread(
            target=environment.write, args=(lambda transaction: transaction.put("a", b"k", b"v"),)
        )
        thread.start()
        thread.join()
        with environment.read() as inner:
            assert (outer.get("a", b"k"), inner.get("a", b"k")) == (None, None)

    with environment.read() as transaction:
        assert transaction.get("a", b"k") == b"v"


def test_a_write_inside_a_read_is_a_bug(environment: Environment) -> None:
    """It could wait for itself when the map has to grow."""
    with environment.read(), pytest.raises(AssertionError, match="own read"):
        environment.write(lambda _transaction: None)


def test_the_map_grows_by_itself(environment: Environment) -> None:
    """A store outgrows its first map without anybody's help."""
    put_blocks(environment, 0, 30)

    with environment.read() as transaction:
        assert transaction.count("a") == 30
    assert environment.size_bytes() > 2 << 20


def test_the_map_grows_no_further_than_its_bound(environment: Environment) -> None:
    """At the bound a write is refused whole, and everything before it stays readable."""
    put_blocks(environment, 0, 20)

    with pytest.raises(StoreFull) as full:
        put_blocks(environment, 20, 60)

    assert (full.value.bound, full.value.bytes_max) == ("max_map_size", 4 << 20)
    with environment.read() as transaction:
        assert transaction.count("a") == 20
    environment.write(lambda transaction: transaction.put("a", b"small", b"fits"))


def test_the_map_waits_for_a_read_in_another_thread(environment: Environment) -> None:
    """A scan that is under way while the map grows goes on to its end."""
    put_blocks(environment, 0, 5)
    reading, may_end = Event(), Event()
    found = []

    def scan() -> None:
        with environment.read() as transaction:
            entries = transaction.range("a")
            found.append(next(entries))
            reading.set()
            may_end.wait(timeout=10)
            found.extend(entries)

    reader = Thread(target=scan)
    writer = Thread(target=put_blocks, args=(environment, 5, 30))
    reader.start()
    reading.wait(timeout=10)
    writer.start()
    may_end.set()
    reader.join(timeout=10)
    writer.join(timeout=10)

    assert len(found) == 5
    with environment.read() as transaction:
        assert transaction.count("a") == 30


GROW_ELSEWHERE = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from lsd.store.engine import Environment

    other = Environment.open(
        Path(sys.argv[1]), map_size=1 << 20, max_map_size=64 << 20, max_readers=4, durability="none"
    )
    other.open_databases(("a",))
    for number in range(50, 80):
        other.write(lambda t, number=number: t.put("a", str(number).encode(), b"x" * 100_000))
    other.close()
    """
)


@pytest.mark.parametrize("first_act", ["read", "write"])
def test_growth_by_another_process_is_adopted(environment: Environment, first_act: str) -> None:
    """A map that another process has made greater is taken over in the next read or write."""
    subprocess.run(
        [sys.executable, "-c", GROW_ELSEWHERE, str(environment.path)], check=True, timeout=60
    )

    if first_act == "write":
        environment.write(lambda transaction: transaction.put("a", b"k", b"v"))

    with environment.read() as transaction:
        assert transaction.get("a", b"79") == BLOCK


def test_more_readers_than_there_is_room_for_are_refused(environment: Environment) -> None:
    """The bound on readers is an error for the one too many, and no harm to the others."""
    held, may_end = [Event() for _ in range(4)], Event()

    def hold(number: int) -> None:
        with environment.read():
            held[number].set()
            may_end.wait(timeout=10)

    readers = [Thread(target=hold, args=(number,)) for number in range(4)]
    for reader, event in zip(readers, held, strict=True):
        reader.start()
        event.wait(timeout=10)

    with pytest.raises(StoreFailed, match="MDB_READERS_FULL"), environment.read():
        pass
    may_end.set()
    for reader in readers:
        reader.join(timeout=10)

    with environment.read() as transaction:
        assert transaction.count("a") == 0


def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    """Nobody else on the machine can read what is stored."""
    environment = open_at(tmp_path / "e")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "e").iterdir()}

    assert stat.S_IMODE((tmp_path / "e").stat().st_mode) == 0o700
    assert modes == {"data.mdb": 0o600, "lock.mdb": 0o600}
    environment.close()


def test_a_map_beyond_the_address_space_is_refused(tmp_path: Path) -> None:
    """The start tells that the greatest map does not fit, not the day on which it is needed."""
    with pytest.raises(StoreRefused, match=r"storage\.max_map_size.*address space"):
        open_at(tmp_path / "e", max_map_size=1 << 60)


def test_an_environment_is_open_once_in_a_process(
    environment: Environment,
) -> None:
    """A second opening would share the locks of the first, and is refused."""
    with pytest.raises(StoreRefused, match="already open"):
        open_at(environment.path)


def test_a_closed_environment_says_so(tmp_path: Path) -> None:
    """A late read or write is an error, not a crash."""
    environment = open_at(tmp_path / "e")
    environment.close()

    with pytest.raises(StoreFailed), environment.read():
        pass
    with pytest.raises(StoreFailed):
        environment.write(lambda _transaction: None)


def test_misuse_of_the_engine_does_not_get_out_as_its_own_error(environment: Environment) -> None:
    """A key that is too long is an error of the store, like any other."""
    with pytest.raises(StoreFailed, match="BAD_VALSIZE"):
        environment.write(lambda transaction: transaction.put("a", b"x" * 600, b""))


def test_gets_in_one_thread_and_growth_in_another_do_not_meet(environment: Environment) -> None:
    """Gets all through several growths of the map find what they look for."""
    environment.write(lambda transaction: transaction.put("a", b"k", b"v"))
    found: set[bytes | None] = set()
    is_over = Event()

    def look() -> None:
        while not is_over.is_set():
            with environment.read() as transaction:
                found.add(transaction.get("a", b"k"))

    reader = Thread(target=look)
    reader.start()
    for number in range(30):
        put_blocks(environment, number, number + 1)
    is_over.set()
    reader.join(timeout=10)

    assert found == {b"v"}
