"""The configuration that was in force when a record was made."""

from collections import OrderedDict

import attrs
import trio

from lsd.config import Config, ConfigRefused, open_snapshot
from lsd.conversation import encode_json
from lsd.store import Snapshots

OPEN_MAX = 4
"""Old configurations that stay open. People give demonstrations for recent inferences, so there
are one or two of them; one takes some megabytes at most."""


@attrs.define(eq=False, kw_only=True)
class Configurations:
    """Configurations by their hash: the running one, and those of the store's snapshots."""

    _running: Config
    _running_hash: str
    _snapshots: Snapshots
    _open: OrderedDict[str, Config] = attrs.field(factory=OrderedDict, init=False)

    async def get(self, hash: str | None) -> Config | None:  # noqa: A002 - its name in records
        """The configuration of a record's hash; None if the store has no readable one."""
        if hash is None or hash == self._running_hash:
            return self._running
        config = self._open.get(hash)
        if config is None:
            # Everything in a snapshot is read and compiled; requests must not wait for that.
            config = await trio.to_thread.run_sync(self._opened, hash)
            if config is None:
                return None
            self._open[hash] = config
            if len(self._open) > OPEN_MAX:
                self._open.popitem(last=False)
        return config

    def _opened(self, hash: str) -> Config | None:  # noqa: A002 - as above
        snapshot = self._snapshots.get(hash)
        if snapshot is None:
            return None
        try:
            return open_snapshot(encode_json(snapshot.config))
        except ConfigRefused:
            return None
