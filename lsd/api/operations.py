"""How the daemon is: `/status`, `/health` and `/metrics`."""

from collections.abc import Callable

import attrs
import trio

from lsd import __version__
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.in_flight import InFlight
from lsd.conversation import LsdError, encode_json
from lsd.telemetry import CONTENT_TYPE, Metrics


@attrs.define(eq=False)
class Operations:
    """Serves the three. `check_store` raises when the store is of no use; None: there is none."""

    _config_hash: str
    _metrics: Metrics
    _check_store: Callable[[], None] | None
    _in_flight: InFlight

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(method="GET", path="/status", handle=self.status, is_hot=True),
            Endpoint(method="GET", path="/health", handle=self.health, is_hot=True),
            Endpoint(method="GET", path="/metrics", handle=self.metrics, is_hot=True),
        )

    async def status(self, _request: Request, _start: Start) -> Answer:
        """`GET /status`: the version and the configuration; touches nothing."""
        shown = {"status": "ok", "version": __version__, "config_hash": self._config_hash}
        return Answer(body=encode_json(shown))

    async def health(self, _request: Request, _start: Start) -> Answer:
        """`GET /health`: 200 while requests are welcome and the store works, else 503."""
        store = await self._store_state()
        is_draining = self._in_flight.is_draining
        gateway = "draining" if is_draining else "ok"
        well = not is_draining and store != "error"
        body = encode_json({"gateway": gateway, "store": store})
        return Answer(status=200 if well else 503, body=body)

    async def metrics(self, _request: Request, _start: Start) -> Answer:
        """`GET /metrics`."""
        text = await trio.to_thread.run_sync(self._metrics.text)
        return Answer(body=text, media_type=CONTENT_TYPE)

    async def _store_state(self) -> str:
        if self._check_store is None:
            return "disabled"
        try:
            await trio.to_thread.run_sync(self._check_store)
        except LsdError:
            return "error"
        return "ok"
