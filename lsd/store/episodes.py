"""Episodes: the sets of inferences that carry one episode id. Gets, but for pages, which scan."""

from collections.abc import Iterator
from itertools import islice

import attrs

from lsd.store._matching import matching
from lsd.store._pages import ids_from
from lsd.store.engine import Environment
from lsd.store.filters import Filter, Selection
from lsd.store.layout import (
    COUNT_AND_IDS,
    EPISODES,
    EPISODES_BY_FUNCTION,
    id_key,
    id_text,
)
from lsd.store.names import FUNCTION, Names
from lsd.store.transaction import Transaction

_EPISODES_PER_READ = 500
"""Ids that are taken from one snapshot."""


@attrs.frozen(kw_only=True)
class Episode:
    """The set of inferences that carry one episode id."""

    episode_id: str
    count: int
    first_inference_id: str
    last_inference_id: str


@attrs.frozen(kw_only=True)
class EpisodeBounds:
    """The least and the greatest episode id, if there is one, and how many there are."""

    first_id: str | None
    last_id: str | None
    count: int


@attrs.frozen(kw_only=True)
class Episodes:
    """The episodes of a store."""

    _data: Environment
    _names: Names

    def get(self, episode_id: str) -> Episode | None:
        """The episode, if an inference of it is recorded."""
        with self._data.read() as transaction:
            return _episode(transaction, id_key(episode_id))

    def exists(self, episode_id: str) -> bool:
        """Whether an inference with this episode id is recorded."""
        return self.get(episode_id) is not None

    def bounds(self) -> EpisodeBounds:
        """Of all episodes."""
        with self._data.read() as transaction:
            ends = [
                id_text(key)
                for reverse in (False, True)
                for key, _ in transaction.range(EPISODES, reverse=reverse, limit=1)
            ]
            first, last = ends or (None, None)
            return EpisodeBounds(first_id=first, last_id=last, count=transaction.count(EPISODES))

    def page(
        self,
        *,
        function_name: str | None = None,
        filter: Filter | None = None,  # noqa: A002 - the word of the API
        before: str | None = None,
        after: str | None = None,
        limit: int,
    ) -> list[Episode]:
        """The `limit` episodes next to the cursor, an episode id; those with greater ids first.

        Meant are episodes with an inference of the function for which the filter holds. Scans.
        """
        assert before is None or after is None, "a page lies on one side of one cursor"
        wanted = Selection(function_name=function_name, filter=filter)
        found: list[Episode] = []
        for episode in self._ids(function_name, before, after):
            if filter is not None and not self._has(episode, wanted):
                continue
            with self._data.read() as transaction:
                shown = _episode(transaction, episode)
            if shown is not None:
                found.append(shown)
            if len(found) == limit:
                break
        return found if after is None else found[::-1]

    def _ids(
        self, function_name: str | None, before: str | None, after: str | None
    ) -> Iterator[bytes]:
        """The ids beyond the cursor, beginning there."""
        high = None if before is None else id_key(before)
        low = None if after is None else id_key(after)
        while True:
            with self._data.read() as transaction:
                database, prefix = EPISODES, b""
                if function_name is not None:
                    number = self._names.find(transaction, FUNCTION, function_name)
                    if number is None:
                        return
                    database, prefix = EPISODES_BY_FUNCTION, number
                ids = ids_from(transaction, database, prefix, before=high, after=low)
                some = [episode for episode, _ in islice(ids, _EPISODES_PER_READ)]
            yield from some
            if len(some) < _EPISODES_PER_READ:
                return
            high, low = (some[-1], None) if low is None else (None, some[-1])

    def _has(self, episode: bytes, wanted: Selection) -> bool:
        """Whether an inference of the episode is one of those meant."""
        inside = attrs.evolve(wanted, episode_id=id_text(episode))
        return any(True for _ in matching(self._data, self._names, inside, expected=1))


def _episode(transaction: Transaction, episode: bytes) -> Episode | None:
    row = transaction.get(EPISODES, episode)
    if row is None:
        return None
    count, first, last = COUNT_AND_IDS.unpack(row)
    return Episode(
        episode_id=id_text(episode),
        count=count,
        first_inference_id=id_text(first),
        last_inference_id=id_text(last),
    )
