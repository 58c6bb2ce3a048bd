"""Ids: UUIDv7 that never go backwards, and the forms in which clients may send them back."""

import os
import re
from array import array
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Protocol

import attrs

from lsd.conversation.errors import LsdError
from lsd.conversation.json import describe_json

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_FOREIGN = re.compile(r"(?:chatcmpl-|msg_|resp_)([0-9a-f]{32})\Z")
"""The forms in which the OpenAI and Anthropic compatible endpoints show an inference id."""

_RANDOM_BITS = 74
"""A UUIDv7 holds 48 bits of milliseconds, 6 fixed bits and 74 free ones. Source: RFC 9562, 5.7."""

_STEP_BITS = 32
"""Ids of one millisecond are apart by a random step of up to 2^32: hard to guess, and there is
room for 2^41 of them before the counter could run over into the next millisecond."""

_STEPS = 64
"""Drawn at once: a busy millisecond has some ten."""

_LOW_BITS = 62
_LOW_MAX = (1 << _LOW_BITS) - 1
_VARIANT = 2 << _LOW_BITS
"""What stands in front of the low bits."""

_TAIL_BITS = 48 + _RANDOM_BITS - 64
"""The other 64 bits of an id, its head, are what processes tell each other."""


_POOL_BYTES = 4096
"""Chance asked of the system at once: enough for five hundred ids."""

_WORD_BITS = 64


class PooledRandom(SystemRandom):
    """The system's chance, with a pool for `getrandbits`.

    A call of the system for each id would cost as much as the rest of it. A process that is forked
    has to make its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._words = array("Q")

    def getrandbits(self, k: int, /) -> int:
        """So many bits."""
        if k > _WORD_BITS:
            return self.getrandbits(_WORD_BITS) | self.getrandbits(k - _WORD_BITS) << _WORD_BITS
        if not self._words:
            self._words.frombytes(os.urandom(_POOL_BYTES))
        return self._words.pop() >> (_WORD_BITS - k)


class IdHeads(Protocol):
    """What several processes know of each other's ids."""

    def greatest_head(self) -> int:
        """The greatest that any of the others has noted, 0 without any."""

    def note_head(self, head: int) -> None:
        """The head of the latest id of this process."""


@attrs.frozen
class BadId(LsdError):
    """A text that should be an id is none."""

    found: str

    def __str__(self) -> str:
        found = describe_json(self.found)
        return f"found {found}; wanted a UUID, such as 0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@attrs.define(eq=False)
class IdGenerator:
    """Makes UUIDv7 texts, each greater than all before.

    `now_ms` tells milliseconds since 1970. When the clock steps back, ids go on from the last
    millisecond; `start_after` makes them go on from an id of an earlier run. With `heads`, each is
    greater than all that other processes have noted before.
    """

    now_ms: Callable[[], int]
    random: Random
    heads: IdHeads | None = None
    _ms: int = attrs.field(default=-1, init=False)
    _high: int = attrs.field(default=0, init=False)
    """The milliseconds and the 12 bits behind them, of the latest id."""
    _low: int = attrs.field(default=0, init=False)
    """Its other 62 bits."""
    _beginning: str = attrs.field(default="", init=False)
    """Its text, up to those."""
    _steps: list[int] = attrs.field(factory=list, init=False)
    """What the next ids are apart, drawn ahead."""

    def start_after(self, greatest: str | None) -> None:
        """From now on every id is greater than `greatest`, too."""
        if greatest is not None:
            last = self._high << _LOW_BITS | self._low
            self._go_to(max(last, _sortable(int(greatest.replace("-", ""), 16))))

    def new(self) -> str:
        """The next id, as lower-case text with hyphens."""
        now_ms = self.now_ms()
        if now_ms > self._ms:
            # The top bit stays clear, so that a busy millisecond has room to count upwards.
            self._go_to(now_ms << _RANDOM_BITS | self.random.getrandbits(_RANDOM_BITS - 1))
        else:
            steps = self._steps
            if not steps:
                steps += [1 + self.random.getrandbits(_STEP_BITS) for _ in range(_STEPS)]
            self._low += steps.pop()
            if self._low > _LOW_MAX:
                self._go_to((self._high << _LOW_BITS) + self._low)
        if self.heads is not None:
            self._rise_above_others(self.heads)
        digits = f"{self._low | _VARIANT:016x}"
        return f"{self._beginning}{digits[:4]}-{digits[4:]}"

    def _rise_above_others(self, heads: IdHeads) -> None:
        greatest = heads.greatest_head()
        last = self._high << _LOW_BITS | self._low
        if last >> _TAIL_BITS <= greatest:
            last = (greatest + 1) << _TAIL_BITS | self.random.getrandbits(_TAIL_BITS - 1)
            self._go_to(last)
        heads.note_head(last >> _TAIL_BITS)

    def _go_to(self, sortable: int) -> None:
        """Makes the latest id of its sortable bits: all but those of version and variant."""
        self._high, self._low = sortable >> _LOW_BITS, sortable & _LOW_MAX
        self._ms = self._high >> 12
        digits = f"{self._ms:012x}"
        self._beginning = f"{digits[:8]}-{digits[8:]}-7{self._high & 0xFFF:03x}-"


def _sortable(number: int) -> int:
    """The 48 + 12 + 62 bits of a UUID's number that are not its version and variant."""
    return (number >> 80 << 74) | ((number >> 64 & 0xFFF) << 62) | (number & 0x3FFFFFFFFFFFFFFF)


def parse_id(text: str) -> str:
    """The canonical form of an id: lower-case, hyphens; of any version.

    Takes 32 hex digits behind `chatcmpl-`, `msg_` or `resp_`, too; letters of any case.
    Raises BadId.
    """
    lower = text.lower()
    if _UUID.match(lower):
        return lower
    foreign = _FOREIGN.match(lower)
    if foreign is None:
        raise BadId(text)
    digits = foreign.group(1)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_version_7(canonical: str) -> bool:
    """Whether a canonical id is a UUIDv7 (version 7 of the RFC's variant)."""
    return canonical[14] == "7" and canonical[19] in "89ab"


def id_time_ms(canonical: str) -> int:
    """The milliseconds since 1970 that a UUIDv7 carries."""
    return int(canonical[:8] + canonical[9:13], 16)
