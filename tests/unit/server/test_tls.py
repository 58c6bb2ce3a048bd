"""TLS as the configuration wants it."""

import ssl
import subprocess
from pathlib import Path

import pytest

from lsd.config import Tls
from lsd.server.tls import tls_context


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key in one file."""
    path = tmp_path_factory.mktemp("tls") / "here.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=here", "-keyout", f"{path}.key", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(Path(f"{path}.key").read_text() + path.read_text())
    return path


def test_without_a_certificate_there_is_no_tls() -> None:
    """Connections are plain then."""
    assert tls_context(Tls(), http2=True) is None


def test_old_versions_are_not_spoken(certificate: Path) -> None:
    """From 1.2 on, as everything that is still in use does."""
    context = tls_context(Tls(certificate=certificate, private_key=certificate), http2=False)

    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE


def test_clients_are_asked_for_a_certificate_if_an_authority_is_named(certificate: Path) -> None:
    """And must have one."""
    tls = Tls(certificate=certificate, private_key=certificate, client_ca=certificate)

    context = tls_context(tls, http2=False)

    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_file_that_is_gone_is_an_error(certificate: Path, tmp_path: Path) -> None:
    """It was there when the configuration was checked."""
    with pytest.raises(OSError, match="No such file"):
        tls_context(Tls(certificate=tmp_path / "gone", private_key=certificate), http2=False)
