"""How an inference ended whose answer is kept and not sent: a value, with what is to be stored."""

import attrs

from lsd.conversation import FinishReason
from lsd.inference.refusals import InferenceFailed
from lsd.store import Write


@attrs.frozen(kw_only=True)
class Answered:
    """It has an answer; `records` hold it. `usage` is the JSON text that answers show."""

    variant_name: str
    usage: bytes
    finish_reason: FinishReason | None
    records: Write


@attrs.frozen(kw_only=True)
class Unanswered:
    """Nobody has answered; `records` are those of the attempts, None if there were none."""

    failure: InferenceFailed
    records: Write | None


Ended = Answered | Unanswered
