"""The benchmark of the request path runs on what the path is now."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_path_is_measured_for_each_endpoint_with_and_without_records() -> None:
    """It stands in for the server, so what the server offers the application it must offer."""
    ran = subprocess.run(
        [sys.executable, "bench/path.py", "--rounds", "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert re.findall(r"^(.+?)  +[1-9]", ran.stdout, re.MULTILINE) == [
        "inference, no records",
        "inference, records",
        "chat, no records",
        "chat, records",
    ]
