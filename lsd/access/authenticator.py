"""Whether a key may be used now: each request is checked against the store."""

import hmac

import attrs

from lsd.access.api_key_text import FORM, KeyText, hash_of_secret, read_key
from lsd.conversation import LsdError
from lsd.store import ApiKey, ApiKeys
from lsd.telemetry import Clock, rfc3339_ms

REMEMBERED_MAX = 10_000
"""Keys that were found good lately, a few megabytes of them; with more, all are read anew."""

_NO_HASH = "-" * 64
"""Of no secret, for keys that do not exist: to refuse them takes as long as any others."""

_SCHEME = "bearer "
"""In lower case: RFC 9110, 11.1, lets it be written in any."""


@attrs.frozen
class NotAuthenticated(LsdError):
    """The caller has shown no key that counts; the reason holds nothing of what he has shown."""

    reason: str

    def __str__(self) -> str:
        return f"LSD authentication error: {self.reason}"


@attrs.frozen
class _Remembered:
    """A key as it was read from the store, and until when that is believed."""

    key: ApiKey
    until_s: float


@attrs.define(eq=False)
class Authenticator:
    """Knows the keys of a store. One serves all requests of a process.

    A key that was found good is remembered for `ttl_s` seconds, but no longer than the keys in the
    store stay as they are; None: never.
    """

    _keys: ApiKeys
    _clock: Clock
    _ttl_s: float | None
    _remembered: dict[tuple[str, str], _Remembered] = attrs.field(factory=dict, init=False)
    _generation: int = attrs.field(default=-1, init=False)

    def public_id(self, authorization: str | None, x_api_key: str | None = None) -> str:
        """The public id of the key that a request brings, in the first header that has one.

        Quick enough for the event loop. Raises NotAuthenticated; StoreFailed if the store does.
        """
        key = self._find(_brought(authorization, x_api_key))
        if key.disabled_ms is not None:
            raise NotAuthenticated(f"the key was disabled at {rfc3339_ms(key.disabled_ms)}")
        if key.expires_ms is not None and key.expires_ms <= self._clock.now_ms():
            raise NotAuthenticated(f"the key has expired at {rfc3339_ms(key.expires_ms)}")
        return key.public_id

    def _find(self, brought: KeyText) -> ApiKey:
        """The key as it is in the store now."""
        secret_hash = hash_of_secret(brought.secret)
        if self._ttl_s is None:
            return self._read(brought.public_id, secret_hash)
        generation = self._keys.generation()
        if generation != self._generation or len(self._remembered) > REMEMBERED_MAX:
            self._remembered.clear()
            self._generation = generation
        now_s = self._clock.monotonic()
        # By the hash, too: the right id with a wrong secret must never hit.
        place = (brought.public_id, secret_hash)
        remembered = self._remembered.get(place)
        if remembered is not None and now_s < remembered.until_s:
            return remembered.key
        key = self._read(*place)
        self._remembered[place] = _Remembered(key, now_s + self._ttl_s)
        return key

    def _read(self, public_id: str, secret_hash: str) -> ApiKey:
        key = self._keys.get(public_id)
        known = key.secret_hash if key is not None else _NO_HASH
        if not hmac.compare_digest(known, secret_hash) or key is None:
            raise NotAuthenticated("the key does not exist")
        return key


def _brought(authorization: str | None, x_api_key: str | None) -> KeyText:
    """The key in the first of the headers that has one. Raises NotAuthenticated."""
    try:
        return _in_authorization(authorization)
    except NotAuthenticated:
        if x_api_key is None:
            raise
    try:
        return read_key(x_api_key)
    except ValueError as error:
        # The other header is of no more use: if it is there, it holds somebody else's token.
        raise _misshapen("x-api-key", error) from None


def _in_authorization(value: str | None) -> KeyText:
    header = "the header Authorization"
    if value is None:
        raise NotAuthenticated(f"{header} is missing; wanted Bearer {FORM}")
    if not value.isascii():
        raise NotAuthenticated(f"{header} is not ASCII; wanted Bearer {FORM}")
    if not value[: len(_SCHEME)].lower() == _SCHEME:
        raise NotAuthenticated(f"{header} does not begin with Bearer; wanted Bearer {FORM}")
    try:
        return read_key(value[len(_SCHEME) :].strip(" "))
    except ValueError as error:
        raise _misshapen("Authorization", error) from None


def _misshapen(header: str, error: ValueError) -> NotAuthenticated:
    return NotAuthenticated(f"the key in {header} does not have the form {FORM}: {error}")
