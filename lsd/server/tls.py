"""TLS as the configuration wants it."""

import ssl

from lsd.config import Tls


def tls_context(tls: Tls, *, http2: bool) -> ssl.SSLContext | None:
    """The context of a server; None without a certificate.

    Raises OSError (of which ssl.SSLError is one) for files that have changed since the
    configuration was checked.
    """
    if tls.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    context.load_cert_chain(tls.certificate, tls.private_key)
    if tls.client_ca is not None:
        context.load_verify_locations(tls.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
