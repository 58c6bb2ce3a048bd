"""A changed configuration: read when the operator asks, checked whole, and in force or refused."""

from collections.abc import Awaitable, Callable

import attrs
import trio

from lsd.config import ConfigRefused, Loaded, Sources, load, restart_only_differences
from lsd.conversation import LsdError
from lsd.server.refusals import ReloadRefused
from lsd.telemetry import logger

log = logger(__name__)

REFUSED = "configuration not reloaded; the old one goes on"


@attrs.define(eq=False, kw_only=True)
class Reloading:
    """Reloads one at a time; what asks during a reload leads to one more.

    `put_in_force` takes a configuration that passed all checks, or raises ReloadRefused and has
    changed nothing. `on_result` hears "success" or "refused".
    """

    sources: Sources
    active: Loaded
    put_in_force: Callable[[Loaded], Awaitable[None]]
    on_result: Callable[[str], None]
    _asked: trio.Event = attrs.field(factory=trio.Event, init=False)

    def ask(self) -> None:
        """Reload soon."""
        self._asked.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Reloads whenever it is asked, until cancelled."""
        task_status.started()
        while True:
            await self._asked.wait()
            self._asked = trio.Event()
            await self._reload()

    async def _reload(self) -> None:
        if not self.active.files:
            log.warning("nothing to reload: the built-in default is in force")
            return
        try:
            loaded = await trio.to_thread.run_sync(load, self.sources)
            _refuse_restart_only(self.active, loaded)
            if _is_same(self.active, loaded):
                log.info("configuration unchanged", config_hash=loaded.hash)
                return
            await self.put_in_force(loaded)
        except (ConfigRefused, ReloadRefused) as refused:
            self._tell_refused(refused)
            return
        for warning in loaded.warnings:
            log.warning(warning)
        log.info("configuration reloaded", old_hash=self.active.hash, new_hash=loaded.hash)
        self.active = loaded
        self.on_result("success")

    def _tell_refused(self, refused: LsdError) -> None:
        for line in str(refused).splitlines():
            log.error(line)
        log.error(REFUSED, config_hash=self.active.hash)
        self.on_result("refused")


def _refuse_restart_only(active: Loaded, loaded: Loaded) -> None:
    keys = restart_only_differences(active.config, loaded.config)
    if keys:
        reason = f"{', '.join(keys)}: changed; wanted a restart, or the value of the last start"
        raise ReloadRefused(reason)


def _is_same(active: Loaded, loaded: Loaded) -> bool:
    """Whether nothing would be different; files of keys and certificates have no part in a hash."""
    before = active.secrets.known()
    has_new_secrets = any(before.get(at) != it for at, it in loaded.secrets.known().items())
    has_certificate = loaded.config.gateway.tls.certificate is not None
    return active.hash == loaded.hash and not has_new_secrets and not has_certificate
