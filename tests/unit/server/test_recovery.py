"""What a process that has died leaves to the next one."""

from lsd.server.kept import open_kept
from lsd.server.recovery import recover_batches
from lsd.store import NewItem
from lsd.telemetry import Metrics, SystemClock
from tests.unit.config.folder import Folder
from tests.unit.store.makers import Maker, put


def test_a_start_puts_back_what_was_running(folder: Folder) -> None:
    """And fails what needs credentials that nobody has any more."""
    clock, make = SystemClock(), Maker()
    kept = open_kept(folder.load(""), clock, Metrics(()))
    assert kept is not None
    batch = make.batch()
    items: list[NewItem] = [make.new_item(), make.new_item(holder=0), make.new_item()]
    put(kept.store, kept.store.batches.submit(batch, items))
    kept.store.data.write(kept.store.batches.claim(items_max=1, running_max=1, now_ms=0).apply)

    recover_batches(kept.store, 3, clock)
    first, second, third = kept.store.batches.results(batch.batch_id, 0, 3)
    kept.store.close()

    assert (first.item.state, first.item.crashes) == ("pending", 1)
    assert second.item.error is not None
    assert second.item.error.status == 400
    assert third.item.crashes == 0
