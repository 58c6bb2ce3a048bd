"""Which items are lines, and the files that are made of them."""

import attrs
import pytest

from lsd.batches import NativeCalls, native_start
from lsd.batches.native_start import NativeLine, is_native, native_line, start_jobs
from lsd.batches.refusals import NativeStartsFailed
from lsd.store import NewItem
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.inference.fake_providers import Script
from tests.unit.inference.gateway import request
from tests.unit.store.makers import Maker

FILE = Script(body=(b'{"id":"f"}',))
JOB = Script(body=(b'{"id":"b","status":"validating"}',))


def line_of(desk: Desk, new: NewItem) -> NativeLine:
    """The line of an item."""
    accepted = desk.gateway.service.accept(request(**ITEM, variant_name="v"), None)
    assert accepted.pinned is not None
    assert is_native(desk.gateway.prepared, accepted.pinned)
    line = native_line(desk.gateway.service, new.item, accepted, accepted.pinned)
    assert line is not None
    return line


async def test_a_file_is_cut_where_it_would_be_too_large(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a job, and a part."""
    monkeypatch.setattr(native_start, "LINES_MAX", 2)
    desk.provider.will(FILE, JOB, FILE, JOB)
    items = [Maker().new_item() for _ in range(3)]
    lines = {index: line_of(desk, new) for index, new in enumerate(items)}

    started = await start_jobs(NativeCalls(desk.gateway.prepared), "x", items, lines, 5)

    assert [new.item.part for new in started.items] == [0, 0, 1]
    assert {new.item.state for new in started.items} == {"running"}
    assert [part.job_id for part in started.parts] == ["b", "b"]
    assert len(desk.provider.requests) == 4


async def test_without_another_provider_nothing_is_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs that had begun are cancelled."""
    monkeypatch.setattr(native_start, "LINES_MAX", 1)
    desk.provider.will(FILE, JOB, Script(status=500), JOB)
    items = [Maker().new_item() for _ in range(2)]
    lines = {index: line_of(desk, new) for index, new in enumerate(items)}

    with pytest.raises(NativeStartsFailed, match="500"):
        await start_jobs(NativeCalls(desk.gateway.prepared), "x", items, lines, 5)

    assert desk.provider.requests[-1].url.endswith("/batches/b/cancel")


async def test_lsd_goes_on_behind_a_provider_that_refuses(desk: Desk) -> None:
    """At the next place of the routing."""
    desk.provider.will(Script(status=500))
    new = Maker().new_item()
    line = line_of(desk, new)
    two = attrs.evolve(line.model, providers=line.model.providers * 2)

    started = await start_jobs(
        NativeCalls(desk.gateway.prepared), "x", [new], {0: attrs.evolve(line, model=two)}, 5
    )

    assert (started.items[0].item.state, started.items[0].item.first_provider) == ("pending", 1)
    assert started.parts == []
