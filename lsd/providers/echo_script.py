"""When the offline provider fails, and how long it takes: the same for answers of all kinds."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from lsd.config import EchoEmbeddingProvider, EchoProvider
from lsd.conversation import ScriptedAnswer, encode_json

FAILED_STATUS = 503
"""How a call fails that `fail_rate` has chosen: as an overloaded server would, worth a retry."""

JSON_HEADERS = {"Content-Type": "application/json"}


@attrs.define(eq=False)
class EchoScript:
    """Counts the calls of one entry, and fails those that its settings have chosen."""

    _settings: EchoProvider | EchoEmbeddingProvider
    _fail_rate: Fraction = attrs.field(init=False)
    _calls: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._fail_rate = Fraction(str(self._settings.fail_rate))

    def next_failure(self) -> ScriptedAnswer | None:
        """How the next call fails; None if it does not."""
        self._calls += 1
        status = self._status_of_call(self._calls)
        if status == 200:
            return None
        if status == 0:
            return ScriptedAnswer(
                status=0, headers={}, pieces=((self._settings.delay_ms, b""),), dropped=True
            )
        return self.failure(status, f"echo: scripted {status}")

    def failure(self, status: int, message: str) -> ScriptedAnswer:
        """An error in the shape of most servers."""
        return self.answer(status, JSON_HEADERS, [encode_json({"error": {"message": message}})])

    def answer(
        self, status: int, headers: Mapping[str, str], pieces: Sequence[bytes]
    ) -> ScriptedAnswer:
        """An answer in its pieces, with the waits that the settings want before each."""
        waits_ms = [self._settings.delay_ms] + [self._settings.chunk_delay_ms] * (len(pieces) - 1)
        return ScriptedAnswer(
            status=status, headers=headers, pieces=tuple(zip(waits_ms, pieces, strict=True))
        )

    def _status_of_call(self, number: int) -> int:
        statuses = self._settings.statuses
        if statuses:
            return statuses[(number - 1) % len(statuses)]
        # Exact fractions: in binary, 100 calls at 0.29 would fail 28 times.
        is_failing = number * self._fail_rate // 1 > (number - 1) * self._fail_rate // 1
        return FAILED_STATUS if is_failing else 200
