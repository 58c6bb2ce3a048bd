"""Which variant an episode has in an adaptive experiment, and whose turn it is in the nursery.

Both are read and written in one transaction, so that an episode has one variant and nobody loses a
turn, however many requests and processes there are.
"""

from collections.abc import Callable, Collection

import attrs

from lsd.store._attribution import ALL_NAMESPACES
from lsd.store._group_commit import Write
from lsd.store.engine import Environment
from lsd.store.layout import ASSIGNMENTS, TURNS, UNSIGNED, id_key
from lsd.store.names import FUNCTION, NAMESPACE, VARIANT, Names
from lsd.store.transaction import Transaction


@attrs.frozen(kw_only=True)
class Assigned:
    """A variant for an episode; `takes_turn` if the turn goes on to the next one by it."""

    variant_name: str
    takes_turn: bool


@attrs.frozen(kw_only=True)
class Experiment:
    """The experiment of a function in a namespace; without one, that of all other requests."""

    function_name: str
    namespace: str | None


@attrs.define(eq=False)
class Assignments:
    """The assignments of a store."""

    _data: Environment
    _names: Names

    def get(self, experiment: Experiment, episode_id: str) -> str | None:
        """The variant of an episode. A get."""
        with self._data.read() as transaction:
            place = self._find(transaction, experiment)
            if place is None:
                return None
            row = transaction.get(ASSIGNMENTS, id_key(episode_id) + place)
            return None if row is None else self._names.name(transaction, VARIANT, row)

    def turn(self, experiment: Experiment) -> int:
        """How many turns have been taken. A get."""
        with self._data.read() as transaction:
            place = self._find(transaction, experiment)
            return 0 if place is None else _turn(transaction, place)

    def assign(
        self,
        experiment: Experiment,
        episode_id: str,
        *,
        variants: Collection[str],
        choose: Callable[[int], Assigned],
        learn: Callable[[str], None],
    ) -> Write:
        """The write that gives an episode its variant; `learn` is told which it is.

        A variant that it has already stays, if it is one of the experiment's `variants`; else
        `choose` draws one of them, and is told the turn. Both may be called again.
        """

        def apply(transaction: Transaction) -> None:
            place = self._names.number(transaction, FUNCTION, experiment.function_name)
            place += self._namespace(transaction, experiment)
            key = id_key(episode_id) + place
            numbers = {name: self._names.number(transaction, VARIANT, name) for name in variants}
            row = transaction.get(ASSIGNMENTS, key)
            known = next((name for name, number in numbers.items() if number == row), None)
            if known is not None:
                learn(known)
                return
            turn = _turn(transaction, place)
            assigned = choose(turn)
            transaction.put(ASSIGNMENTS, key, numbers[assigned.variant_name])
            if assigned.takes_turn:
                transaction.put(TURNS, place, UNSIGNED.pack(turn + 1))
            learn(assigned.variant_name)

        return Write(apply=apply)

    def _namespace(self, transaction: Transaction, experiment: Experiment) -> bytes:
        if experiment.namespace is None:
            return ALL_NAMESPACES
        return self._names.number(transaction, NAMESPACE, experiment.namespace)

    def _find(self, transaction: Transaction, experiment: Experiment) -> bytes | None:
        function = self._names.find(transaction, FUNCTION, experiment.function_name)
        namespace: bytes | None = ALL_NAMESPACES
        if experiment.namespace is not None:
            namespace = self._names.find(transaction, NAMESPACE, experiment.namespace)
        return None if function is None or namespace is None else function + namespace


def _turn(transaction: Transaction, place: bytes) -> int:
    row = transaction.get(TURNS, place)
    return 0 if row is None else int(UNSIGNED.unpack(row)[0])
