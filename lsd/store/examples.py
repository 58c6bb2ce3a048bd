"""Examples of dicl variants: what was asked, what should be answered, and where it lies.

An example belongs to a variant of a function. Each change of a variant's examples counts up its
*version*, so that whoever keeps them in memory learns of changes by any process with one get.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import attrs

from lsd.conversation import encode_json, reread_json
from lsd.store._group_commit import Write
from lsd.store._pages import ids_from
from lsd.store.engine import Environment
from lsd.store.layout import (
    EXAMPLE_VECTORS,
    EXAMPLE_VERSIONS,
    EXAMPLES,
    UNSIGNED,
    end_of,
    id_key,
    id_text,
)
from lsd.store.names import FUNCTION, VARIANT, Names
from lsd.store.transaction import Transaction

NEVER_CHANGED: Final = 0
"""The version of a variant that has never had an example."""


@attrs.frozen(kw_only=True)
class Example:
    """One example. Its time is the one in its id."""

    id: str
    input: str
    """JSON text: what the vector is the embedding of."""
    output: str
    """JSON text: content blocks, or `{"raw", "parsed"}`."""
    namespace: str | None = None
    vector: bytes = b""
    """Numbers of 4 bytes, little-endian; of length 1. Empty where it was not read."""


@attrs.frozen(kw_only=True)
class ExampleChanges:
    """What is stored now, for somebody who knows some of it."""

    version: int
    ids: frozenset[str]
    fresh: tuple[tuple[str, bytes], ...]
    """Ids with vectors of those that were not known, ascending."""


@attrs.define(eq=False)
class Examples:
    """The examples of a store."""

    _data: Environment
    _names: Names

    def add(self, function_name: str, variant_name: str, examples: Sequence[Example]) -> Write:
        """The write of all examples, or of none."""

        def apply(transaction: Transaction) -> None:
            prefix = self._prefix(transaction, function_name, variant_name)
            for example in examples:
                key = prefix + id_key(example.id)
                transaction.put(EXAMPLES, key, _encoded(example))
                transaction.put(EXAMPLE_VECTORS, key, example.vector)
            _count_up(transaction, prefix)

        return Write(apply=apply, rows=len(examples))

    def delete(self, function_name: str, variant_name: str, deleted: list[int]) -> Write:
        """The write that removes all examples of a variant; `deleted` learns how many they were."""

        def apply(transaction: Transaction) -> None:
            prefix = self._prefix(transaction, function_name, variant_name)
            keys = [key for key, _ in transaction.range(EXAMPLES, prefix, end_of(prefix))]
            for key in keys:
                transaction.delete(EXAMPLES, key)
                transaction.delete(EXAMPLE_VECTORS, key)
            deleted[:] = [len(keys)]
            if keys:
                _count_up(transaction, prefix)

        return Write(apply=apply)

    def version(self, function_name: str, variant_name: str) -> int:
        """Rises with each change. A get."""
        with self._data.read() as transaction:
            prefix = self._find_prefix(transaction, function_name, variant_name)
            return NEVER_CHANGED if prefix is None else _version(transaction, prefix)

    def changes(
        self, function_name: str, variant_name: str, known: frozenset[str]
    ) -> ExampleChanges:
        """What there is beside the `known` ids, and what there is at all. Scans."""
        with self._data.read() as transaction:
            prefix = self._find_prefix(transaction, function_name, variant_name)
            if prefix is None:
                return ExampleChanges(version=NEVER_CHANGED, ids=frozenset(), fresh=())
            stored = [
                id_text(own) for own, _ in reversed([*ids_from(transaction, EXAMPLES, prefix)])
            ]
            fresh = []
            for each in stored:
                if each not in known:
                    vector = transaction.get(EXAMPLE_VECTORS, prefix + id_key(each))
                    assert vector is not None, "an example has no vector"
                    fresh.append((each, vector))
            return ExampleChanges(
                version=_version(transaction, prefix), ids=frozenset(stored), fresh=tuple(fresh)
            )

    def get(
        self, function_name: str, variant_name: str, example_ids: Iterable[str]
    ) -> list[Example]:
        """The examples with their vectors, in this order; what is gone is left out."""
        found = []
        with self._data.read() as transaction:
            prefix = self._find_prefix(transaction, function_name, variant_name)
            for example_id in example_ids if prefix is not None else ():
                assert prefix is not None
                key = prefix + id_key(example_id)
                value = transaction.get(EXAMPLES, key)
                vector = transaction.get(EXAMPLE_VECTORS, key)
                if value is not None and vector is not None:
                    found.append(_decoded(example_id, value, vector))
        return found

    def page(
        self, function_name: str, variant_name: str, *, before: str | None, limit: int
    ) -> list[Example]:
        """The `limit` newest older than `before`, newest first, without vectors. Scans."""
        with self._data.read() as transaction:
            prefix = self._find_prefix(transaction, function_name, variant_name)
            if prefix is None:
                return []
            cursor = None if before is None else id_key(before)
            entries = ids_from(transaction, EXAMPLES, prefix, before=cursor)
            return [_decoded(id_text(own), value) for own, value in islice(entries, limit)]

    def _prefix(self, transaction: Transaction, function_name: str, variant_name: str) -> bytes:
        function = self._names.number(transaction, FUNCTION, function_name)
        return function + self._names.number(transaction, VARIANT, variant_name)

    def _find_prefix(
        self, transaction: Transaction, function_name: str, variant_name: str
    ) -> bytes | None:
        function = self._names.find(transaction, FUNCTION, function_name)
        variant = self._names.find(transaction, VARIANT, variant_name)
        return None if function is None or variant is None else function + variant


def _version(transaction: Transaction, prefix: bytes) -> int:
    row = transaction.get(EXAMPLE_VERSIONS, prefix)
    return NEVER_CHANGED if row is None else int(UNSIGNED.unpack(row)[0])


def _count_up(transaction: Transaction, prefix: bytes) -> None:
    transaction.put(EXAMPLE_VERSIONS, prefix, UNSIGNED.pack(_version(transaction, prefix) + 1))


def _encoded(example: Example) -> bytes:
    fields = {"input": example.input, "output": example.output}
    if example.namespace is not None:
        fields["namespace"] = example.namespace
    return encode_json(fields)


def _decoded(example_id: str, value: bytes, vector: bytes = b"") -> Example:
    return Example(id=example_id, vector=vector, **reread_json(value))
