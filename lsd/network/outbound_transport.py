"""The way out of LSD: straight to the server, or through the proxy that leads there."""

import os
from collections.abc import Coroutine, Mapping
from math import inf
from typing import Any

import trio

from lsd.conversation import WireRequest
from lsd.network._client_request import target_of
from lsd.network._socket_poller import SocketPoller
from lsd.network.http_client import HttpClient
from lsd.network.proxies import Proxies
from lsd.network.transport import Transport, WireResponse


class OutboundTransport:
    """LSD's own client, and httpx where the environment names a proxy.

    Proxies and trusted authorities come from `environment`; servers on this machine are always
    asked directly. Raises BadCertificates.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._proxies = Proxies.from_environment(environment)
        self._direct = HttpClient(environment)
        self._proxied: Transport | None = None
        if self._proxies.by_scheme:
            self._proxied = _through_proxies(environment)

    @property
    def poller(self) -> SocketPoller | None:
        """What watches the connections, once `run` has started; for others, too, while it runs."""
        return self._direct.poller

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Makes direct requests cheaper, until cancelled; see HttpClient."""
        await self._direct.run(task_status=task_status)

    def send(
        self, request: WireRequest, deadline: float = inf
    ) -> Coroutine[Any, Any, WireResponse]:
        # Not a coroutine of its own: each one on the way to a wait is walked through at its end.
        if self._proxied is not None:
            origin = target_of(request.url).origin
            if self._proxies.proxy_for(*origin) is not None:
                return self._proxied.send(request, deadline)
        return self._direct.send(request, deadline)

    async def aclose(self) -> None:
        await self._direct.aclose()
        if self._proxied is not None:
            await self._proxied.aclose()


def _through_proxies(environment: Mapping[str, str]) -> Transport:
    # Few machines need a proxy, and httpx is much to load and to hold.
    from lsd.network.httpx_transport import HttpxTransport  # noqa: PLC0415 (see above)

    return HttpxTransport(environment)
