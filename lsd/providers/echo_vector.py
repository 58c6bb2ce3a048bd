"""Embeddings without a model: texts that share words get near vectors, equal ones the same."""

import math
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

_WORD = re.compile(r"\w+")

_POSITION_BYTES = 8
"""Of the hash, so many choose the position: far more than there are, so that all come as often."""


def embedding_of(content: str | Sequence[int], dimensions: int) -> list[float]:
    """The vector of a text, or of token ids, of length 1 and with `dimensions` numbers.

    Each lower-cased word adds 1 or -1 at a position; its SHA-256 chooses both.
    """
    vector = [0.0] * dimensions
    for word in _words(content):
        digest = sha256(word.encode()).digest()
        position = int.from_bytes(digest[:_POSITION_BYTES]) % dimensions
        vector[position] += 1.0 if digest[_POSITION_BYTES] & 1 else -1.0
    length = math.sqrt(sum(each * each for each in vector))
    if not length:
        # No word, or words that cancel out: still a vector of length 1.
        vector[0] = length = 1.0
    return [each / length for each in vector]


def _words(content: str | Sequence[int]) -> Iterable[str]:
    if isinstance(content, str):
        return _WORD.findall(content.lower())
    return map(str, content)
