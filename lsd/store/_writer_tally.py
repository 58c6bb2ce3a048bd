"""What became of the writes: counts for the metrics, and a word in the log when it matters."""

import attrs

from lsd.conversation import LsdError
from lsd.store._group_commit import Outcome, Write
from lsd.store.errors import StoreFull, WriteRefused
from lsd.telemetry import logger

_log = logger("lsd.store.writer")


@attrs.define(eq=False)
class WriterTally:
    """Counts, and says each trouble once: at its beginning, not for every row."""

    last_commit_ok: bool = True
    rows_dropped: int = 0
    write_errors: int = 0
    commits: int = 0
    _is_full: bool = False
    _is_overrun: bool = False
    _has_turned_away: bool = False

    def count_turned_away(self, write: Write, reason: str) -> None:
        """A write did not even get into the queue."""
        self.rows_dropped += write.rows
        self._has_turned_away = True
        if not self._is_overrun:
            self._is_overrun = True
            _log.error("records are being dropped", reason=reason)

    def count_taken(self) -> None:
        """A group left the queue. The trouble is over when none was turned away meanwhile."""
        self._is_overrun, self._has_turned_away = self._has_turned_away, False

    def count_failure(self, write: Write, error: LsdError, *, is_awaited: bool) -> None:
        """A write of a group is not stored; whoever waits for it is told by himself."""
        if not isinstance(error, WriteRefused):
            self.write_errors += 1
        if is_awaited:
            return
        self.rows_dropped += write.rows
        if not isinstance(error, StoreFull):
            _log.error("a record was not stored", reason=str(error))
        elif not self._is_full:
            self._is_full = True
            _log.error("records are being dropped until there is room", reason=str(error))

    def count_group(self, outcomes: list[Outcome]) -> None:
        """A group is done, wholly or in part."""
        self.commits += 1
        failed = [each for each in outcomes if each is not None]
        self.last_commit_ok = all(isinstance(each, WriteRefused) for each in failed)
        if self.last_commit_ok and self._is_full:
            self._is_full = False
            _log.info("records are being stored again", rows_dropped=self.rows_dropped)
