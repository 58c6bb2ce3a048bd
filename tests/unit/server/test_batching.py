"""Batches under one configuration."""

import pytest

from lsd.batches import QueueWork
from lsd.server.assembly import assemble
from lsd.server.equipment import Equipment
from lsd.server.kept import open_kept
from lsd.telemetry import Metrics, SystemClock
from tests.unit.config.folder import Folder


async def work_of(folder: Folder, text: str) -> QueueWork | None:
    """How this configuration wants items run."""
    loaded, clock, metrics = folder.load(text), SystemClock(), Metrics(())
    kept = open_kept(loaded, clock, metrics)
    assert kept is not None
    try:
        equipment = Equipment.of(loaded, kept, clock, metrics)
        work = assemble(loaded, equipment).queue_work
        await equipment.transport.aclose()
        return work
    finally:
        kept.store.close()


@pytest.mark.parametrize(("text", "running_max"), [("", 8), ("max_concurrency = 3", 3)])
async def test_items_run_as_the_configuration_says(
    folder: Folder, text: str, running_max: int
) -> None:
    """So many at once, each as often as it says."""
    work = await work_of(folder, f"[gateway.batch_inference]\nitem_max_attempts = 7\n{text}")

    assert work is not None
    assert (work.running_max, work.runner.decider.attempts_max) == (running_max, 7)


@pytest.mark.parametrize(("text", "most"), [("", None), ("max_concurrency_per_model = 2", 2)])
async def test_models_may_have_a_bound_of_their_own(
    folder: Folder, text: str, most: int | None
) -> None:
    """Or none."""
    work = await work_of(folder, f"[gateway.batch_inference]\n{text}")

    assert work is not None
    assert work.model_running_max == most


async def test_without_records_nothing_runs(folder: Folder) -> None:
    """There would be no place for the results."""
    assert await work_of(folder, "[gateway.observability]\nenabled = false\n") is None
