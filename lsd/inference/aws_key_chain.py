"""The keys of AWS that a machine has: the places that AWS's own tools look at, in their order."""

import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import attrs
import trio

from lsd.config import AwsProfile, BadAwsProfile, read_profile, written_region
from lsd.conversation import AttemptFailed, WireRequest
from lsd.inference.aws_metadata import InstanceMetadata
from lsd.inference.credential_endpoints import ask_endpoint
from lsd.inference.expiring_credentials import ExpiringCredentials
from lsd.network import Transport
from lsd.providers import (
    AwsKeys,
    check_answered,
    container_request,
    read_json,
    read_keys,
    read_web_identity,
    token_service_url,
    web_identity_request,
)
from lsd.telemetry import Clock

T = TypeVar("T")

ENDPOINT_S_MAX = 10.0
"""The token service and a container's agent answer within a fraction of a second, or are ill."""

PROCESS_S_MAX = 60.0
"""A command may have to ask somebody else first."""

RENEWAL_SHARE = 1.0
"""Keys are renewed five minutes before their end, however short their life is."""

_CHAIN = "chain"
_AGENT = "agent of the container"
_TOKEN_SERVICE = "token service"  # noqa: S105 (a name)


@attrs.define(eq=False, kw_only=True)
class AwsKeyChain:
    """Gets the keys and the region that the environment leads to. One serves a process."""

    _transport: Transport
    _clock: Clock
    _environment: Mapping[str, str] = attrs.field(repr=False)
    _metadata: InstanceMetadata = attrs.field(init=False)
    _keys: ExpiringCredentials[AwsKeys] = attrs.field(init=False)
    _region: str | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._metadata = InstanceMetadata(self._transport, self._environment)
        self._keys = ExpiringCredentials(self._clock, RENEWAL_SHARE)

    @property
    def bearer_token(self) -> str | None:
        """The key of Bedrock's own kind, with which nothing is signed."""
        return self._environment.get("AWS_BEARER_TOKEN_BEDROCK") or None

    async def keys(self) -> AwsKeys:
        """Keys that are good for a while. Raises AttemptFailed."""
        return await self._keys.get(_CHAIN, self._fetch)

    def forget(self, access_key_id: str) -> None:
        """These keys were refused: they are not given again without being fetched anew."""
        self._keys.forget(access_key_id)

    async def region(self) -> str:
        """The region that this machine works in. Raises AttemptFailed (config)."""
        if self._region is None:
            self._region = await self._read(written_region) or await self._own_region()
        return self._region

    async def _fetch(self) -> AwsKeys:
        """From the first place that is set up; if that one fails, no other is asked."""
        given = self._environment.get
        if given("AWS_ACCESS_KEY_ID") and given("AWS_SECRET_ACCESS_KEY"):
            return self._in_environment()
        token_path, role = given("AWS_WEB_IDENTITY_TOKEN_FILE"), given("AWS_ROLE_ARN")
        if token_path and role:
            return await self._by_web_identity(token_path, role)
        profile = await self._read(read_profile)
        found = None if profile is None else await self._in_profile(profile)
        if found is not None:
            return found
        relative = given("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        full = given("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        if relative or full:
            return await self._of_container(relative, full)
        return await self._of_instance()

    def _in_environment(self) -> AwsKeys:
        document = {
            "AccessKeyId": self._environment["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": self._environment["AWS_SECRET_ACCESS_KEY"],
            "Token": self._environment.get("AWS_SESSION_TOKEN"),
        }
        return read_keys(document, self._now_s(), "environment")

    async def _by_web_identity(self, token_path: str, role: str) -> AwsKeys:
        override = self._environment.get("AWS_ENDPOINT_URL_STS")
        region = None if override else await self._read(written_region)
        asked = web_identity_request(
            token_service_url(region, override),
            role=role,
            session=self._environment.get("AWS_ROLE_SESSION_NAME") or f"lsd-{self._now_s():.0f}",
            # A new token is put there before the old one ends.
            token=await _content("AWS_WEB_IDENTITY_TOKEN_FILE", token_path),
        )
        return read_web_identity(
            await self._ask(asked, _TOKEN_SERVICE), self._now_s(), _TOKEN_SERVICE
        )

    async def _in_profile(self, profile: AwsProfile) -> AwsKeys | None:
        where = f"profile {profile.name!r}"
        if profile.static_keys is not None:
            return read_keys(profile.static_keys, self._now_s(), where)
        if profile.process is not None:
            printed = await _printed_by(profile.process, where)
            return read_keys(read_json(printed, where), self._now_s(), where)
        try:
            profile.refuse_chain()
        except BadAwsProfile as bad:
            raise _unusable(bad) from None
        return None

    async def _of_container(self, relative: str | None, full: str | None) -> AwsKeys:
        shown = self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN") or None
        variable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
        if path := self._environment.get(variable):
            shown = await _content(variable, path)
        body = await self._ask(container_request(relative, full, shown), _AGENT)
        return read_keys(read_json(body, _AGENT), self._now_s(), _AGENT)

    async def _of_instance(self) -> AwsKeys:
        try:
            return await self._metadata.keys(self._now_s())
        except AttemptFailed as failure:
            if failure.kind == "config":
                failure.text = (
                    "aws: found no keys in the environment, a profile or a container, and the"
                    f" last place to look for them has none: {failure}"
                )
            raise

    async def _read(self, read: Callable[[Mapping[str, str]], T]) -> T:
        """What is found in the files of the environment."""
        try:
            return await trio.to_thread.run_sync(read, self._environment)
        except BadAwsProfile as bad:
            raise _unusable(bad) from None

    async def _own_region(self) -> str:
        try:
            return await self._metadata.region()
        except AttemptFailed as failure:
            text = (
                "failed to determine AWS region: AWS_REGION, AWS_DEFAULT_REGION and the profile"
                f" name none, and {str(failure).removeprefix('aws: ')}; wanted one of them"
            )
            raise AttemptFailed(kind="config", text=text) from None

    async def _ask(self, asked: WireRequest, named: str) -> bytes:
        answer = await ask_endpoint(self._transport, asked, named=named, limit_s=ENDPOINT_S_MAX)
        check_answered(asked, answer.status, answer.headers, answer.body)
        return answer.body

    def _now_s(self) -> float:
        return self._clock.now_ms() / 1000


def _unusable(bad: BadAwsProfile) -> AttemptFailed:
    return AttemptFailed(kind="config", text=f"aws: {bad}")


async def _content(variable: str, path: str) -> str:
    try:
        text = await trio.to_thread.run_sync(lambda: Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        found = f"aws: {variable}: file {path}: {reason}"
        raise AttemptFailed(kind="config", text=found) from None
    return text.strip()


async def _printed_by(command: str, where: str) -> bytes:
    """What the operator's command prints; what it says beside that goes to the log of LSD."""
    text = f"aws: {where}: credential_process did not end within {PROCESS_S_MAX} s"
    with trio.move_on_after(PROCESS_S_MAX):
        try:
            done = await trio.run_process(
                shlex.split(command), capture_stdout=True, stdin=subprocess.DEVNULL, check=False
            )
        except (OSError, ValueError) as error:
            found = f"aws: {where}: credential_process cannot be started: {error}"
            raise AttemptFailed(kind="config", text=found) from None
        if done.returncode == 0:
            return done.stdout or b""
        text = f"aws: {where}: credential_process ended with {done.returncode}"
    raise AttemptFailed(kind="auth", text=text)
