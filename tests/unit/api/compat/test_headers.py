"""Headers of compatible requests."""

import pytest

from lsd.api.compat.headers import check_media_type, header_tags, wants_dryrun
from lsd.api.compat.troubles import MediaTypeUnknown
from lsd.conversation import Malformed


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.api+json",
        "",
    ],
)
def test_json_is_taken_however_it_is_called(kind: str) -> None:
    """Case 39: absent, or any kind of JSON."""
    check_media_type({"content-type": kind})
    check_media_type({})


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "image/svg+json"])
def test_anything_else_is_refused(kind: str) -> None:
    """Case 39."""
    with pytest.raises(MediaTypeUnknown, match="wanted application/json"):
        check_media_type({"content-type": kind})


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("a=1", {"a": "1"}),
        ("a=1,b=2", {"a": "1", "b": "2"}),
        (" a = 1 , b=x%2Cy%3Dz,", {"a ": " 1", "b": "x,y=z"}),
        ("a=", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("", {}),
    ],
)
def test_tags_may_come_in_a_header(header: str, tags: dict[str, str]) -> None:
    """For clients that can set headers, but no fields."""
    assert header_tags({"x-lsd-tags": header}) == tags


@pytest.mark.parametrize("header", ["a", "=1", "a=1,b"])
def test_a_tag_without_key_or_value_is_refused(header: str) -> None:
    """The error shows what was found."""
    with pytest.raises(Malformed, match="x-lsd-tags: found"):
        header_tags({"x-lsd-tags": header})


def test_a_dry_run_may_be_asked_for_in_a_header() -> None:
    """Only by the word true."""
    assert wants_dryrun({"x-lsd-dryrun": "True"})
    assert not wants_dryrun({"x-lsd-dryrun": "1"})
    assert not wants_dryrun({})
