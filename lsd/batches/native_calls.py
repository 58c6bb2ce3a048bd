"""Calls of a provider's batch API: with its credentials, and with one kind of failure."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import attrs
import trio

from lsd.config import CredentialMissing
from lsd.conversation import AttemptFailed, LsdError, WireRequest
from lsd.inference import Credentials, Prepared, PreparedProvider, SignIn, mask_failure
from lsd.network import BodyTooLarge, TransportFailed, WireResponse
from lsd.providers import BatchAPI
from lsd.telemetry import logger

log = logger(__name__)

T = TypeVar("T")

CALL_S_MAX = 300.0
"""A file of results may be large; everything else takes a second."""

GIVE_UP_S_MAX = 10.0
"""To end a job is a matter of a second; nobody waits for it much longer than that."""

ANSWER_BYTES_MAX = 1 << 30
"""Of a file of results: five times as much as the file of requests may have."""


@attrs.frozen
class NativeCalls:
    """Makes the calls under one configuration."""

    _prepared: Prepared

    async def ask(
        self,
        provider: PreparedProvider,
        dynamic: Mapping[str, str],
        encode: Callable[[Mapping[str, str | None]], WireRequest],
        decode: Callable[[int, Mapping[str, str], bytes], T],
    ) -> T:
        """What `decode` makes of the answer; `encode` gets credentials.

        Raises AttemptFailed, of kind `config` where there are no credentials. It shows none.
        """
        secrets: set[str] = set()
        try:
            with trio.fail_after(CALL_S_MAX):
                response, body = await self._answer(provider, dynamic, encode, secrets)
            return decode(response.status, response.headers, body)
        except AttemptFailed as failure:
            mask_failure(failure, secrets)
            raise
        except CredentialMissing as error:
            raise AttemptFailed(kind="config", text=f"{provider.name}: {error}") from None
        except (TransportFailed, BodyTooLarge) as error:
            raise AttemptFailed(kind="transport", text=f"{provider.name}: {error}") from None
        except trio.TooSlowError:
            text = f"{provider.name}: no answer of its batch API within {CALL_S_MAX:g} s"
            raise AttemptFailed(kind="timeout", text=text) from None

    async def _answer(
        self,
        provider: PreparedProvider,
        dynamic: Mapping[str, str],
        encode: Callable[[Mapping[str, str | None]], WireRequest],
        secrets: set[str],
    ) -> tuple[WireResponse, bytes]:
        """The answer, whose body is read. Credentials that have lapsed are replaced once.

        `secrets` gets what no text may show.
        """
        written = provider.written.find(self._prepared.loaded.secrets, dynamic)
        secrets |= written.secrets
        if provider.sign_in is None:
            return await _sent(provider, encode(written.values))
        sign_in = provider.sign_in.cloud_wide

        async def signed_in() -> Mapping[str, str | None]:
            whole = Credentials({**written.values, **await _fetched(sign_in, dynamic)})
            secrets.update(whole.secrets)
            return whole.values

        credentials = await signed_in()
        response, body = await _sent(provider, encode(credentials))
        is_refusal = response.status in sign_in.refusal_statuses
        if is_refusal and sign_in.forget(credentials, response.headers, body):
            return await _sent(provider, encode(await signed_in()))
        return response, body

    async def give_up(
        self,
        api: BatchAPI,
        provider: PreparedProvider,
        job_id: str,
        dynamic: Mapping[str, str],
    ) -> bool:
        """Asks for the end of a job, even when cancelled; whether it was heard. The log is told."""
        reason = f"no answer within {GIVE_UP_S_MAX:g} s"
        with trio.move_on_after(GIVE_UP_S_MAX, shield=True):
            try:
                await self.ask(provider, dynamic, partial(api.cancel, job_id), api.check_cancelled)
            except LsdError as error:
                reason = str(error)
            else:
                return True
        log.warning("job not cancelled", job_id=job_id, reason=reason)
        return False


async def _fetched(sign_in: SignIn, dynamic: Mapping[str, str]) -> Mapping[str, str | None]:
    """Raises AttemptFailed and CredentialMissing."""
    try:
        return await sign_in.credentials(dynamic)
    except AttemptFailed as failure:
        # It is that of whoever gives tokens; with that of the job, 404 would mean that it is gone.
        failure.status = None
        raise


async def _sent(provider: PreparedProvider, wire: WireRequest) -> tuple[WireResponse, bytes]:
    response = await provider.transport.send(wire)
    try:
        return response, await response.read(ANSWER_BYTES_MAX)
    finally:
        await response.aclose()
