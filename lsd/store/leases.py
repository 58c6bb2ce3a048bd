"""Leases: work that only one of the worker processes does at a time."""

import secrets
from collections.abc import Awaitable, Callable

import attrs
import trio

from lsd.conversation import LsdError
from lsd.store.engine import Environment
from lsd.store.layout import LEASES, SHARD, SIGNED
from lsd.store.transaction import Transaction
from lsd.telemetry import Clock, logger

_log = logger(__name__)

LEASE_S = 10.0
"""So long a lease lasts without being renewed: much longer than a process is ever kept waiting."""

RENEW_EVERY_S = 3.0

ASK_EVERY_S = 1.0
"""How soon another worker goes on with the work of one that has died."""


@attrs.define(eq=False)
class Leases:
    """The leases of a store, as one process sees them. All calls block: in a thread.

    A lease is a row of the state environment. It ends when it is given up, when it has not been
    renewed for `LEASE_S`, and when the server forgets its holder, who has died. Times are of the
    machine's monotonic clock, which all processes share.
    """

    _state: Environment
    _clock: Clock
    _shard: int
    _owner: bytes = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        # The random part: a process that takes the place of a dead one is not the same holder.
        self._owner = SHARD.pack(self._shard) + secrets.token_bytes(8)

    def take(self, name: str) -> bool:
        """Takes a lease that is free, or renews one that is held; whether it is held now."""
        key = name.encode()

        def apply(transaction: Transaction) -> bool:
            now_ms = round(self._clock.monotonic() * 1000)
            row = transaction.get(LEASES, key)
            if row is not None and row[SIGNED.size :] != self._owner:
                (until_ms,) = SIGNED.unpack_from(row)
                if now_ms < until_ms:
                    return False
            until_ms = now_ms + round(LEASE_S * 1000)
            transaction.put(LEASES, key, SIGNED.pack(until_ms) + self._owner)
            return True

        return self._state.write(apply)

    def give_up(self, name: str) -> None:
        """Ends a lease, if it is held."""
        key = name.encode()

        def apply(transaction: Transaction) -> None:
            row = transaction.get(LEASES, key)
            if row is not None and row[SIGNED.size :] == self._owner:
                transaction.delete(LEASES, key)

        self._state.write(apply)

    def forget(self, shard: int | None = None) -> None:
        """Ends the leases of a process that is no more; None: of all processes."""

        def apply(transaction: Transaction) -> None:
            held = [
                key
                for key, row in transaction.range(LEASES)
                if shard is None or row[SIGNED.size :].startswith(SHARD.pack(shard))
            ]
            for key in held:
                transaction.delete(LEASES, key)

        self._state.write(apply)


async def work_alone(leases: Leases, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Does `work` as soon as no other worker process does work of this name.

    Returns when the work does, and raises what it raises. If the lease is lost, as by a process
    that was stopped for a while, the work is cancelled, and begun again when the lease is free.
    """
    while True:
        if await _take(leases, name):
            try:
                if await _work_while_held(leases, name, work):
                    return
            finally:
                await _give_up(leases, name)
        await trio.sleep(ASK_EVERY_S)


async def _work_while_held(leases: Leases, name: str, work: Callable[[], Awaitable[None]]) -> bool:
    """Whether the work came to its end."""
    failure: Exception | None = None
    is_done = False

    async def renew() -> None:
        while await _take(leases, name):  # noqa: ASYNC110 (time passing is what it waits for)
            await trio.sleep(RENEW_EVERY_S)
        _log.warning("work is left to another worker", work=name)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(renew)
        try:
            await work()
            is_done = True
        except Exception as error:  # noqa: BLE001 (raised again outside of the nursery)
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return is_done


async def _take(leases: Leases, name: str) -> bool:
    try:
        return await trio.to_thread.run_sync(leases.take, name)
    except LsdError as error:
        _log.warning("lease not taken", work=name, reason=str(error))
        return False


async def _give_up(leases: Leases, name: str) -> None:
    """Also when cancelled: the next one need not wait then."""
    with trio.move_on_after(LEASE_S, shield=True):
        try:
            await trio.to_thread.run_sync(leases.give_up, name)
        except LsdError as error:
            _log.warning("lease not given up", work=name, reason=str(error))
