"""What batch APIs have in common."""

import pytest

from lsd.conversation import AttemptFailed
from lsd.providers import BatchFile
from lsd.providers.batch_api import LINE_SHOWN_MAX, answered_object, bad_row, objects_in, text_field


def test_files_of_a_batch_have_names_of_their_own() -> None:
    """The first, and mostly only one, is called like the batch."""
    names = [BatchFile(batch_id="b", number=number).name for number in range(3)]

    assert names == ["b", "b-1", "b-2"]


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"{"), (200, b"[]")])
def test_what_is_no_object_is_a_failure(status: int, body: bytes) -> None:
    """An error, no JSON, or another kind of value."""
    with pytest.raises(AttemptFailed, match="openai"):
        answered_object("openai", status, {}, body)


def test_a_field_that_is_missing_is_named() -> None:
    """So that it can be looked for in what the provider says."""
    assert text_field("openai", {"id": "f"}, "id") == "f"
    with pytest.raises(AttemptFailed, match="found no id"):
        text_field("openai", {"id": 7}, "id")


def test_what_is_no_object_of_a_list_is_passed_over() -> None:
    """The rest of a page is read all the same."""
    assert objects_in({"data": [{"id": "a"}, 5, None, {"id": "b"}]}, "data") == [
        {"id": "a"},
        {"id": "b"},
    ]
    assert objects_in({"data": {}}, "data") == objects_in({}, "data") == []


def test_a_line_that_cannot_be_read_is_shown_in_part() -> None:
    """A line may have megabytes; whose it is may be seen all the same."""
    row = bad_row(b'{"id" : "i", "x":"' + b"x" * 10_000, "id")

    assert (row.inference_id, row.is_bad, row.body) == ("i", True, None)
    assert len(str(row.error)) < LINE_SHOWN_MAX + 50
    assert bad_row(b"nonsense", "id").inference_id == ""
