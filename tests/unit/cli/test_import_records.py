"""`lsd import`."""

from pathlib import Path

from lsd.store import Selection, verify
from tests.unit.cli.stores import filled_store, run
from tests.unit.store.makers import Maker, open_store


def test_what_was_exported_comes_in(folder: Path) -> None:
    """Into a store that need not be there; twice is as good as once."""
    filled_store(folder, Maker()).close()
    assert run("export", "records.jsonl").exit_code == 0

    first = run("import", "records.jsonl", "--data-dir", "other")
    second = run("import", "records.jsonl", "--data-dir", "other")

    assert (first.exit_code, first.stdout) == (0, "6 new, 0 known before\n")
    assert (second.exit_code, second.stdout) == (0, "0 new, 6 known before\n")
    store = open_store(folder / "other")
    assert len(store.inferences.page(Selection(), limit=9)) == 3
    assert verify(store) == []
    store.close()


def test_a_bad_line_is_told(folder: Path) -> None:
    """With file and number, on stderr."""
    (folder / "records.jsonl").write_text("\n{}\n")

    result = run("import", "records.jsonl")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("lsd: records.jsonl: line 2: type: found nothing")
    assert run("import", "missing.jsonl").exit_code == 2
