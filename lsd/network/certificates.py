"""Whom LSD trusts when it calls a server by TLS."""

import ssl
from collections.abc import Mapping

import attrs
import certifi

from lsd.conversation import LsdError


@attrs.define(eq=False)
class BadCertificates(LsdError):
    """The environment names certificates that cannot be loaded."""

    variable: str
    value: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.variable}: found {self.value}, which cannot be loaded ({self.found}); "
            "wanted certificates in PEM form"
        )


def trusted_by(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Verifies servers by the authorities in `SSL_CERT_FILE` and `SSL_CERT_DIR`.

    If neither is set, by those that come with LSD. Raises BadCertificates.
    """
    file = environment.get("SSL_CERT_FILE") or None
    directory = environment.get("SSL_CERT_DIR") or None
    if file is None and directory is None:
        return ssl.create_default_context(cafile=certifi.where())
    try:
        return ssl.create_default_context(cafile=file, capath=directory)
    except OSError as error:
        raise BadCertificates(
            "SSL_CERT_FILE" if file else "SSL_CERT_DIR", file or directory or "", str(error)
        ) from None
