"""Ids: UUIDv7 that never go backwards, and the forms in which clients may send them back."""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from random import Random
from typing import Protocol

import attrs

from lsd.conversation.errors import LsdError
from lsd.conversation.json import describe_json

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_FOREIGN = re.compile(r"(?:chatcmpl-|msg_|resp_)([0-9a-f]{32})\Z")
"""The forms in which the OpenAI and Anthropic compatible endpoints show an inference id."""

_NS_PER_MS = 1_000_000

_FIXED = 0x7000_8000
"""The version and the variant, in the 80 bits in front of the last group of an id. A UUIDv7 has 48
bits of milliseconds before them, and 74 free ones between and behind. Source: RFC 9562, 5.7."""

_FREE = 0x07FF_3FFF
"""Which of the 80 bits are chance. The top one of the free bits stays clear, so that a busy
millisecond has room to count upwards."""

_TAIL_BITS = 48
"""The last group of an id, often all in which it differs from the one before."""
_TAIL_MAX = (1 << _TAIL_BITS) - 1

_BEHIND_HEAD_BITS = 58
"""The first 64 of the 122 bits that are not fixed, the head, are what processes tell each other."""

_WORD_BITS = 64
_WORDS = 64
"""Of chance, drawn at once: a call of the system for each id would cost as much as the id."""

_STEP_BITS = 32
"""Ids of one millisecond are apart by a random step of up to 2^32: hard to guess, and there is
room for 2^41 of them before the counter could run over into the next millisecond."""


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

    `now_ns` tells nanoseconds since 1970. When the clock steps back, ids go on from the last
    millisecond; `start_after` makes them go on from an id of an earlier run. With `heads`, each is
    greater than all that other processes have noted before.
    """

    now_ns: Callable[[], int]
    random: Random
    heads: IdHeads | None = None
    _until_ns: int = attrs.field(default=0, init=False)
    """The end of the millisecond of the latest id."""
    _front: int = attrs.field(default=_FIXED, init=False)
    """Its first 80 bits."""
    _beginning: str = attrs.field(default="", init=False)
    """The same as text."""
    _tail: int = attrs.field(default=0, init=False)
    _chance: Iterator[int] = attrs.field(init=False)

    @_chance.default
    def _words_of_chance(self) -> Iterator[int]:
        return _words(self.random)

    def start_after(self, greatest: str | None) -> None:
        """From now on every id is greater than `greatest`, too."""
        if greatest is not None:
            self._go_to(max(self._latest, _sortable(int(greatest.replace("-", ""), 16))))

    def new(self) -> str:
        """The next id, as lower-case text with hyphens."""
        now_ns = self.now_ns()
        if now_ns >= self._until_ns:
            chance = self._chance
            self._begin_at(now_ns // _NS_PER_MS << 32 | _FIXED | next(chance) & _FREE)
            self._tail = next(chance) >> _WORD_BITS - _TAIL_BITS
        else:
            self._tail += 1 + (next(self._chance) >> _WORD_BITS - _STEP_BITS)
            if self._tail > _TAIL_MAX:
                self._go_to(self._latest)
        if self.heads is not None:
            self._rise_above_others(self.heads)
        # Bytes are written in half the time of a formatted number.
        return f"{self._beginning}{self._tail.to_bytes(6).hex()}"

    def _rise_above_others(self, heads: IdHeads) -> None:
        head, greatest = self._latest >> _BEHIND_HEAD_BITS, heads.greatest_head()
        if head <= greatest:
            head = greatest + 1
            more = next(self._chance) >> 1 + _WORD_BITS - _BEHIND_HEAD_BITS
            self._go_to(head << _BEHIND_HEAD_BITS | more)
        heads.note_head(head)

    @property
    def _latest(self) -> int:
        """The bits of the latest id that are not fixed; its tail may have run over."""
        return _sortable(self._front << _TAIL_BITS) + self._tail

    def _go_to(self, sortable: int) -> None:
        """Makes the latest id of its bits that are not fixed."""
        ms, above, below = sortable >> 74, sortable >> 62 & 0xFFF, sortable >> 48 & 0x3FFF
        self._begin_at(ms << 32 | above << 16 | below | _FIXED)
        self._tail = sortable & _TAIL_MAX

    def _begin_at(self, front: int) -> None:
        self._front = front
        self._until_ns = ((front >> 32) + 1) * _NS_PER_MS
        digits = front.to_bytes(10).hex()
        self._beginning = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:]}-"


def _words(random: Random) -> Iterator[int]:
    """Chance without end."""

    def draw() -> Iterable[int]:
        drawn = random.getrandbits(_WORDS * _WORD_BITS)
        return array("Q", drawn.to_bytes(_WORDS * _WORD_BITS // 8))

    return chain.from_iterable(iter(draw, None))


def _sortable(number: int) -> int:
    """The 48 + 12 + 62 bits of a UUID's number that are not fixed."""
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
