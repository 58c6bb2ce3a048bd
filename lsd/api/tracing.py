"""Where traces begin and end: at the edge of a request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import attrs

from lsd.api.errors import Refused
from lsd.api.exchange import Endpoint
from lsd.api.responder import Message, SendMessage
from lsd.conversation import NotJson, decode_json
from lsd.feedback import FeedbackRequest, FeedbackService
from lsd.telemetry import (
    CURRENT_TRACE,
    AttributeValue,
    RequestContext,
    Trace,
    Tracer,
    read_trace_extras,
    tag_attributes,
)

_TRACED: Final = ("/inference", "/feedback", "/batch_inference", "/openai", "/anthropic")

_LEFT: Final = "the client left before it was answered"


def check_trace_headers(headers: Mapping[str, str]) -> None:
    """Raises Refused for headers about traces that nobody can follow, traced or not."""
    try:
        read_trace_extras(headers)
    except ValueError as error:
        raise Refused(400, str(error)) from None


@attrs.frozen
class Tracing:
    """Traces the requests of those routes whose requests are traced."""

    _tracer: Tracer
    _plain: frozenset[str]
    _with_names: Sequence[Sequence[str]]
    """Routes whose paths have names in them, in segments."""

    @classmethod
    def of(cls, tracer: Tracer, endpoints: Iterable[Endpoint]) -> "Tracing":
        """For a daemon that serves these endpoints."""
        paths = {each.path for each in endpoints if each.path.startswith(_TRACED)}
        named = [path.split("/") for path in sorted(paths) if "{" in path]
        return cls(tracer, frozenset(path for path in paths if "{" not in path), named)

    @contextmanager
    def of_request(
        self,
        context: RequestContext,
        path: str | None,
        headers: Mapping[str, str],
        send: SendMessage,
    ) -> Iterator[SendMessage]:
        """Traces what is done inside, if the route is a traced one.

        What it gives in place of `send` looks at the answer.
        """
        trace = self._begin(context, path, headers)
        if trace is None:
            yield send
            return
        token = CURRENT_TRACE.set(trace)
        seen = _Seen(send)
        try:
            yield seen.send
        finally:
            CURRENT_TRACE.reset(token)
            self._tracer.end_request(trace, seen.status, seen.error())

    def route_of(self, path: str) -> str | None:
        """The path with names in place of ids, of which there are many; None if not traced."""
        if path in self._plain:
            return path
        if not path.startswith(_TRACED):
            return None
        found = path.split("/")
        for wanted in self._with_names:
            if _matches(wanted, found):
                return "/".join(wanted).replace("{path:", "{")
        return None

    def _begin(
        self, context: RequestContext, path: str | None, headers: Mapping[str, str]
    ) -> Trace | None:
        route = None if path is None else self.route_of(path)
        if route is None:
            return None
        try:
            extras = read_trace_extras(headers)
        except ValueError:  # the answer will tell
            return None
        return self._tracer.begin(context.method, route, context.path, headers, extras)


def _matches(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """Whether a path is of a route; `{path:name}` is the last segment, and takes all others."""
    takes_rest = wanted[-1].startswith("{path:") and len(found) > len(wanted)
    return (takes_rest or len(found) == len(wanted)) and all(
        part.startswith("{") or part == given for part, given in zip(wanted, found, strict=False)
    )


class _Seen:
    """Passes messages on; remembers the status, and the words of an error."""

    def __init__(self, send: SendMessage) -> None:
        self._send = send
        self.status: int | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self.status is not None and self.status >= 400:
            self._body += message.get("body", b"")
        await self._send(message)

    def error(self) -> str | None:
        """What the answer says is wrong; None if nothing is."""
        if self.status is None:
            return _LEFT
        if self.status < 400:
            return None
        try:
            told = decode_json(self._body)["error"]
        except (NotJson, LookupError, TypeError):
            return f"HTTP {self.status}"
        return str(told.get("message", told)) if isinstance(told, dict) else str(told)


async def traced_feedback(
    trace: Trace, service: FeedbackService, given: FeedbackRequest, key: str | None
) -> str:
    """The id of the feedback, which leaves a span."""
    started_ns, error = trace.clock.now_ns(), None
    attributes: dict[str, AttributeValue | None] = {
        "metric_name": given.metric_name,
        "inference_id": given.inference_id,
        "episode_id": given.episode_id,
        **tag_attributes(given.tags),
    }
    try:
        feedback_id = await service.give(given, api_key_public_id=key)
        attributes["feedback_id"] = feedback_id
    except Exception as failure:
        error = str(failure)
        raise
    finally:
        trace.add("feedback", started_ns, attributes, error=error)
    return feedback_id
