"""`lsd compact`."""

from pathlib import Path

from lsd.store import Selection, verify
from tests.unit.cli.stores import filled_store, run, run_beside
from tests.unit.store.makers import Maker, open_store


def test_the_copy_is_a_store_with_the_same_records(folder: Path) -> None:
    """Made beside a running server, smaller, and ready to be served from."""
    store = filled_store(folder, Maker(), inferences=50)
    records = store.inferences.page(Selection(), limit=100)

    # An environment can be open only once in a process, and the server is this one.
    result = run_beside(folder, "compact", "copy")

    before = store.size_bytes()["data"]
    store.close()
    after = (folder / "copy" / "data" / "data.mdb").stat().st_size
    assert (result.returncode, result.stdout) == (0, f"{before} bytes, {after} in the copy\n")
    assert after < before
    copy = open_store(folder / "copy")
    assert copy.inferences.page(Selection(), limit=100) == records
    assert verify(copy) == []
    copy.close()


def test_nothing_is_overwritten(folder: Path) -> None:
    """The folder is new or empty."""
    filled_store(folder, Maker()).close()
    (folder / "full").mkdir()
    (folder / "full" / "file").touch()
    (folder / "empty").mkdir()

    assert run("compact", "empty").exit_code == 0
    for place, told in (("full", "full: found files in it"), ("lsd.toml", "lsd.toml: ")):
        result = run("compact", place)
        assert (result.exit_code, result.stdout) == (1, "")
        assert told in result.stderr
