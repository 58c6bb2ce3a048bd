"""Clients that keep asking a gateway, while a test does something to it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import httpx

from tests.api.gateway import Gateway


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of one request: an answer, or the connection broke (status 0)."""

    status: int
    body: Mapping[str, Any]


@attrs.define(eq=False)
class Load:
    """Requests of several clients, one after another each."""

    gateway: Gateway
    body: Mapping[str, Any]
    keeps_connections: bool = True
    outcomes: list[Outcome] = attrs.field(factory=list, init=False)
    _is_over: threading.Event = attrs.field(factory=threading.Event, init=False)

    def ask_on(self) -> None:
        """Asks until it is over; half of the requests, or all, on connections of their own."""
        client = httpx.Client(base_url=self.gateway.url, timeout=20, trust_env=False, verify=False)
        while not self._is_over.is_set():
            close = not self.keeps_connections or len(self.outcomes) % 2 == 0
            self.outcomes.append(self._ask(client, close=close))
        client.close()

    def end(self) -> None:
        """No further requests."""
        self._is_over.set()

    def answered(self) -> list[Mapping[str, Any]]:
        """The bodies of what was answered well."""
        return [each.body for each in self.outcomes if each.status == 200]

    def failed(self) -> list[Outcome]:
        """What was not."""
        return [each for each in self.outcomes if each.status != 200]

    def _ask(self, client: httpx.Client, *, close: bool) -> Outcome:
        headers = {"connection": "close"} if close else {}
        try:
            response = client.post("/inference", json=self.body, headers=headers)
            return Outcome(status=response.status_code, body=response.json())
        except httpx.TransportError as error:
            return Outcome(status=0, body={"error": repr(error)})


@contextmanager
def under_load(
    gateway: Gateway, body: Mapping[str, Any], clients: int, *, keeps_connections: bool = True
) -> Iterator[Load]:
    """While this goes on, so many clients ask; at its end all have their last answer."""
    load = Load(gateway, body, keeps_connections)
    threads = [threading.Thread(target=load.ask_on) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.end()
        for thread in threads:
            thread.join()
