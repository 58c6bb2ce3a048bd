"""Whose certificates are believed."""

import ssl
from pathlib import Path

import pytest

from lsd.network.certificates import BadCertificates, trusted_by


def test_servers_are_verified() -> None:
    """Without any setting, certificates and host names are checked."""
    context = trusted_by({"SSL_CERT_FILE": ""})

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs()


def test_a_folder_of_certificates_is_enough(tmp_path: Path) -> None:
    """`SSL_CERT_DIR` replaces what comes with LSD."""
    context = trusted_by({"SSL_CERT_DIR": str(tmp_path)})

    assert context.get_ca_certs() == []


def test_certificates_that_cannot_be_loaded_are_named(tmp_path: Path) -> None:
    """A bad `SSL_CERT_FILE` is told by its variable and its value."""
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")

    for value in (str(broken), str(tmp_path / "missing.pem")):
        with pytest.raises(BadCertificates) as caught:
            trusted_by({"SSL_CERT_FILE": value})
        assert str(caught.value).startswith(f"SSL_CERT_FILE: found {value}, which cannot be loaded")
