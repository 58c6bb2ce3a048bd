"""Many writes in one transaction, so arranged that a bad one spoils only itself."""

from collections.abc import Callable, Sequence

from lsd.conversation import LsdError, frozen
from lsd.store.engine import Environment
from lsd.store.errors import WriteFailed, WriteRefused
from lsd.store.transaction import Transaction
from lsd.telemetry import logger

_log = logger(__name__)

Outcome = LsdError | None
"""None: committed."""


@frozen
class Write:
    """Something to be stored, all or nothing.

    `apply` runs in the writer's thread, and again from the start if its transaction was taken
    back; it changes nothing but the transaction. `rows` is its weight in the queue.
    """

    apply: Callable[[Transaction], None]
    rows: int = 1


PAUSE_EVERY = 16
"""Writes after which others have a turn: these take a quarter of a millisecond."""


def commit_group(
    environment: Environment, writes: Sequence[Write], pause: Callable[[], None] | None = None
) -> list[Outcome]:
    """Commits the writes in their order, in one transaction if all goes well; one outcome each.

    `pause` is called now and then on the way, for those who wait for the processor.

    If one fails, those before it are committed, then it is tried alone, then the rest together.
    If the commit itself fails, which is nobody's fault in particular, each half is tried.
    """
    outcomes: list[Outcome] = [None] * len(writes)
    parts = [range(len(writes))]  # a stack: the earliest writes are on top
    while parts:
        part = parts.pop()
        if not part:
            continue
        failed = _try_together(environment, writes, part, outcomes, pause)
        if failed is None:
            continue
        place, error = failed
        if len(part) == 1:
            outcomes[part[0]] = _outcome_of(error)
        elif place < len(part):
            parts += [part[place + 1 :], part[place : place + 1], part[:place]]
        else:
            middle = len(part) // 2
            parts += [part[middle:], part[:middle]]
    return outcomes


def _try_together(
    environment: Environment,
    writes: Sequence[Write],
    part: range,
    outcomes: list[Outcome],
    pause: Callable[[], None] | None,
) -> tuple[int, Exception] | None:
    """One transaction for `part`; notes refusals in `outcomes`.

    On a failure nothing of `part` is stored; gives the place in `part` that failed (its length:
    the commit) and the error.
    """
    place = 0

    def apply_all(transaction: Transaction) -> None:
        nonlocal place
        for place, index in enumerate(part):  # noqa: B007 - tells who failed
            outcomes[index] = None
            try:
                writes[index].apply(transaction)
            except WriteRefused as refusal:  # has put nothing, so the others can go on
                outcomes[index] = refusal
            if pause is not None and index % PAUSE_EVERY == PAUSE_EVERY - 1:
                pause()
        place = len(part)

    try:
        environment.write(apply_all)
    except Exception as error:  # noqa: BLE001 - becomes an outcome, so the neighbours go on
        return place, error
    return None


def _outcome_of(error: Exception) -> LsdError:
    if isinstance(error, LsdError):
        return error
    _log.error("a write failed in a way that only a bug explains", exc_info=error)
    return WriteFailed(f"{type(error).__name__}: {error}")
