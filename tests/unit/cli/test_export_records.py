"""`lsd export`."""

from pathlib import Path

import orjson

from tests.unit.cli.stores import filled_store, run, run_beside
from tests.unit.store.makers import Maker


def test_records_go_to_stdout_or_a_file(folder: Path) -> None:
    """The same lines, and nothing else; a server need not stop."""
    store = filled_store(folder, Maker())

    shown = run_beside(folder, "export")
    written = run_beside(folder, "export", "records.jsonl")

    store.close()
    assert (shown.returncode, shown.stderr) == (0, "")
    types = [orjson.loads(line)["type"] for line in shown.stdout.splitlines()]
    assert types == ["inference"] * 3 + ["feedback"] * 3
    assert (written.returncode, written.stdout) == (0, "")
    assert (folder / "records.jsonl").read_text() == shown.stdout


def test_where_nothing_can_be_written_is_told(folder: Path) -> None:
    """On stderr."""
    filled_store(folder, Maker()).close()

    for place in ("missing/records.jsonl", "/dev/full"):
        result = run("export", place)
        assert (result.exit_code, result.stdout) == (1, "")
        assert place in result.stderr
