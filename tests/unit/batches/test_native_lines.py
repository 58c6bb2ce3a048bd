"""Which items are lines, and the files that are made of them."""

import pytest

from lsd.batches import native_lines
from lsd.batches.native_lines import in_files, is_native, native_line
from lsd.conversation import decode_json
from tests.unit.batches.desk import ITEM, Desk
from tests.unit.batches.lines import line_of
from tests.unit.inference.gateway import request
from tests.unit.store.makers import Maker


async def test_a_line_is_the_body_of_a_plain_call(desk: Desk) -> None:
    """Under the id of its inference."""
    new = Maker().new_item()

    line = decode_json((await line_of(desk, new)).text)

    assert line["custom_id"] == new.item.inference_id
    assert line["body"]["messages"] == [{"role": "user", "content": "Hi"}]


async def test_what_a_file_cannot_carry_is_no_line(desk: Desk) -> None:
    """Headers of the caller's own."""
    headers = [{"name": "x-mine", "value": "1"}]
    asked = request(**ITEM, variant_name="v", extra_headers=headers)
    accepted = desk.gateway.service.accept(asked, None)
    assert accepted.pinned is not None

    assert is_native(desk.gateway.prepared, accepted.pinned)
    item = Maker().new_item().item
    assert await native_line(desk.gateway.service, item, accepted, accepted.pinned) is None


async def test_a_file_is_cut_where_it_would_be_too_large(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its lines, and by its bytes."""
    items = [Maker().new_item() for _ in range(3)]
    lines = {index: await line_of(desk, new) for index, new in enumerate(items)}
    monkeypatch.setattr(native_lines, "LINES_MAX", 2)
    assert [list(file) for file in in_files(lines)] == [[0, 1], [2]]

    monkeypatch.setattr(native_lines, "FILE_BYTES_MAX", len(lines[0].text) + 1)
    assert [list(file) for file in in_files(lines)] == [[0], [1], [2]]
