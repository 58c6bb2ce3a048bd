"""Rows are checked, and have a variant before they are stored."""

from pathlib import Path

import pytest

from lsd.batches.checking import Checking
from lsd.inference import BadRequest, drawn_variant
from lsd.store import BatchItem
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.inference.gateway import Shelf, start_gateway
from tests.unit.inference.test_variants import DEFAULT


def checking_of(desk: Desk, *, draws_once: bool = False) -> Checking:
    """The check of a submission to a desk."""
    return Checking(
        inferences=desk.service.inferences,
        native=desk.service.native,
        shard=0,
        draws_once=draws_once,
        api_key_public_id=None,
    )


async def test_a_row_that_does_not_fit_is_refused(desk: Desk) -> None:
    """As alone."""
    with pytest.raises(BadRequest, match="stream"):
        await checking_of(desk).check(0, {**ITEM, "stream": True})


async def test_items_for_jobs_have_lines(native_desk: Desk) -> None:
    """By their index; their variant is the only one that may run."""
    checking = checking_of(native_desk)

    new = await checking.check(3, ITEM)

    assert list(checking.lines) == [3]
    assert new.item.drawn_variant == "v"
    assert checking.asked == {("chat", None): 1}


async def test_adaptive_draws_go_with_the_batch(tmp_path: Path, shelf: Shelf) -> None:
    """Candidates take their turns in its commit, and the items find what was drawn."""
    experiment = 'type = "adaptive"\nmetric = "good"\ncandidate_variants = ["a", "b"]\n'
    metric = '[metrics.good]\ntype = "boolean"\noptimize = "max"\nlevel = "inference"\n'
    text = f"{DEFAULT}[functions.chat.experimentation]\n{experiment}{metric}"
    gateway = start_gateway(tmp_path, text, shelf=shelf)
    checking = Checking(
        inferences=gateway.service, native=None, shard=0, draws_once=False, api_key_public_id=None
    )
    items = [(await checking.check(index, ITEM)).item for index in range(4)]
    for write in checking.assignments:
        await shelf.writer.commit(write)

    drawn = [
        await drawn_variant(gateway.accept(), item.episode_id, gateway.service.experiments)
        for item in items
    ]

    assert {item.first_variant for item in items} == {None}
    assert [variant and variant.name for variant in drawn] == ["a", "b", "a", "b"]


async def test_variants_are_drawn_at_the_submission(tmp_path: Path, shelf: Shelf) -> None:
    """Each row has its own, behind which others may run; or all have the same, and no other."""
    gateway = start_gateway(tmp_path, DEFAULT, shelf=shelf)

    async def items(*, draws_once: bool) -> list[BatchItem]:
        checking = Checking(
            inferences=gateway.service,
            native=None,
            shard=0,
            draws_once=draws_once,
            api_key_public_id=None,
        )
        return [(await checking.check(index, ITEM)).item for index in range(200)]

    rows, columns = await items(draws_once=False), await items(draws_once=True)

    assert {item.first_variant for item in rows} == {"a", "b", "c", "d"}
    assert all(item.model_name == item.first_variant for item in rows)
    assert {item.drawn_variant for item in rows} == {None}
    assert len({item.drawn_variant for item in columns}) == 1
    assert {item.first_variant for item in columns} == {None}
