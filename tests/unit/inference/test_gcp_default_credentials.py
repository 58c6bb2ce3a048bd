"""Application-default credentials: where they are looked for, and what is said if they are bad."""

from pathlib import Path

import pytest

from lsd.config import AuthorizedUser, ServiceAccountKey
from lsd.conversation import AttemptFailed
from lsd.inference.gcp_default_credentials import FILE_NAME, default_credential
from lsd.providers import MetadataServer
from tests.fakes.gcp_keys import authorized_user, service_account


def written(folder: Path, name: str, text: str) -> str:
    """The path of a file with this text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_the_named_file_comes_first(tmp_path: Path) -> None:
    """Whoever names a file means it, whatever else lies around."""
    written(tmp_path, f".config/gcloud/{FILE_NAME}", authorized_user())
    named = written(tmp_path, "key.json", service_account())

    found = default_credential({"GOOGLE_APPLICATION_CREDENTIALS": named, "HOME": str(tmp_path)})

    assert isinstance(found, ServiceAccountKey)


def test_the_file_of_gcloud_comes_next(tmp_path: Path) -> None:
    """In the home of the user, or where gcloud was told to keep its things."""
    written(tmp_path, f".config/gcloud/{FILE_NAME}", authorized_user(client_id="home"))
    written(tmp_path, f"elsewhere/{FILE_NAME}", authorized_user(client_id="told"))

    home = default_credential({"HOME": str(tmp_path)})
    told = default_credential(
        {"HOME": str(tmp_path), "CLOUDSDK_CONFIG": str(tmp_path / "elsewhere")}
    )

    assert isinstance(home, AuthorizedUser)
    assert isinstance(told, AuthorizedUser)
    assert (home.client_id, told.client_id) == ("home", "told")


def test_the_metadata_server_comes_last(tmp_path: Path) -> None:
    """Machines in the cloud have no file."""
    home = {"HOME": str(tmp_path)}

    assert default_credential({}) == default_credential(home) == MetadataServer()
    elsewhere = default_credential({**home, "GCE_METADATA_HOST": "127.0.0.1:9"})
    assert elsewhere == MetadataServer(host="127.0.0.1:9")


def refused(environment: dict[str, str]) -> str:
    """Why there is no default credential."""
    with pytest.raises(AttemptFailed) as failed:
        default_credential(environment)
    assert failed.value.kind == "config"
    return str(failed.value)


def test_nothing_at_all(tmp_path: Path) -> None:
    """All places are told at once."""
    told = refused({"HOME": str(tmp_path), "NO_GCE_CHECK": "true"})

    assert "GOOGLE_APPLICATION_CREDENTIALS is not set" in told
    assert str(tmp_path / ".config/gcloud" / FILE_NAME) in told
    assert "NO_GCE_CHECK" in told
    assert FILE_NAME in refused({"NO_GCE_CHECK": "TRUE"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"\xff", "is not UTF-8 text"),
        (b"{}", "private_key: missing"),
        (b'{"type":"external_account"}', "no other type is supported"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """No other place is tried: the operator has said where."""
    path = tmp_path / "key.json"
    if content is not None:
        path.write_bytes(content)

    told = refused({"GOOGLE_APPLICATION_CREDENTIALS": str(path)})

    assert told.startswith(f"gcp: GOOGLE_APPLICATION_CREDENTIALS: file {path}: ")
    assert reason in told
