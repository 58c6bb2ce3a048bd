"""How routes read."""

from lsd.api import Reading
from lsd.store import Store, Writer
from tests.unit.store.makers import Maker


async def test_what_was_queued_is_read(
    reading: Reading, store: Store, writer: Writer, make: Maker
) -> None:
    """And the reader's own errors come through."""
    record = make.inference()
    writer.queue_nowait(store.inferences.record(record))

    assert await reading.read(lambda: store.inferences.exists(record.inference_id))
    reading.names.require_function("write_haiku")
