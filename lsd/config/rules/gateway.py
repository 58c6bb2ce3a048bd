"""`[gateway]` and `[storage]` as wholes."""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath
from lsd.config.rules.traces import check_traces
from lsd.config.tables.config import Config
from lsd.config.tables.gateway import Gateway, Tls
from lsd.config.tables.storage import FilesystemObjects, S3Objects, Storage

_ORIGIN: Final = re.compile(r"https?://[^/?#\s@]+", re.IGNORECASE)


def check_gateway(config: Config, environment: Mapping[str, str], findings: Findings) -> None:
    """What has to agree within `[gateway]`, `[storage]` and `[object_storage]`."""
    gateway = config.gateway
    _check_writes(gateway, findings)
    _check_address(gateway, findings)
    _check_origins(gateway, findings)
    _check_tls(gateway.tls, findings)
    check_traces(gateway.export.otlp.traces, environment, findings)
    check_storage(config.storage, findings)
    _check_objects(config, environment, findings)


def _check_writes(gateway: Gateway, findings: Findings) -> None:
    observability = gateway.observability
    if observability.async_writes and observability.batch_writes.enabled:
        path = ("gateway", "observability", "batch_writes", "enabled")
        found = "async_writes and batch_writes cannot both be on"
        wanted = "async_writes is on by default: set gateway.observability.async_writes = false"
        findings.refuse(path, found, wanted)


def _check_address(gateway: Gateway, findings: Findings) -> None:
    if not gateway.auth.enabled and not gateway.bind_address.is_loopback:
        found = f"{gateway.bind_address} can be reached from other machines, and auth is off"
        wanted = "bind to a loopback address, or want keys with gateway.auth.enabled = true"
        findings.warn(("gateway", "bind_address"), found, wanted)


def _check_origins(gateway: Gateway, findings: Findings) -> None:
    for at, origin in enumerate(gateway.cors.allow_origins):
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            path = ("gateway", "cors", "allow_origins", at)
            findings.refuse(path, f'found "{origin}"', 'wanted "*" or https://host[:port]')


def _check_tls(tls: Tls, findings: Findings) -> None:
    path: KeyPath = ("gateway", "tls")
    if (tls.certificate is None) != (tls.private_key is None):
        missing = "private_key" if tls.private_key is None else "certificate"
        findings.refuse((*path, missing), "missing", "set both certificate and private_key")
    elif tls.certificate is None or tls.private_key is None:
        if tls.client_ca is not None:
            found = "set without certificate and private_key"
            findings.refuse((*path, "client_ca"), found)
    else:
        _check_key_pair(tls.certificate, tls.private_key, findings)
    if tls.client_ca is not None:
        _check_authority(tls.client_ca, findings)


def _check_key_pair(certificate: Path, private_key: Path, findings: Findings) -> None:
    path: KeyPath = ("gateway", "tls")
    readable = [
        _check_readable((*path, "certificate"), certificate, findings),
        _check_readable((*path, "private_key"), private_key, findings),
    ]
    if all(readable):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(certificate, private_key, password=lambda: "")
        except (ssl.SSLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or str(error)
            found = f"certificate and private_key do not work together: {reason}"
            findings.refuse((*path, "private_key"), found)


def _check_authority(file: Path, findings: Findings) -> None:
    path = ("gateway", "tls", "client_ca")
    if _check_readable(path, file, findings):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(file)
        except (ssl.SSLError, OSError) as error:
            findings.refuse(path, f"not certificates in PEM form: {error}")


def _check_readable(path: KeyPath, file: Path, findings: Findings) -> bool:
    try:
        with file.open("rb"):
            return True
    except OSError as error:
        findings.refuse(path, f"cannot read {file}: {error.strerror}")
        return False


def check_storage(storage: Storage, findings: Findings) -> None:
    """What has to agree within `[storage]`."""
    if storage.max_map_size < storage.map_size:
        found = f"found {storage.max_map_size}"
        wanted = f"wanted at least storage.map_size, {storage.map_size}"
        findings.refuse(("storage", "max_map_size"), found, wanted)
    bodies, records = (
        storage.inference_data_retention_days,
        storage.inference_metadata_retention_days,
    )
    if bodies is not None and records is not None and bodies > records:
        wanted = f"wanted at most storage.inference_metadata_retention_days, {records}"
        findings.refuse(("storage", "inference_data_retention_days"), f"found {bodies}", wanted)


def _check_objects(config: Config, environment: Mapping[str, str], findings: Findings) -> None:
    objects = config.object_storage
    path: KeyPath = ("object_storage", "path")
    match objects:
        case FilesystemObjects(path=Path() as folder) if path in findings.document.origins:
            if not folder.is_dir():
                findings.refuse(path, f"{folder} is not a folder", "create it, or leave path out")
            elif not os.access(folder, os.W_OK):
                findings.refuse(path, f"{folder} is not writable")
        case S3Objects():
            _check_s3(objects, environment, findings)
        case _:
            pass


def _check_s3(objects: S3Objects, environment: Mapping[str, str], findings: Findings) -> None:
    endpoint = str(objects.endpoint or "")
    form, colons, _ = endpoint.partition("::")
    if (colons and form != "env") or endpoint in ("sdk", "none"):
        found = f'found "{endpoint}"'
        findings.refuse(("object_storage", "endpoint"), found, "wanted a URL or env::VAR")
    keys = ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
    unset = [name for name in keys if not environment.get(name)]
    if len(unset) == 1:
        found = f"environment variable {unset[0]} is not set"
        findings.refuse(("object_storage",), found, f"set both {keys[0]} and {keys[1]}")
