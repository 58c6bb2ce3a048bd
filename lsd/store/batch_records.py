"""Batches as they are stored: the job, its items, and how many of them are in which state."""

from typing import Literal

import attrs

from lsd.conversation import FinishReason, JsonValue
from lsd.store._group_commit import Write
from lsd.store.records import FunctionType

ItemState = Literal["pending", "running", "completed", "failed", "cancelled"]

TERMINAL_STATES: frozenset[ItemState] = frozenset({"completed", "failed", "cancelled"})
"""No item ever leaves them."""


@attrs.frozen(kw_only=True)
class ItemError:
    """Why an item failed: what `/inference` would have answered."""

    status: int
    message: str


@attrs.frozen(kw_only=True)
class BatchItem:
    """One item of a batch, without its request.

    `drawn_variant`: the only one that may run, though the caller has not pinned it;
    `first_variant`: the one that was drawn, behind which others may run. `model_name` is the model
    that is asked first; None: nobody knows before the run. `holder`: the
    process (its shard) that alone has the item's credentials in memory. `runner`: the process that
    runs it now. `run` counts claims, `attempts` the runs that came to an end, the present one
    included; `crashes` the runs in the middle of which the process died. Times are milliseconds
    since 1970; a `not_before_ms` of 0 is no bound.
    """

    inference_id: str
    episode_id: str
    function_name: str
    function_type: FunctionType
    state: ItemState = "pending"
    part: int | None = None
    """The native part that the item is of; None: LSD itself runs it."""
    first_provider: int = 0
    """The place in the routing of its model at which a run begins."""
    drawn_variant: str | None = None
    first_variant: str | None = None
    model_name: str | None = None
    holder: int | None = None
    runner: int | None = None
    run: int = 0
    attempts: int = 0
    crashes: int = 0
    not_before_ms: int = 0
    started_ms: int | None = None
    finished_ms: int | None = None
    variant_name: str | None = None
    """The one that answered; only of completed items, as the two below."""
    usage: str | None = None
    """The JSON text that answers show."""
    finish_reason: FinishReason | None = None
    error: ItemError | None = None


@attrs.frozen(kw_only=True)
class ItemCounts:
    """How many items are in each state."""

    pending: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """All items."""
        return self.pending + self.running + self.completed + self.failed + self.cancelled


@attrs.frozen(kw_only=True)
class BatchPart:
    """The items of a batch that a provider runs as one job of its own.

    `is_over`: all of them have ended. `completed` and `failed` are what the provider has counted
    last, `poll_error` why it could not be asked last. `costs` is what an answer costs, by the table
    in force when it was submitted; None if that is not known. `is_given_up`: the provider has heard
    that it is to end the job. `asked_ms`: when any process last began to ask for it. `holder`: the
    process (its shard) that alone has the credentials it was submitted with, and so alone can ask
    for it; `lost_credentials`: they have gone with that process.
    """

    model_name: str
    provider_name: str
    variant_name: str
    job_id: str
    is_over: bool = False
    completed: int | None = None
    failed: int | None = None
    poll_error: str | None = None
    costs: JsonValue = None
    is_given_up: bool = False
    asked_ms: int = 0
    holder: int | None = None
    lost_credentials: bool = False


@attrs.frozen(kw_only=True)
class BatchRecord:
    """One accepted submission. `counts` are kept beside the record, and always current."""

    batch_id: str
    created_ms: int
    shape: Literal["rows", "columns"]
    api_key_public_id: str | None = None
    snapshot_hash: str | None = None
    cancel_requested: bool = False
    counts: ItemCounts = ItemCounts()

    @property
    def is_under_way(self) -> bool:
        """Whether an item is still to end."""
        return self.counts.pending + self.counts.running > 0


@attrs.frozen(kw_only=True)
class NewItem:
    """An item on its way into the store; `request` is a JSON text without credentials."""

    item: BatchItem
    request: bytes


@attrs.frozen(kw_only=True)
class EndedItem:
    """An item of a native part that has ended, with what its inference leaves."""

    index: int
    after: BatchItem
    records: Write | None = None


@attrs.frozen(kw_only=True)
class ClaimedItem:
    """An item that this process runs now. Only who holds the same `run` may end it."""

    batch_id: str
    index: int
    item: BatchItem
    request: bytes
    api_key_public_id: str | None


@attrs.frozen(kw_only=True)
class ItemResult:
    """An item with what its inference left: the stored output, None if that has expired.

    `has_record` is False once the record itself is gone.
    """

    index: int
    item: BatchItem
    output: object = None
    has_record: bool = False
