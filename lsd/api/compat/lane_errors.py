"""Error bodies, headers and last events in the words of the API that a path belongs to."""

from math import ceil
from typing import Any

import attrs

from lsd.api.compat.conditions import ROWS, Condition, Trouble
from lsd.api.compat.failures import trouble_of_failure
from lsd.api.compat.headers import identity_headers, request_id_of
from lsd.api.compat.troubles import UNAVAILABLE_RETRY_S, trouble_of
from lsd.api.errors import STOPPING, ErrorAnswers, ErrorDesk, log_bug, log_refusal
from lsd.api.exchange import Answer, Headers
from lsd.conversation import AttemptFailed, IdGenerator, Lane, encode_json

TOO_LONG = "prompt is too long"
"""How the message begins by which Anthropic's agents know to shorten their conversation."""

_BASES: dict[Lane, str] = {"openai": "/openai/v1", "anthropic": "/anthropic"}
"""What a client of each API needs as its base URL, below that of the gateway."""

_CHATS: dict[Lane, str] = {"openai": "chat/completions", "anthropic": "v1/messages"}
"""Where models are asked, below the base URL; some clients still try older paths."""


@attrs.frozen
class LaneErrors:
    """Words troubles for the clients of one API. `base_path` is that of the gateway.

    `logs_values`: the log quotes what callers have sent.
    """

    lane: Lane
    base_path: str = "/"
    logs_values: bool = False

    def answer_and_log(self, error: Exception, route: str, ids: IdGenerator) -> Answer:
        """The answer to whatever a request on `route` ended with; the log is told, too."""
        trouble = trouble_of(error)
        if trouble is None:
            identifier = log_bug(error, route, ids)
            text = f"internal error; the log tells more under {identifier}"
            return self.answer(Trouble(condition=Condition.BUG, message=text))
        answer = self.answer(trouble)
        log_refusal(error, route, answer.status, logs_values=self.logs_values)
        return answer

    def answer(self, trouble: Trouble) -> Answer:
        """The whole answer."""
        row = ROWS[trouble.condition]
        status = row.openai[0] if self.lane == "openai" else row.anthropic[0]
        headers: Headers = identity_headers(self.lane, trouble.inference_id)
        if trouble.retry_after_s is not None:
            seconds = max(1, ceil(trouble.retry_after_s))
            headers += (
                (b"retry-after", b"%d" % seconds),
                (b"retry-after-ms", b"%d" % ceil(trouble.retry_after_s * 1000)),
            )
        never = trouble.condition is Condition.OWN_LIMIT and trouble.retry_after_s is None
        if never or not row.may_be_mended:
            headers += ((b"x-should-retry", b"false"),)
        return Answer(status=status, body=self._body(trouble), headers=headers)

    def last_event(self, answer: Answer) -> bytes:
        """What a stream ends with that had begun before it came to this answer."""
        name = b"" if self.lane == "openai" else b"event: error\n"
        return name + b"data: " + answer.body + b"\n\n"

    def broken_off(self, provider: str, failure: AttemptFailed, inference_id: str) -> bytes:
        """The last event of a stream whose provider has failed in the middle."""
        trouble = trouble_of_failure(provider, failure)
        return self.last_event(self.answer(attrs.evolve(trouble, inference_id=inference_id)))

    def stopping(self) -> Answer:
        """The daemon stops before the answer was complete."""
        return self.answer(
            Trouble(
                condition=Condition.UNAVAILABLE,
                message=STOPPING,
                retry_after_s=UNAVAILABLE_RETRY_S,
            )
        )

    def _body(self, trouble: Trouble) -> bytes:
        row = ROWS[trouble.condition]
        if self.lane == "openai":
            return encode_json({"error": openai_error(trouble, self._message(trouble))})
        error: dict[str, Any] = {"type": row.anthropic[1], "message": self._message(trouble)}
        if trouble.details is not None:
            error["details"] = trouble.details
        request_id = request_id_of(trouble.inference_id)
        return encode_json({"type": "error", "error": error, "request_id": request_id})

    def _message(self, trouble: Trouble) -> str:
        message = trouble.message
        if trouble.condition is Condition.UNKNOWN_PATH:
            base = self.base_path.rstrip("/") + _BASES[self.lane]
            url = f"the base URL for clients of this API ends with {base}"
            return f"{message}; {url}, and models are asked at {base}/{_CHATS[self.lane]}"
        if trouble.condition is Condition.CONTEXT_TOO_LONG and self.lane == "anthropic":
            return message if message.startswith(TOO_LONG) else f"{TOO_LONG}: {message}"
        return message


def openai_error(trouble: Trouble, message: str) -> dict[str, Any]:
    """The object by which OpenAI's clients are told of a trouble."""
    _, kind, code = ROWS[trouble.condition].openai
    return {
        "message": message,
        "type": trouble.resource or kind,
        "param": trouble.param,
        "code": code or trouble.code,
    }


def error_desk(native: ErrorAnswers, base_path: str) -> ErrorDesk:
    """The words for all endpoints of a gateway."""
    lanes: tuple[Lane, ...] = ("openai", "anthropic")
    return ErrorDesk(
        native, {lane: LaneErrors(lane, base_path, native.logs_values) for lane in lanes}
    )
