"""A store with something in it, and the command line over it."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from lsd.cli.command import lsd as command
from lsd.store import Store
from tests.unit.store.makers import Maker, given, open_store, stored

ROOT = Path(__file__).resolve().parents[3]

SMALL = '[storage]\nmap_size = "1 MiB"\nmax_map_size = "64 MiB"\ndurability = "none"\n'


def run(*words: str) -> Result:
    """What the command line with these words does."""
    return CliRunner().invoke(command, words, prog_name="lsd")


def run_beside(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own, working in `folder`."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "lsd", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def filled_store(folder: Path, make: Maker, inferences: int = 3) -> Store:
    """An open store of a server with inferences, calls and feedback; configured in `folder`."""
    (folder / "lsd.toml").write_text(SMALL, encoding="utf-8")
    store = open_store(folder / "lsd-data")
    for _ in range(inferences):
        record = make.inference(tags={"tenant": "acme"})
        stored(store, record, make.call(record.inference_id))
        given(store, make.feedback(record.inference_id))
    return store
