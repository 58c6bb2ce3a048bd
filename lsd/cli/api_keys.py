"""The commands for API keys: they work on the store, beside a running server or without one."""

from typing import Any, Final

from lsd.access import is_public_id, new_api_key
from lsd.cli.failures import CommandFailed
from lsd.cli.store_command import opened
from lsd.config import Storage
from lsd.conversation import encode_json
from lsd.store import ApiKey, ApiKeys, StoreFailed, StoreFull, StoreRefused
from lsd.telemetry import Clock, parse_rfc3339_ns, rfc3339_ms

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
    now_ms = clock.now_ms()
    expires_ms = None if expiration is None else _time_ms(expiration, now_ms)
    try:
        with opened(storage, may_create=True) as store:
            if disable is not None:
                _disable(store.api_keys, disable, now_ms)
                return None
            if lists:
                return _list(store.api_keys, as_json=as_json)
            return _create(store.api_keys, description, now_ms, expires_ms)
    except (StoreRefused, StoreFull, StoreFailed) as error:
        raise CommandFailed(str(error)) from None


def _create(keys: ApiKeys, description: str | None, now_ms: int, expires_ms: int | None) -> str:
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


def _disable(keys: ApiKeys, public_id: str, now_ms: int) -> None:
    if not is_public_id(public_id) or not keys.disable(public_id, now_ms=now_ms):
        raise CommandFailed(f"--disable-api-key: found {public_id!r}; wanted the id of a key")


def _list(keys: ApiKeys, *, as_json: bool) -> str:
    """All keys, the oldest first: one JSON array, or lines for eyes."""
    shown = [_shown(key) for key in keys.all()]
    if as_json:
        return encode_json(shown).decode()
    rows = [_HEADS, *map(_columns, shown)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


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
    try:
        milliseconds = parse_rfc3339_ns(text) // 1_000_000
        rfc3339_ms(milliseconds)  # what an offset moves out of the calendar cannot be shown
    except (ValueError, OverflowError):
        milliseconds = now_ms
    if milliseconds <= now_ms:
        wanted = "wanted a time to come as in RFC 3339, such as 2030-01-31T12:00:00+01:00"
        raise CommandFailed(f"--expiration: found {text!r}; {wanted}")
    return milliseconds
