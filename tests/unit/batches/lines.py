"""Lines for the batch API of the usual provider."""

from lsd.batches.native_lines import NativeLine, native_line
from lsd.store import NewItem
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.inference.gateway import request


async def line_of(desk: Desk, new: NewItem, place: int = 0) -> NativeLine:
    """The line of an item for the provider at a place of the routing."""
    accepted = desk.gateway.service.accept(request(**ITEM, variant_name="v"), None)
    assert accepted.pinned is not None
    line = await native_line(desk.gateway.service, new.item, accepted, accepted.pinned, place)
    assert line is not None
    return line
