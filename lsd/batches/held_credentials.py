"""What callers sent along to be used and never written: held in memory until the item has ended."""

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.define(eq=False)
class HeldCredentials:
    """Credentials and headers by the inference they are for, of this process alone."""

    of_parts: dict[tuple[str, int], Mapping[str, str]] = attrs.field(
        factory=dict, init=False, repr=False
    )
    """Those of parts that providers run, by batch and number."""
    _fields: dict[str, tuple[str, Mapping[str, Any]]] = attrs.field(
        factory=dict, init=False, repr=False
    )
    """With the batch of each."""

    def hold(self, batch_id: str, inference_id: str, fields: Mapping[str, Any]) -> None:
        """Keeps the fields of a body of `/inference`."""
        self._fields[inference_id] = (batch_id, fields)

    def fields_for(self, inference_id: str) -> Mapping[str, Any]:
        """The fields again; empty if there were none."""
        _, fields = self._fields.get(inference_id, ("", {}))
        return fields

    def forget(self, inference_id: str) -> None:
        """The inference has ended."""
        self._fields.pop(inference_id, None)

    def batch_ids(self) -> set[str]:
        """The batches of which something is held."""
        return {batch_id for batch_id, _ in self._fields.values()}

    def forget_batch(self, batch_id: str) -> None:
        """All its inferences have ended."""
        self._fields = {key: held for key, held in self._fields.items() if held[0] != batch_id}
