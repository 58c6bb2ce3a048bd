"""What a batch tells when it is asked for: its state, and the results of its items, as JSON.

Results are written some at a time, so that a batch of any size needs no more memory than a small
one. Terminal items do not change, so that the pieces fit together whenever each was read.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from lsd.conversation import Fragment, encode_json
from lsd.store import Batches, BatchItem, BatchPart, BatchRecord, ItemResult

BatchStatus = Literal["pending", "completed", "failed", "cancelled"]

CANCELLED_STATUS = 499
"""What stands for an item that was cancelled. Source: nginx, "client closed request"."""

CANCELLED_TEXT = "the batch was cancelled before this item was run"

ITEMS_PER_READ = 500
"""Items that are read and written at a time: some milliseconds, and a megabyte or so."""


def batch_status(batch: BatchRecord) -> BatchStatus:
    """The state of a batch as a whole."""
    counts = batch.counts
    if batch.is_under_way:
        return "pending"
    if counts.cancelled:
        return "cancelled"
    return "completed" if counts.completed else "failed"


def batch_head(batch: BatchRecord, parts: Sequence[BatchPart] = ()) -> dict[str, Any]:
    """What is told of a batch in any state; `parts` are those that providers run."""
    counts = batch.counts
    status = batch_status(batch)
    head: dict[str, Any] = {
        "status": status,
        "batch_id": batch.batch_id,
        "progress": {
            "total": counts.total,
            "pending": counts.pending,
            "running": counts.running,
            "completed": counts.completed,
            "failed": counts.failed,
            "cancelled": counts.cancelled,
        },
    }
    if status == "pending" and batch.cancel_requested:
        head["cancel_requested"] = True
    counted = [part for part in parts if part.completed is not None]
    if status == "pending" and counted:
        head["progress"]["upstream"] = {
            "completed": sum(part.completed or 0 for part in counted),
            "failed": sum(part.failed or 0 for part in counted),
        }
    errors = [part.poll_error for part in parts if part.poll_error is not None]
    if status == "pending" and errors:
        head["poll_error"] = "; ".join(errors)
    return head


def batch_pieces(batches: Batches, batch: BatchRecord) -> Iterator[bytes]:
    """The JSON text of a batch, in pieces; each of them reads the store, which takes a thread."""
    head = encode_json(batch_head(batch, batches.parts(batch.batch_id)))
    status, counts = batch_status(batch), batch.counts
    if status == "pending":
        yield head
        return
    yield head[:-1]
    if status != "failed":
        yield b',"inferences":['
        yield from _listed(batches, batch, counts.completed, ("completed",), inference_json)
        yield b"]"
    if status != "completed" or counts.failed:
        yield b',"errors":['
        wanted = counts.failed + counts.cancelled
        yield from _listed(batches, batch, wanted, ("failed", "cancelled"), error_json)
        yield b"]"
    yield b"}"


def _listed(
    batches: Batches, batch: BatchRecord, wanted: int, states: tuple[str, ...], write: Any
) -> Iterator[bytes]:
    """The items in some states, with commas between them; stops when all are found."""
    total, start, found = batch.counts.total, 0, 0
    while start < total and found < wanted:
        results = batches.results(batch.batch_id, start, min(start + ITEMS_PER_READ, total))
        shown = [write(each) for each in results if each.item.state in states]
        if shown:
            yield (b"," if found else b"") + b",".join(map(encode_json, shown))
        found += len(shown)
        start += ITEMS_PER_READ


def inference_json(result: ItemResult) -> dict[str, Any]:
    """A completed item as `/inference` would have answered it."""
    item = result.item
    assert item.usage is not None, "a completed item has its usage"
    shown: dict[str, Any] = {
        "inference_id": item.inference_id,
        "episode_id": item.episode_id,
        "variant_name": item.variant_name,
    }
    if item.function_type == "chat":
        shown["content"] = [] if result.output is None else result.output
    else:
        shown["output"] = result.output or {"raw": None, "parsed": None}
    shown["usage"] = Fragment(item.usage) if result.has_record else None
    if item.finish_reason is not None:
        shown["finish_reason"] = item.finish_reason
    return shown


def error_json(result: ItemResult) -> dict[str, Any]:
    """A failed or cancelled item."""
    item = result.item
    return {
        "index": result.index,
        "inference_id": item.inference_id,
        "episode_id": item.episode_id,
        **_told(item),
    }


def item_json(batch_id: str, result: ItemResult) -> dict[str, Any]:
    """One item by itself."""
    item = result.item
    match item.state:
        case "pending" | "running":
            return {"status": "pending", "batch_id": batch_id, "inference_id": item.inference_id}
        case "completed":
            inferences = [inference_json(result)]
            return {"status": "completed", "batch_id": batch_id, "inferences": inferences}
        case "failed" | "cancelled":
            return {
                "status": item.state,
                "batch_id": batch_id,
                "inference_id": item.inference_id,
                "error": _told(item),
            }


def _told(item: BatchItem) -> dict[str, Any]:
    if item.state == "cancelled":
        return {"status": CANCELLED_STATUS, "message": CANCELLED_TEXT}
    assert item.error is not None, "a failed item has its error"
    return {"status": item.error.status, "message": item.error.message}
