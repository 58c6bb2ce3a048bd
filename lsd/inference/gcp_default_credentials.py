"""Application-default credentials of Google's cloud: what its own tools would find here."""

from collections.abc import Mapping
from pathlib import Path

from lsd.config import BadGcpCredential, GcpCredential, read_gcp_credential
from lsd.conversation import AttemptFailed
from lsd.providers import MetadataServer

FILE_NAME = "application_default_credentials.json"


def default_credential(environment: Mapping[str, str]) -> GcpCredential | MetadataServer:
    """The file that the environment names, gcloud's own, or the metadata server.

    Reads files: call it in a thread. Raises AttemptFailed (config).
    """
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    if named:
        return _read(Path(named), "GOOGLE_APPLICATION_CREDENTIALS")
    found = _file_of_gcloud(environment)
    if found is not None and found.exists():
        return _read(found, "gcloud's credentials")
    if environment.get("NO_GCE_CHECK", "").lower() == "true":
        text = (
            "gcp: found no application default credentials: GOOGLE_APPLICATION_CREDENTIALS is not"
            f" set, {found or FILE_NAME} does not exist, and NO_GCE_CHECK forbids to ask the"
            " metadata server; wanted one of them"
        )
        raise AttemptFailed(kind="config", text=text)
    host = environment.get("GCE_METADATA_HOST")
    return MetadataServer(host=host) if host else MetadataServer()


def _file_of_gcloud(environment: Mapping[str, str]) -> Path | None:
    folder = environment.get("CLOUDSDK_CONFIG")
    if folder:
        return Path(folder) / FILE_NAME
    home = environment.get("HOME")
    return Path(home) / ".config" / "gcloud" / FILE_NAME if home else None


def _read(path: Path, whose: str) -> GcpCredential:
    try:
        return read_gcp_credential(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except BadGcpCredential as error:
        reason = str(error)
    raise AttemptFailed(kind="config", text=f"gcp: {whose}: file {path}: {reason}")
