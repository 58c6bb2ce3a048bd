"""Signing in to Google's cloud: from a configured credential to a bearer token."""

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any, ClassVar

import attrs
import trio

from lsd.config import (
    AuthorizedUser,
    BadGcpCredential,
    DynamicLocation,
    GcpCredential,
    GcpProvider,
    Location,
    Secrets,
    ServiceAccountKey,
    read_gcp_credential,
)
from lsd.conversation import AttemptFailed
from lsd.inference.credential_endpoints import ask_endpoint
from lsd.inference.expiring_credentials import ExpiringCredentials
from lsd.inference.gcp_default_credentials import default_credential
from lsd.network import Transport
from lsd.providers import (
    CLOUD_SCOPE,
    AccessToken,
    MetadataServer,
    exchange_request,
    metadata_request,
    read_token,
    refresh_request,
    self_signed_token,
    vertex_audience,
)
from lsd.telemetry import Clock

TRIES_MAX = 3
PAUSE_S = 0.2
"""Before the second try; before the third twice as long."""

ENDPOINT_S_MAX = 10.0
"""An endpoint for tokens answers within a fraction of a second, or is ill."""

METADATA_S_MAX = 3.0
"""The metadata server is on the same machine; elsewhere nothing answers by this name."""


@attrs.define(eq=False, kw_only=True)
class GcpTokens:
    """Gets tokens for the credentials of a configuration. One serves a process."""

    _transport: Transport
    _clock: Clock
    _random: Random
    _environment: Mapping[str, str] = attrs.field(repr=False)
    _tokens: ExpiringCredentials[AccessToken] = attrs.field(init=False)
    _known: dict[Location, GcpCredential | MetadataServer] = attrs.field(
        factory=dict, init=False, repr=False
    )
    _unsigned: set[Location] = attrs.field(factory=set, init=False)
    """Credentials whose own signature was refused: they are exchanged for tokens from then on."""

    def __attrs_post_init__(self) -> None:
        self._tokens = ExpiringCredentials(self._clock)

    async def token(
        self, location: Location, text: str | None, audience: str | None
    ) -> AccessToken:
        """A token for the credential `text` from `location`; None stands for the default one.

        It is good for one audience at least, and everywhere if none is named. Raises
        AttemptFailed.
        """
        credential = self._known.get(location)
        if credential is None:
            credential = self._known[location] = await self._credential(location, text)
        if (
            isinstance(credential, ServiceAccountKey)
            and audience is not None
            and location not in self._unsigned
        ):
            key, fetch = (location, audience), partial(self._signed, credential, audience)
        else:
            key, fetch = (location, CLOUD_SCOPE), partial(self._fetched, credential)
        try:
            return await self._tokens.get(key, fetch)
        except AttemptFailed as failure:
            if failure.kind == "auth":
                # Somebody may log in again, or put another key in its place.
                self._known.pop(location, None)
            raise

    def forget(self, value: str) -> None:
        """A token was refused: it is not given again, nor one of its kind if it was self-signed."""
        key: Any = self._tokens.forget(value)
        if key is not None and key[1] != CLOUD_SCOPE:
            self._unsigned.add(key[0])

    async def _credential(
        self, location: Location, text: str | None
    ) -> GcpCredential | MetadataServer:
        if text is None:
            return await trio.to_thread.run_sync(default_credential, self._environment)
        try:
            return read_gcp_credential(text)
        except BadGcpCredential as error:
            raise AttemptFailed(kind="config", text=f"gcp: {location}: {error}") from None

    async def _signed(self, credential: ServiceAccountKey, audience: str) -> AccessToken:
        now_s = self._clock.now_ms() // 1000
        return await trio.to_thread.run_sync(
            self_signed_token, credential, audience, now_s, self._random
        )

    async def _fetched(self, credential: GcpCredential | MetadataServer) -> AccessToken:
        for number in range(1, TRIES_MAX + 1):
            try:
                return await self._ask(credential)
            except AttemptFailed as failure:
                if not failure.transient or number == TRIES_MAX:
                    raise
            await trio.sleep(PAUSE_S * number)
        raise AssertionError("the last try returns or raises")

    async def _ask(self, credential: GcpCredential | MetadataServer) -> AccessToken:
        now_s = self._clock.now_ms() // 1000
        project, limit_s = None, ENDPOINT_S_MAX
        match credential:
            case ServiceAccountKey():
                asked = await trio.to_thread.run_sync(
                    exchange_request, credential, now_s, self._random
                )
            case AuthorizedUser():
                asked, project = refresh_request(credential), credential.quota_project_id
            case MetadataServer():
                asked, limit_s = metadata_request(credential), METADATA_S_MAX
        answer = await ask_endpoint(self._transport, asked, named="token endpoint", limit_s=limit_s)
        token = read_token(answer.status, answer.headers, answer.body, now_s, asked)
        return attrs.evolve(token, quota_project=project)


@attrs.define(eq=False)
class GcpSignIn:
    """How the calls of one provider at Vertex AI get their token."""

    refusal_statuses: ClassVar[frozenset[int]] = frozenset({401})

    _provider: GcpProvider
    _location: Location
    _secrets: Secrets
    _tokens: GcpTokens
    _is_cloud_wide: bool = False
    """Self-signed tokens open Vertex AI alone."""

    @property
    def cloud_wide(self) -> "GcpSignIn":
        return GcpSignIn(self._provider, self._location, self._secrets, self._tokens, True)

    async def credentials(self, dynamic: Mapping[str, str]) -> Mapping[str, str | None]:
        location, text = self._secrets.find(self._location, dynamic)
        if isinstance(location, DynamicLocation):
            assert text is not None, "what a request brings is a text"
            if text.lstrip().startswith("{"):
                reason = f"{location}: expects an access token, not key JSON"
                raise AttemptFailed(kind="config", text=f"gcp: {reason}")
            return {"access_token": text}
        audience = None if self._is_cloud_wide else vertex_audience(self._provider)
        token = await self._tokens.token(location, text, audience)
        return {"access_token": token.value, "quota_project": token.quota_project}

    def forget(
        self, credentials: Mapping[str, str | None], _: Mapping[str, str], __: bytes, /
    ) -> bool:
        value = credentials.get("access_token")
        # A token that the request brought comes alone; there is no other one to be had for it.
        if value is None or "quota_project" not in credentials:
            return False
        self._tokens.forget(value)
        return True
