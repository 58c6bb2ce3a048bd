"""`HEAD` on what clients take for the base URL: they ask whether anything is there at all."""

from lsd.api.exchange import Answer, Endpoint, Request, Start

_PATHS = ("/", "/openai", "/openai/v1", "/anthropic", "/anthropic/v1")


def probes() -> tuple[Endpoint, ...]:
    """The routes of this module."""
    return tuple(Endpoint(method="HEAD", path=path, handle=_say_yes) for path in _PATHS)


async def _say_yes(_request: Request, _start: Start) -> Answer:
    return Answer(body=b"")
