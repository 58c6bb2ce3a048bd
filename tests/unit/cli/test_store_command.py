"""Where a command finds its store, and how it says that it does not."""

from pathlib import Path

from tests.unit.cli.stores import filled_store, run
from tests.unit.store.makers import Maker


def test_the_store_is_the_configured_one_or_the_named_one(folder: Path) -> None:
    """`--data-dir` overrules the configuration, as it does for serving."""
    filled_store(folder, Maker()).close()
    (folder / "lsd-data").rename(folder / "there")

    assert run("verify").exit_code == 1
    assert run("verify", "--data-dir", "there").exit_code == 0
    (folder / "other.toml").write_text('[storage]\npath = "there"\n', encoding="utf-8")
    assert run("verify", "--config", "other.toml").exit_code == 0


def test_what_keeps_a_command_from_its_store_is_told(folder: Path) -> None:
    """On stderr, with exit code 1 for what was found and 2 for a bad command line."""
    missing = run("verify")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert missing.stderr.endswith("lsd-data: found no store; wanted the folder of one\n")
    assert not (folder / "lsd-data").exists()

    (folder / "lsd.toml").write_text("[storage]\npath = 5\n", encoding="utf-8")
    refused = run("verify")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "storage.path: found 5" in refused.stderr

    assert run("verify", "--config", "lsd.toml", "--default-config").exit_code == 2
    before = run("--data-dir", "there", "verify")
    assert before.exit_code == 2
    assert "--data-dir stands before verify" in before.stderr
