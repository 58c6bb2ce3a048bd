"""The commands for API keys: they work on the store, beside a running server or without one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lsd.access import is_public_id, new_api_key
from lsd.cli.failures import CommandFailed
from lsd.config import Storage
from lsd.conversation import encode_json
from lsd.store import ApiKey, ApiKeys, Store, StoreFailed, StoreFull, StoreRefused, StoreSettings
from lsd.telemetry import Clock, rfc3339_ms

_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_HEADS: Final = ("public id", "created", "expires", "disabled", "description")


def ask_for_keys(
    storage: Storage,
    clock: Clock,
    *,
    disable: str | None = None,
    lists: bool = False,
    as_json: bool = False,
    expiration: str | None = None,
    description: str | None = None,
) -> str | None:
    """What goes to stdout: the list, or nothing if a key is to be disabled, else a new key.

    Raises CommandFailed.
    """
    try:
        with _open(storage) as store:
            if disable is not None:
                _disable(store.api_keys, clock, disable)
                return None
            if lists:
                return _list(store.api_keys, as_json=as_json)
            return _create(store.api_keys, clock, expiration, description)
    except (StoreRefused, StoreFull, StoreFailed) as error:
        raise CommandFailed(str(error)) from None


def _create(keys: ApiKeys, clock: Clock, expiration: str | None, description: str | None) -> str:
    now_ms = clock.now_ms()
    expires_ms = None if expiration is None else _time_ms(expiration, now_ms)
    while True:
        made = new_api_key()
        kept = ApiKey(
            public_id=made.public_id,
            secret_hash=made.secret_hash,
            # The words of a command line need not be text.
            description=description and description.encode(errors="replace").decode(),
            created_ms=now_ms,
            expires_ms=expires_ms,
        )
        if keys.add(kept):
            return made.text


def _disable(keys: ApiKeys, clock: Clock, public_id: str) -> None:
    if not is_public_id(public_id) or not keys.disable(public_id, now_ms=clock.now_ms()):
        raise CommandFailed(f"--disable-api-key: found {public_id!r}; wanted the id of a key")


def _list(keys: ApiKeys, *, as_json: bool) -> str:
    """All keys, the oldest first: one JSON array, or lines for eyes."""
    shown = [_shown(key) for key in keys.all()]
    if as_json:
        return encode_json(shown).decode()
    rows = [_HEADS, *map(_columns, shown)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


@contextmanager
def _open(storage: Storage) -> Iterator[Store]:
    store = Store.open(storage.path, StoreSettings.of(storage), is_server=False)
    try:
        yield store
    finally:
        store.close()


def _shown(key: ApiKey) -> dict[str, Any]:
    """What may be told of a key."""
    return {
        "public_id": key.public_id,
        "description": key.description,
        "created": rfc3339_ms(key.created_ms),
        "expires": None if key.expires_ms is None else rfc3339_ms(key.expires_ms),
        "disabled": None if key.disabled_ms is None else rfc3339_ms(key.disabled_ms),
    }


def _columns(shown: dict[str, Any]) -> tuple[str, ...]:
    *times, description = (shown[head.replace(" ", "_")] or "-" for head in _HEADS)
    # A line break in it would look like one more key.
    return (*times, "".join(each if each.isprintable() else "?" for each in description))


def _time_ms(text: str, now_ms: int) -> int:
    """The milliseconds of an RFC 3339 time that is still to come. Raises CommandFailed."""
    wanted = "wanted a time to come as in RFC 3339, such as 2030-01-31T12:00:00+01:00"
    failure = CommandFailed(f"--expiration: found {text!r}; {wanted}")
    if not _RFC3339.fullmatch(text):
        raise failure
    try:
        time = datetime.fromisoformat(text.upper())
    except ValueError:
        raise failure from None
    milliseconds = int((time - _EPOCH) / timedelta(milliseconds=1))
    if milliseconds <= now_ms:
        raise failure
    return milliseconds
