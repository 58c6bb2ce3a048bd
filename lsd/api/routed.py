"""The routes that are not hot: served by the quart app, which is made when one is first asked for.

The framework takes a third of a second to load, and a sixth of the memory of a daemon that serves
nothing else than inferences.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import trio

from lsd.api.errors import ErrorDesk
from lsd.api.exchange import Endpoint
from lsd.conversation import IdGenerator


@attrs.define(eq=False, kw_only=True)
class RoutedApp:
    """Serves `endpoints` as an ASGI application."""

    endpoints: Sequence[Endpoint]
    ids: IdGenerator
    errors: ErrorDesk
    body_bytes_max: int
    _app: Any = attrs.field(default=None, init=False)
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request; the first one waits until there is somebody to serve it."""
        if self._app is None:
            async with self._turn:
                if self._app is None:
                    self._app = await trio.to_thread.run_sync(self._make)
        await self._app(scope, receive, send)

    def methods_of(self, path: str) -> list[str]:
        """The methods that a path has; none if nothing is there."""
        methods = {each.method for each in self.endpoints if _matches(each.path, path)}
        return sorted({*methods, "HEAD"} if "GET" in methods else methods)

    def _make(self) -> Any:
        from lsd.api.application import quart_app  # noqa: PLC0415 (loads the framework)

        return quart_app(
            self.endpoints, ids=self.ids, errors=self.errors, body_bytes_max=self.body_bytes_max
        )


def _matches(pattern: str, path: str) -> bool:
    """`{name}` in a pattern stands for one segment; one slash at the end is forgiven."""
    wanted, found = pattern.split("/"), path.removesuffix("/").split("/")
    return len(wanted) == len(found) and all(
        part == given or (part.startswith("{") and given != "")
        for part, given in zip(wanted, found, strict=True)
    )
