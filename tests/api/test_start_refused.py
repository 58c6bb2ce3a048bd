"""Refused starts: one clear message each, the exit code of the manual, and nothing left behind."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import StartGateway
from tests.api.gateway import _clean_environment

SMALL = '[storage]\nmap_size = "1 MiB"\nmax_map_size = "64 MiB"\ndurability = "none"\n'


def start(folder: Path, config: str, *words: str) -> tuple[int, list[str]]:
    """The exit code of a start, and what it told on stderr, without steps and warnings."""
    (folder / "lsd.toml").write_text(config)
    line = [sys.executable, "-P", "-m", "lsd", "--bind-address", "127.0.0.1:0", *words]
    done = subprocess.run(
        line,
        cwd=folder,
        env=_clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == ""
    levels = ("[info", "[warning")
    lines = done.stderr.splitlines()
    return done.returncode, [each for each in lines if not any(map(each.__contains__, levels))]


def certificate(folder: Path, name: str) -> None:
    """A certificate, and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=here", "-days", "2"]
    command += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
    subprocess.run(command, check=True, capture_output=True)


def test_keys_that_a_configuration_names_must_be_there(tmp_path: Path) -> None:
    """Each missing one is told, and nothing is created."""
    models = "".join(
        f'[models.{name}]\nrouting = ["p"]\n'
        f'providers.p = {{ type = "openai", model_name = "x", api_key_location = "env::{name}" }}\n'
        for name in ("ONE", "TWO")
    )

    code, told = start(tmp_path, models)

    assert code == 1
    assert [line.partition(";")[0] for line in told] == [
        "lsd.toml: models.ONE.providers.p: credential missing: environment variable ONE is not set",
        "lsd.toml: models.TWO.providers.p: credential missing: environment variable TWO is not set",
        "configuration refused: 2 problems",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["lsd.toml"]


def test_traces_that_nobody_would_collect(tmp_path: Path) -> None:
    """Case 67: the variable that is missing is named."""
    code, told = start(tmp_path, "gateway.export.otlp.traces.enabled = true\n")

    assert code == 1
    assert len(told) == 2
    assert told[0].startswith("lsd.toml: gateway.export.otlp.traces.enabled: ")
    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in told[0]


def test_a_key_that_belongs_to_another_certificate(tmp_path: Path) -> None:
    """The file is named, and what is wrong with it."""
    certificate(tmp_path, "one")
    certificate(tmp_path, "two")

    code, told = start(
        tmp_path, 'gateway.tls = { certificate = "one.pem", private_key = "two.key" }\n'
    )

    assert code == 1
    assert len(told) == 2
    assert told[0].startswith(
        "lsd.toml: gateway.tls.private_key: certificate and private_key do not work together: "
    )


def test_a_store_that_another_server_has(start_gateway: StartGateway, tmp_path: Path) -> None:
    """Case 35: its process is named."""
    gateway = start_gateway("")

    code, told = start(tmp_path, "", "--data-dir", str(gateway.data_path))

    assert code == 1
    holder = f"is in use by another server (pid {gateway.pid}); wanted a folder of its own"
    assert told == [f"lsd: the store cannot be opened: {gateway.data_path}: {holder}"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder that nobody can write")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """If it was named, so that somebody relies on it."""
    code, told = start(tmp_path, "", "--data-dir", "/proc/lsd-data")

    assert code == 1
    reason = f"cannot be created: {os.strerror(errno.ENOENT)}"
    assert told == [f"lsd: the store cannot be opened: /proc/lsd-data: {reason}"]


ADAPTIVE = """
[metrics.solved]
type = "boolean"
optimize = "max"
level = "inference"
[functions.f]
type = "chat"
variants.a = { model = "echo::a" }
[functions.f.experimentation]
type = "adaptive"
metric = "solved"
candidate_variants = ["a"]
"""
"""An experiment that learns by what it is told."""


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ("[gateway]\nauth.enabled = true\n", "gateway.auth.enabled = true"),
        (
            "[[rate_limiting.rules]]\nalways = true\ntokens_per_day = 5\n",
            "rate_limiting.rules",
        ),
        ("[gateway]\ncache.enabled = true\n", "gateway.cache.enabled = true"),
        (ADAPTIVE, "functions.f.experimentation"),
    ],
)
def test_what_needs_a_store_says_so(tmp_path: Path, config: str, key: str) -> None:
    """Even where LSD would serve without one."""
    (tmp_path / "lsd-data").write_text("a file where a folder should be")

    code, told = start(tmp_path, config)

    assert code == 1
    assert told == [
        f"lsd: {tmp_path}/lsd-data: found a file; wanted a folder; {key} needs the store"
    ]


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """Case 36: with a hint."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "{}:{}".format(*taken.getsockname())
        code, told = start(tmp_path, SMALL, "--bind-address", address)

    assert code == 1
    hint = "stop what listens there, or choose another --bind-address"
    assert told == [f"lsd: cannot listen on {address}: it is in use; {hint}"]
