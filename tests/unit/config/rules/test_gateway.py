"""What has to agree within the gateway and its storage."""

import subprocess
from pathlib import Path

import pytest

from tests.unit.config.folder import Folder


def test_records_are_written_in_one_way(folder: Folder) -> None:
    """Which one is on by default is said."""
    told = folder.problem("gateway.observability.batch_writes = { enabled = true }")  # case 24

    assert told == (
        "gateway.observability.batch_writes.enabled: async_writes and batch_writes cannot both be "
        "on; async_writes is on by default: set gateway.observability.async_writes = false"
    )


def test_an_open_gateway_is_warned_of_once(folder: Folder) -> None:
    """Case 69: on the loopback address it is not open, nor where keys are wanted."""
    open_to_all = folder.load("gateway.bind_address = '0.0.0.0:3000'").warnings
    by_command_line = folder.load("", bind_address="[::]:3000").warnings

    assert [warning.count("auth is off") for warning in open_to_all] == [1]
    assert [warning.count("auth is off") for warning in by_command_line] == [1]
    assert folder.load("gateway.bind_address = '[::1]:3000'").warnings == ()
    keyed = "gateway = { bind_address = '0.0.0.0:3000', auth.enabled = true }"
    assert folder.load(keyed).warnings == ()


@pytest.mark.parametrize(
    "origin", ["example.com", "https://example.com/", "ftp://x", "https://", ""]
)
def test_origins_are_exact(folder: Folder, origin: str) -> None:
    """As browsers send them, without a path."""
    problems = folder.problems(f"gateway.cors.allow_origins = ['*', '{origin}']")

    assert "gateway.cors.allow_origins[1]" in problems


def make_pair(folder: Path, name: str) -> None:
    """A self-signed certificate and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=localhost", "-days", "2"]
    command += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
    subprocess.run(command, check=True, capture_output=True)


def test_certificate_and_key_go_together(folder: Folder) -> None:
    """One alone, or two that do not match, are refused."""
    make_pair(folder.path, "a")
    make_pair(folder.path, "b")
    good = "gateway.tls = { certificate = 'a.pem', private_key = 'a.key', client_ca = 'b.pem' }"

    assert folder.problems(good) == {}
    alone = folder.problems("gateway.tls.certificate = 'a.pem'")
    assert alone.keys() == {"gateway.tls.private_key"}
    crossed = folder.problems("gateway.tls = { certificate = 'a.pem', private_key = 'b.key' }")
    assert "do not work together" in crossed["gateway.tls.private_key"]
    absent = folder.problems("gateway.tls = { certificate = 'x.pem', private_key = 'a.key' }")
    assert "No such file" in absent["gateway.tls.certificate"]
    authority = folder.problems(good.replace("'b.pem'", "'a.key'"))
    assert "not certificates" in authority["gateway.tls.client_ca"]
    lonely = folder.problems("gateway.tls.client_ca = 'b.pem'")
    assert "without certificate" in lonely["gateway.tls.client_ca"]


def test_the_map_grows_and_never_shrinks(folder: Folder) -> None:
    """Its bound is not below its start."""
    told = folder.problem("storage.max_map_size = '1 GiB'")

    assert told.startswith(
        "storage.max_map_size: found 1073741824; wanted at least storage.map_size"
    )


def test_bodies_are_not_kept_longer_than_their_records(folder: Folder) -> None:
    """They would have nowhere to be."""
    problems = folder.problems(
        "storage.inference_data_retention_days = 9\nstorage.inference_metadata_retention_days = 8"
    )

    told = problems["storage.inference_data_retention_days"]
    assert "found 9; wanted at most storage.inference_metadata_retention_days, 8" in told


def test_a_folder_for_input_files_exists(folder: Folder) -> None:
    """If it is named; the default is made when it is needed."""
    told = folder.problem("object_storage.path = 'files'")

    assert told == (
        f"object_storage.path: {folder.path}/files is not a folder; create it, or leave path out"
    )


@pytest.mark.parametrize("endpoint", ["dynamic::x", "path::/x", "none"])
def test_the_endpoint_of_a_bucket_is_a_url_or_a_variable(folder: Folder, endpoint: str) -> None:
    """No other place is asked for it."""
    problems = folder.problems(
        f"object_storage = {{ type='s3_compatible', endpoint='{endpoint}' }}"
    )

    assert problems["object_storage.endpoint"].endswith("wanted a URL or env::VAR")


def test_keys_of_a_bucket_come_in_pairs(folder: Folder) -> None:
    """One alone is a mistake."""
    folder.environment["S3_ACCESS_KEY_ID"] = "id"

    problems = folder.problems("object_storage.type = 's3_compatible'")

    assert "S3_SECRET_ACCESS_KEY is not set" in problems["object_storage"]
