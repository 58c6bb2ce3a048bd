"""Where traces begin and end: at the edge of a request."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from lsd.api.errors import Refused
from lsd.api.responder import Message, SendMessage
from lsd.conversation import NotJson, decode_json
from lsd.feedback import FeedbackRequest, FeedbackService
from lsd.telemetry import CURRENT_TRACE, RequestContext, Trace, Tracer, read_trace_extras

_TRACED: Final = ("/inference", "/feedback", "/batch_inference", "/openai", "/anthropic")
_BATCH: Final = "/batch_inference/"


def check_trace_headers(headers: Mapping[str, str]) -> None:
    """Raises Refused for headers about traces that nobody can follow, traced or not."""
    try:
        read_trace_extras(headers)
    except ValueError as error:
        raise Refused(400, str(error)) from None


@contextmanager
def traced(
    tracer: Tracer,
    context: RequestContext,
    path: str | None,
    headers: Mapping[str, str],
    send: SendMessage,
) -> Iterator[SendMessage]:
    """Traces what is done inside, if the route is a traced one; what sends, looks at the answer."""
    trace = _begin(tracer, context, path, headers)
    if trace is None:
        yield send
        return
    token = CURRENT_TRACE.set(trace)
    seen = _Seen(send)
    try:
        yield seen.send
    finally:
        CURRENT_TRACE.reset(token)
        tracer.end_request(trace, seen.status, seen.error())


def _begin(
    tracer: Tracer, context: RequestContext, path: str | None, headers: Mapping[str, str]
) -> Trace | None:
    if path is None or not path.startswith(_TRACED):
        return None
    try:
        extras = read_trace_extras(headers)
    except ValueError:  # the answer will tell
        return None
    return tracer.begin(context.method, _route(path), context.path, headers, extras)


def _route(path: str) -> str:
    """The path with names in place of ids, of which there are many."""
    if not path.startswith(_BATCH):
        return path
    names = ("{batch_id}", None, "{inference_id}")
    parts = path.removeprefix(_BATCH).split("/")
    shown = [name or part for part, name in zip(parts, names, strict=False)]
    return _BATCH + "/".join(shown)


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
        if self.status is None or self.status < 400:
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
    attributes: dict[str, str | bool | int | float | None] = {
        "metric_name": given.metric_name,
        "inference_id": given.inference_id,
        "episode_id": given.episode_id,
        **{f"tags.{name}": value for name, value in given.tags.items()},
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
