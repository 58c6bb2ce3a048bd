"""One request and its answer as endpoints see them: plain values, no framework's objects.

An endpoint takes a `Request` and gives an `Answer`. One that streams calls `start` instead, which
sends the head and gives what takes the pieces of the body, and then gives None.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from types import MappingProxyType
from typing import Literal

from lsd.conversation import frozen

JSON = "application/json"
EVENT_STREAM = "text/event-stream"

Headers = tuple[tuple[bytes, bytes], ...]
"""Headers of an answer as they go on the wire; their names are lower-case."""

_LISTS = frozenset({"anthropic-beta", "tracestate", "x-lsd-tags"})
"""Headers that may come several times; what they say is then one list. Source: RFC 9110, 5.3."""


def headers_of(raw: Collection[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of a request by name.

    Of several with one name the last counts, or all of them where they are lists.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) < len(raw):
        for listed in _LISTS & headers.keys():
            values = [value for name, value in raw if name.decode("latin-1") == listed]
            headers[listed] = b",".join(values).decode("latin-1")
    return headers


@frozen
class Request:
    """A request, read whole and decompressed. Header names are lower-case.

    `api_key_public_id` tells whose key the caller has shown; None while no keys are wanted. `query`
    has the segments of the path that have a name, too.
    """

    headers: Mapping[str, str]
    body: bytes = b""
    api_key_public_id: str | None = None
    query: Mapping[str, str] = MappingProxyType({})


@frozen
class Answer:
    """A whole answer."""

    body: bytes
    status: int = 200
    media_type: str = JSON
    headers: Headers = ()


Send = Callable[[bytes], Awaitable[None]]
Start = Callable[[Headers], Awaitable[Send]]
"""Sends the head of a stream, status 200; what it gives takes the body's pieces."""

Handler = Callable[[Request, Start], Awaitable[Answer | None]]

WhenClientLeaves = Literal["cancel", "finish"]


@frozen(kw_only=True)
class Endpoint:
    """A path and method with what serves it.

    `when_client_leaves` says what becomes of work whose client is gone; None leaves it to the
    configuration. `{name}` in the path stands for one segment, `{path:name}` for all that are left,
    given in `Request.query`. A `is_hot` endpoint has no such segments, and is served without a
    framework. GET answers HEAD as well; HEAD stands for paths that have no more to say.
    """

    method: Literal["GET", "HEAD", "POST", "PATCH", "DELETE"]
    path: str
    handle: Handler
    when_client_leaves: WhenClientLeaves | None = "finish"
    is_hot: bool = False
