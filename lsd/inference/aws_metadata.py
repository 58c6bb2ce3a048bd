"""The metadata service of an instance of AWS: the keys of its role, and its region."""

from collections.abc import Mapping
from typing import Final

import attrs

from lsd.config import METADATA_SWITCH, may_ask_metadata
from lsd.conversation import AttemptFailed, WireRequest
from lsd.inference.credential_endpoints import ask_endpoint
from lsd.network import Transport
from lsd.providers import (
    METADATA_BASE,
    AwsKeys,
    check_answered,
    metadata_keys_request,
    metadata_region_request,
    metadata_roles_request,
    metadata_token_request,
    read_json,
    read_keys,
)

ANSWER_S_MAX: Final = 1.0
"""It is on the same machine; elsewhere nothing answers at its address."""

NAMED: Final = "metadata service"


@attrs.frozen
class InstanceMetadata:
    """Asks the metadata service. Everything here raises AttemptFailed.

    The kind is `config` if there is no such service: it will not come by waiting.
    """

    _transport: Transport
    _environment: Mapping[str, str] = attrs.field(repr=False)

    async def keys(self, now_s: float) -> AwsKeys:
        """The keys of the role that the instance has."""
        token = await self._token()
        roles = await self._ask(metadata_roles_request(self._base, token))
        role = roles.strip().partition("\n")[0]
        if not role:
            raise _unavailable("the instance has no role")
        document = await self._ask(metadata_keys_request(self._base, token, role))
        return read_keys(read_json(document.encode(), NAMED), now_s, NAMED)

    async def region(self) -> str:
        """The region in which the instance runs."""
        token = await self._token()
        region = (await self._ask(metadata_region_request(self._base, token))).strip()
        if not region:
            raise _unavailable("it has no region")
        return region

    async def _token(self) -> str:
        if not may_ask_metadata(self._environment):
            raise _unavailable(f"{METADATA_SWITCH} forbids to ask it")
        try:
            return await self._ask(metadata_token_request(self._base))
        except AttemptFailed as failure:
            if failure.kind in ("transport", "timeout"):
                failure.kind = "config"
            raise

    @property
    def _base(self) -> str:
        given = self._environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")
        return given.removesuffix("/") if given else METADATA_BASE

    async def _ask(self, asked: WireRequest) -> str:
        answer = await ask_endpoint(self._transport, asked, named=NAMED, limit_s=ANSWER_S_MAX)
        check_answered(asked, answer.status, answer.headers, answer.body)
        return answer.body.decode(errors="replace")


def _unavailable(reason: str) -> AttemptFailed:
    return AttemptFailed(kind="config", text=f"{NAMED}: {reason}")
