"""One item runs."""

from typing import Any

import attrs
import pytest

from lsd.store import BatchItem, ClaimedItem
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.captured_log import Log
from tests.unit.inference.fake_providers import says


async def claimed(desk: Desk, row: Any = ITEM) -> ClaimedItem:
    """An item of this row, claimed."""
    await desk.submit(row)
    claim = desk.store.batches.claim(items_max=1, running_max=9, now_ms=1)
    desk.store.data.write(claim.apply)
    (item,) = claim.items
    return item


async def run(desk: Desk, item: ClaimedItem) -> BatchItem:
    """The item after its run, committed."""
    after, records = await desk.work.runner.run(item)
    await desk.writer.commit(desk.store.batches.finish(item, after, records))
    return after


async def test_an_item_runs_under_its_own_ids(desk: Desk) -> None:
    """Its record is one of an inference like any other."""
    desk.provider.will(says("Yes"))
    item = await claimed(desk, {**ITEM, "tags": {"a": "b"}})

    after = await run(desk, item)

    record = await desk.gateway.stored(item.item.inference_id)
    assert record is not None
    assert (after.state, after.variant_name) == ("completed", "v")
    assert (record.episode_id, record.tags) == (item.item.episode_id, {"a": "b"})
    assert record.ttft_ms is None


async def test_what_is_gone_from_the_configuration_is_not_found(desk: Desk) -> None:
    """Functions, functions of another type, variants, and models."""
    item = await claimed(desk)
    changes: list[dict[str, Any]] = [
        {"function_name": "gone"},
        {"function_type": "json"},
        {"drawn_variant": "gone"},
    ]
    gone = [attrs.evolve(item, item=attrs.evolve(item.item, **change)) for change in changes]
    gone.append(attrs.evolve(item, request=b'{"model_name":"gone","input":{}}'))

    outcomes = [(await desk.work.runner.run(each))[0] for each in gone]

    assert [each.error and each.error.status for each in outcomes] == [404] * 4
    assert desk.provider.requests == []
    await run(desk, gone[0])


async def test_a_drawn_variant_has_no_other_behind_it(desk: Desk) -> None:
    """It is not pinned all the same, so there is no tag that says so."""
    desk.provider.will(says("Yes"))
    item = await claimed(desk)
    drawn = attrs.evolve(item, item=attrs.evolve(item.item, drawn_variant="v"))

    await run(desk, drawn)

    record = await desk.gateway.stored(item.item.inference_id)
    assert record is not None
    assert record.tags == {}


async def test_a_bug_fails_its_item(desk: Desk, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else; the log has the rest."""
    item = await claimed(desk)
    broken = attrs.evolve(item, request=b"5")

    after = await run(desk, broken)

    assert after.error is not None
    assert after.error.status == 500
    assert [entry["event"] for entry in log] == ["a batch item met a bug"]
