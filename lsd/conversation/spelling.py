"""The word that was probably meant."""

from collections.abc import Iterable

DISTANCE_MAX = 2
"""Two slips of the finger; beyond that the guess would be another word."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to `word`, if it is near enough to be meant."""
    rated = [(distance(word, each, DISTANCE_MAX), each) for each in known]
    near = [pair for pair in rated if pair[0] <= DISTANCE_MAX and pair[0] < len(pair[1])]
    return min(near)[1] if near else None


def distance(first: str, second: str, most: int) -> int:
    """How many letters to put in, take out, change, or swap with their neighbour.

    Whatever is farther than `most` counts as `most + 1`, and costs little to find out: words come
    from outside and may be of any length. Source: optimal string alignment, the restricted edit
    distance of Damerau and Levenshtein.
    """
    if abs(len(first) - len(second)) > most:
        return most + 1
    before: list[int] = []
    above = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        row = [i]
        for j, right in enumerate(second, 1):
            steps = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right))
            if i > 1 and j > 1 and left == second[j - 2] and first[i - 2] == right:
                steps = min(steps, before[j - 2] + 1)
            row.append(steps)
        if min(row) > most:
            return most + 1
        before, above = above, row
    return min(above[-1], most + 1)
