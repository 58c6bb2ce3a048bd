"""From a configuration to a daemon: what is opened is closed if it does not come to that."""

import os
import signal
import threading
from pathlib import Path

import pytest

from lsd.config import Address, Gateway, Loaded
from lsd.server import StartRefused, run_daemon
from lsd.server.listening import listen
from lsd.server.starting import worker_count
from lsd.store import Store, StoreSettings
from lsd.telemetry import LogSettings
from tests.unit.captured_log import Log
from tests.unit.config.folder import Folder

SMALL = '[storage]\nmap_size = "4 MiB"\nmax_map_size = "64 MiB"\ndurability = "none"\n'


def run(folder: Folder, loaded: Loaded, pid_file: Path | None = None) -> int:
    """The exit code of a daemon."""
    return run_daemon(loaded, sources=folder.sources(), logs=LogSettings(), pid_file=pid_file)


def refusal(folder: Folder, text: str = "", pid_file: Path | None = None) -> str:
    """Why a daemon with this configuration does not start."""
    loaded = folder.load(SMALL + text, bind_address="127.0.0.1:0")
    with pytest.raises(StartRefused) as refused:
        run(folder, loaded, pid_file)
    return str(refused.value)


def reopened(folder: Folder) -> None:
    """Proves that nobody holds the data folder any more."""
    settings = StoreSettings(map_size=4 << 20)
    Store.open(folder.path / "lsd-data", settings, is_server=True).close()


def test_a_port_in_use_keeps_nothing_open(folder: Folder) -> None:
    """The next start finds everything free."""
    with listen(Address("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        loaded = folder.load(SMALL, bind_address=f"127.0.0.1:{port}")
        with pytest.raises(StartRefused, match="it is in use"):
            run(folder, loaded)

    reopened(folder)


def test_a_pid_file_that_cannot_be_written_keeps_nothing_open(folder: Folder) -> None:
    """It is found out before anything is served."""
    told = refusal(folder, pid_file=folder.path / "absent" / "lsd.pid")

    assert told.startswith(f"--pid-file {folder.path}/absent/lsd.pid: ")
    reopened(folder)


def test_objects_that_cannot_be_kept_keep_nothing_open(folder: Folder) -> None:
    """The refusal names the folder."""
    folder.write("lsd-data/objects", "a file where a folder should be")

    assert "object storage at " in refusal(folder)
    reopened(folder)


def test_certificates_that_cannot_be_read_keep_nothing_open(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal names the variable or the file."""
    missing = folder.path / "missing.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(missing))

    assert str(missing) in refusal(folder)
    reopened(folder)


def test_a_store_that_is_insisted_on_must_be_there(folder: Folder) -> None:
    """Nothing is served without it."""
    folder.write("lsd-data", "a file where a folder should be")

    told = refusal(folder, "[gateway.observability]\nenabled = true\n")

    assert "gateway.observability.enabled = true needs the store" in told


def test_a_whole_life(folder: Folder, log: Log) -> None:
    """From the configuration to the exit code, and everything is free again."""
    path = folder.path / "lsd.pid"
    loaded = folder.load(SMALL, bind_address="127.0.0.1:0")

    def end_when_serving() -> None:
        while not path.exists():
            threading.Event().wait(0.001)
        os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=end_when_serving, daemon=True)
    watcher.start()
    code = run(folder, loaded, path)
    watcher.join()

    assert code == 0
    assert [entry["event"] for entry in log] == ["serving", "draining", "stopped"]
    assert not path.exists()
    reopened(folder)


def test_the_number_of_workers_may_be_that_of_the_processors() -> None:
    """Of those that the process may use."""
    assert worker_count(Gateway(workers=3)) == 3
    assert 1 <= worker_count(Gateway(workers="auto")) <= (os.cpu_count() or 1)
