"""Throw-away keys in the forms in which Google's cloud hands them out."""

from pathlib import Path
from typing import Any

import orjson

KEYS = Path(__file__).parent / "keys"

EMAIL = "lsd@proj.iam.gserviceaccount.com"


def pem(name: str = "rsa_pkcs8") -> str:
    """The text of a file in `keys`."""
    return (KEYS / f"{name}.pem").read_text()


def service_account(**changes: Any) -> str:
    """The JSON of a service account's key; a field set to None is left out."""
    document = {
        "type": "service_account",
        "project_id": "proj",
        "private_key_id": "k1",
        "private_key": pem(),
        "client_email": EMAIL,
        "token_uri": "https://oauth2.example/token",
        **changes,
    }
    return _encoded(document)


def authorized_user(**changes: Any) -> str:
    """The JSON that a user's login leaves behind."""
    document = {
        "type": "authorized_user",
        "client_id": "c-1",
        "client_secret": "user-secret",
        "refresh_token": "user-refresh",
        "token_uri": "https://oauth2.example/token",
        **changes,
    }
    return _encoded(document)


def _encoded(document: dict[str, Any]) -> str:
    return orjson.dumps({key: each for key, each in document.items() if each is not None}).decode()
