"""What the log tells of the request that a record belongs to, wherever in the code it is made."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from structlog.typing import EventDict


class RequestContext:
    """One request. Its id is made when it is first asked for: most requests log nothing."""

    # Told by the class, what most requests never have costs them nothing.
    _request_id: str | None = None

    def __init__(
        self,
        method: str,
        path: str,
        new_id: Callable[[], str],
        x_amzn_trace_id: str | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.x_amzn_trace_id = x_amzn_trace_id
        self._new_id = new_id

    @property
    def request_id(self) -> str:
        """The id under which the log keeps this request."""
        if self._request_id is None:
            self._request_id = self._new_id()
        return self._request_id

    def fields(self) -> Mapping[str, Any]:
        """What each record of the request holds."""
        fields = {"request_id": self.request_id, "method": self.method, "path": self.path}
        if self.x_amzn_trace_id is not None:
            fields["x_amzn_trace_id"] = self.x_amzn_trace_id
        return fields


CURRENT_REQUEST: ContextVar[RequestContext | None] = ContextVar("current_request", default=None)
"""The request that this task, or the one that started it, is serving."""


def with_request(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Puts the request's fields into a record; the record's own of the same name stay."""
    context = CURRENT_REQUEST.get()
    return event if context is None else {**context.fields(), **event}
