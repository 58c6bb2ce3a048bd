"""How routes read the store: after all that was queued, in a thread, with names looked up."""

from collections.abc import Callable
from typing import TypeVar

import attrs
import trio

from lsd.api.known_names import KnownNames
from lsd.config import Config
from lsd.store import Store, Writer

T = TypeVar("T")


@attrs.frozen
class Reading:
    """What the routes of records read with. Everything answered before is visible to them."""

    store: Store
    config: Config
    _writer: Writer

    @property
    def names(self) -> KnownNames:
        """Names that are configured or recorded."""
        return KnownNames(self.config, self.store)

    async def read(self, act: Callable[[], T]) -> T:
        """What `act` gives, in a thread, once the store holds what was answered before."""
        await self._writer.settle()
        return await trio.to_thread.run_sync(act)
