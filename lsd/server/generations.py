"""The configuration in force: which one a request is served under, and how the next one comes."""

import gc
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import attrs
import trio

from lsd.config import AwsProvider, Config, Loaded
from lsd.conversation import AttemptFailed
from lsd.server.assembly import Assembled, assemble
from lsd.server.equipment import Equipment
from lsd.server.kept import key_that_insists
from lsd.server.refusals import ReloadRefused, StartRefused

Scope = MutableMapping[str, Any]


@attrs.define(eq=False)
class Generations:
    """Serves each request under the configuration that is in force when its head has been read.

    The one before goes when its last request does.
    """

    equipment: Equipment
    current: Assembled
    _on_activate: Callable[[Loaded], None] = lambda _loaded: None
    _prepared: Assembled | None = attrs.field(default=None, init=False)
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)

    @classmethod
    def first(
        cls,
        loaded: Loaded,
        equipment: Equipment,
        on_activate: Callable[[Loaded], None] = lambda _loaded: None,
    ) -> "Generations":
        """Begins with this configuration. Raises StartRefused."""
        try:
            assembled = assemble(loaded, equipment)
        except OSError as error:
            raise StartRefused(f"gateway.tls: {error}") from None
        return cls(equipment, assembled, on_activate)

    def app(self, scope: Scope, receive: Any, send: Any) -> Awaitable[None]:
        """The ASGI application."""
        return self.current.front(scope, receive, send)

    def tls(self) -> ssl.SSLContext | None:
        """What a new connection is secured with; None for plain HTTP."""
        return self.current.tls

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self.current.loaded.config

    async def prepare(self, loaded: Loaded) -> None:
        """Builds all that serves a new configuration. Nothing changes yet. Raises ReloadRefused."""
        key = key_that_insists(loaded.config)
        if self.equipment.kept is None and key is not None:
            raise ReloadRefused(f"{key} needs the store, and this daemon runs without one")
        try:
            await self.find_region(loaded.config)
            prepared = await trio.to_thread.run_sync(assemble, loaded, self.equipment)
        except AttemptFailed as failure:
            raise ReloadRefused(str(failure)) from None
        except OSError as error:
            raise ReloadRefused(f"gateway.tls: {error}") from None
        await prepared.experiments.update()
        self._prepared = prepared

    def activate(self) -> None:
        """The prepared configuration is in force for every request that begins from now on."""
        assert self._prepared is not None, "nothing is activated that was not prepared"
        self.current, self._prepared = self._prepared, None
        if self.equipment.kept is not None:
            self.equipment.kept.adopt(self.config)
        self._on_activate(self.current.loaded)
        self._changed.set()
        # The old one is full of cycles, and what the start has made is out of the collector's
        # sight: this takes some milliseconds.
        gc.collect()

    async def keep_up(self) -> None:
        """Does what the configuration in force wants done beside requests, until cancelled."""
        while True:
            self._changed = trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.current.experiments.keep_up_to_date)
                await self._changed.wait()
                nursery.cancel_scope.cancel()

    async def find_region(self, config: Config) -> None:
        """Finds the region of AWS where the configuration leaves it open. Raises AttemptFailed."""
        providers = [each for model in config.models.values() for each in model.providers.values()]
        if any(isinstance(each, AwsProvider) and each.finds_region for each in providers):
            await self.equipment.aws.region()
