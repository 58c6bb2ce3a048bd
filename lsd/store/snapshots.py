"""Configuration snapshots: what was in force when a record was made, under its hash."""

import re
from collections.abc import Mapping

import attrs

from lsd.conversation import JsonValue, encode_json, reread_json
from lsd.store._group_commit import Write
from lsd.store.engine import Environment
from lsd.store.layout import SNAPSHOTS
from lsd.store.transaction import Transaction

_HASH = re.compile(r"[0-9a-fA-F]{64}\Z")


@attrs.frozen(kw_only=True)
class Snapshot:
    """One configuration, with everything that it was made of."""

    hash: str
    """Lower-case hex."""
    config: JsonValue
    extra_templates: Mapping[str, str]
    """Path to text."""
    tags: Mapping[str, str]
    first_used_ms: int
    last_used_ms: int


@attrs.define(eq=False)
class Snapshots:
    """The snapshots of a store."""

    _data: Environment

    def record(
        self,
        *,
        hash: str,  # noqa: A002 - the field's name everywhere outside
        config: JsonValue,
        extra_templates: Mapping[str, str],
        tags: Mapping[str, str],
        now_ms: int,
    ) -> Write:
        """The write at a start or reload: a new snapshot, or a later last use of a known one."""

        def apply(transaction: Transaction) -> None:
            key = bytes.fromhex(hash)
            known = transaction.get(SNAPSHOTS, key)
            fields = (
                reread_json(known)
                if known
                else {
                    "config": config,
                    "extra_templates": extra_templates,
                    "tags": tags,
                    "first_used_ms": now_ms,
                }
            )
            fields["last_used_ms"] = now_ms
            transaction.put(SNAPSHOTS, key, encode_json(fields))

        return Write(apply=apply)

    def get(self, hash: str) -> Snapshot | None:  # noqa: A002 - as above
        """The snapshot of a hash; None also if `hash` is not one."""
        if not _HASH.match(hash):
            return None
        key = bytes.fromhex(hash)
        with self._data.read() as transaction:
            found = transaction.get(SNAPSHOTS, key)
        return None if found is None else Snapshot(hash=key.hex(), **reread_json(found))
