"""Batches over HTTP."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from lsd.api import Batches
from lsd.api import batches as batches_module
from lsd.batches import Submission, UnknownBatch
from lsd.conversation import decode_json
from lsd.store import BatchRecord, ItemCounts
from tests.unit.api.endpoints import quart_of
from tests.unit.api.in_memory import ask

ID = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
OTHER = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e45"


@attrs.define(eq=False)
class FakeBatches:
    """Remembers what it was asked; has one batch."""

    asked: list[Any] = attrs.field(factory=list)

    async def submit(
        self, submission: Submission, *, api_key_public_id: str | None
    ) -> dict[str, Any]:
        self.asked.append((submission.shape, len(submission.rows), api_key_public_id))
        return {"batch_id": ID}

    async def refresh(self, batch_id: str) -> None:
        self.get(batch_id)

    def get(self, batch_id: str) -> BatchRecord:
        if batch_id != ID:
            raise UnknownBatch(batch_id)
        return BatchRecord(batch_id=ID, created_ms=1, shape="rows", counts=ItemCounts(completed=3))

    def pieces(self, _batch: BatchRecord) -> Iterator[bytes]:
        return iter([b'{"status":', b'"completed"', b"}"])

    async def item(self, batch_id: str, inference_id: str) -> dict[str, Any]:
        self.asked.append((batch_id, inference_id))
        return {"status": "pending"}

    async def cancel(self, batch_id: str) -> None:
        self.get(batch_id)
        self.asked.append(("cancel", batch_id))


@pytest.fixture
def batches() -> FakeBatches:
    """The service behind the routes."""
    return FakeBatches()


@pytest.fixture
def app(batches: FakeBatches) -> Any:
    """The application with the routes of batches."""
    endpoints = Batches(batches, 2).endpoints()  # type: ignore[arg-type]
    return quart_of(*endpoints, body_bytes_max=1 << 20)


async def test_batches_are_submitted(app: Any, batches: FakeBatches) -> None:
    """Up to their bound."""
    answer = await ask(app, "POST", "/batch_inference", body=b"[{},{}]")
    refused = await ask(app, "POST", "/batch_inference", body=b"[{},{},{}]")

    assert decode_json(answer.body) == {"batch_id": ID}
    assert batches.asked == [("rows", 2, None)]
    assert refused.status == 400


@pytest.mark.parametrize("whole_items_max", [2, 3])
async def test_batches_are_shown(
    app: Any, whole_items_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small ones whole, large ones in pieces; to the client it is the same."""
    monkeypatch.setattr(batches_module, "WHOLE_ITEMS_MAX", whole_items_max)

    answer = await ask(app, "GET", f"/batch_inference/{ID}")

    assert (answer.status, answer.body) == (200, b'{"status":"completed"}')
    assert ("content-length" in answer.headers) == (whole_items_max == 3)


async def test_items_are_shown(app: Any, batches: FakeBatches) -> None:
    """Ids may come in the forms of other endpoints."""
    foreign = f"chatcmpl-{OTHER.replace('-', '')}"

    answer = await ask(app, "GET", f"/batch_inference/{ID}/inference/{foreign}")

    assert decode_json(answer.body) == {"status": "pending"}
    assert batches.asked == [(ID, OTHER)]


async def test_batches_are_cancelled(app: Any, batches: FakeBatches) -> None:
    """The answer is the batch, and the body does not matter."""
    answer = await ask(app, "POST", f"/batch_inference/{ID}/cancel", body=b"{nonsense")
    unknown = await ask(app, "POST", f"/batch_inference/{OTHER}/cancel")

    assert answer.body == b'{"status":"completed"}'
    assert batches.asked == [("cancel", ID)]
    assert unknown.status == 404
