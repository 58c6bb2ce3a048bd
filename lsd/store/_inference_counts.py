"""How many inferences a selection holds; by its names alone, that is kept and not counted."""

from lsd.store._matching import matching
from lsd.store.engine import Environment
from lsd.store.filters import Selection
from lsd.store.layout import (
    COUNT_AND_ID,
    COUNT_AND_IDS,
    EPISODE_VARIANTS,
    EPISODES,
    ID_BYTES,
    INFERENCES,
    SIGNED,
    VARIANT_COUNTS,
    end_of,
    id_key,
)
from lsd.store.names import FUNCTION, VARIANT, Names
from lsd.store.transaction import Transaction

_ANY = b""
_NONE = b"\xff" * 4
"""The number of no name."""


def count_inferences(data: Environment, names: Names, selection: Selection) -> int:
    """How many there are. Scans if there is a filter or a search."""
    if selection.filter is not None or selection.search:
        return sum(1 for _ in matching(data, names, selection))
    return count_by_names(data, names, selection)


def count_by_names(data: Environment, names: Names, selection: Selection) -> int:
    """How many there are, whatever filter and search say."""

    def number(kind: bytes, name: str | None) -> bytes:
        return _ANY if name is None else names.find(transaction, kind, name) or _NONE

    with data.read() as transaction:
        function = number(FUNCTION, selection.function_name)
        variant = number(VARIANT, selection.variant_name)
        if selection.episode_id is not None:
            episode = id_key(selection.episode_id)
            return _count_in_episode(transaction, episode, function, variant)
        if function == variant == _ANY:
            return transaction.count(INFERENCES)
        return _count_by_variant(transaction, function, variant)


def _count_in_episode(
    transaction: Transaction, episode: bytes, function: bytes, variant: bytes
) -> int:
    if function == variant == _ANY:
        row = transaction.get(EPISODES, episode)
        return COUNT_AND_IDS.unpack(row)[0] if row else 0
    if function == _ANY:
        entries = transaction.range(EPISODE_VARIANTS, episode, end_of(episode))
        place = slice(ID_BYTES + 4, ID_BYTES + 8)
        return sum(SIGNED.unpack(row)[0] for key, row in entries if key[place] == variant)
    prefix = episode + function + variant
    rows = transaction.range(EPISODE_VARIANTS, prefix, end_of(prefix))
    return sum(SIGNED.unpack(row)[0] for _, row in rows)


def _count_by_variant(transaction: Transaction, function: bytes, variant: bytes) -> int:
    prefix = function + variant if function else _ANY
    rows = transaction.range(VARIANT_COUNTS, prefix, end_of(prefix))
    return sum(COUNT_AND_ID.unpack(row)[0] for key, row in rows if variant in (_ANY, key[4:8]))
