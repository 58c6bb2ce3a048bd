"""Signing in to AWS: the keys that requests are signed with, and the time at which they are."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

import attrs

from lsd.config import (
    AwsBedrockProvider,
    AwsProvider,
    DynamicLocation,
    Location,
    NoneLocation,
    SdkLocation,
)
from lsd.inference.aws_key_chain import AwsKeyChain
from lsd.providers import aws_error_name
from lsd.telemetry import Clock

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""The names of the error that fresh keys mend."""


@attrs.define(eq=False)
class AwsSignIn:
    """How the calls of one provider at AWS are signed.

    Keys and regions that are written down come with the locations; here is what is left.
    """

    refusal_statuses: ClassVar[frozenset[int]] = frozenset({400, 401, 403})

    _provider: AwsProvider
    _chain: AwsKeyChain
    _clock: Clock

    @property
    def cloud_wide(self) -> "AwsSignIn":
        return self

    async def credentials(self, _: Mapping[str, str], /) -> Mapping[str, str | None]:
        found: dict[str, str | None] = {}
        if self._provider.finds_region:
            found["region"] = await self._chain.region()
        if self._has_api_key:
            return found
        token = self._bearer_token
        if token is not None:
            return {**found, "api_key": token}
        found["signed_at"] = _signing_time(self._clock.now_ms())
        if self._uses_chain:
            keys = await self._chain.keys()
            found["access_key_id"] = keys.access_key_id
            found["secret_access_key"] = keys.secret_access_key
            found["session_token"] = keys.session_token
        return found

    def forget(
        self, credentials: Mapping[str, str | None], headers: Mapping[str, str], body: bytes, /
    ) -> bool:
        identifier = credentials.get("access_key_id")
        # Keys that the request brought are all that there is.
        is_brought = isinstance(self._provider.access_key_id, DynamicLocation)
        if identifier is None or is_brought or aws_error_name(headers, body) not in EXPIRED:
            return False
        self._chain.forget(identifier)
        return True

    @property
    def _has_api_key(self) -> bool:
        return isinstance(self._provider, AwsBedrockProvider) and self._provider.api_key is not None

    @property
    def _bearer_token(self) -> str | None:
        """Keys that are configured, if only as `sdk`, go before the environment's token."""
        is_bedrock = isinstance(self._provider, AwsBedrockProvider)
        is_free = self._provider.access_key_id is None
        return self._chain.bearer_token if is_bedrock and is_free else None

    @property
    def _uses_chain(self) -> bool:
        return self._provider.access_key_id is None or isinstance(
            self._provider.access_key_id, SdkLocation
        )


def written_locations(provider: AwsProvider) -> dict[str, Location]:
    """Where everything is that a configuration tells, by the names that dialects have for it.

    What is `sdk` is left to signing in, and `none` is nothing.
    """
    found: dict[str, Location | None] = {
        "region": provider.region,
        "endpoint": provider.endpoint_url,
        "access_key_id": provider.access_key_id,
        "secret_access_key": provider.secret_access_key,
        "session_token": provider.session_token,
    }
    if isinstance(provider, AwsBedrockProvider):
        found["api_key"] = provider.api_key
    return {
        name: location
        for name, location in found.items()
        if location is not None and not isinstance(location, SdkLocation | NoneLocation)
    }


def _signing_time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y%m%dT%H%M%SZ}"
