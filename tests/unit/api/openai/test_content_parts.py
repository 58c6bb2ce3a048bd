"""Parts of messages in OpenAI's two APIs."""

from typing import Any

import pytest

from lsd.api.openai.content_parts import PartReader
from lsd.conversation import Base64File, Problem, Text, Unknown, UrlFile

PNG = "data:image/png;base64,iVBORw0KGgo="


def read(part: dict[str, Any]) -> tuple[Any, list[Problem]]:
    """The block that a part of an item becomes, and what is wrong with it."""
    reader = PartReader([])
    return reader.input_part(part, "p"), reader.problems


@pytest.mark.parametrize("kind", ["input_text", "output_text", "text"])
def test_texts_are_texts(kind: str) -> None:
    """Whoever has said them."""
    assert read({"type": kind, "text": "a"}) == (Text(text="a"), [])


def test_a_refusal_is_a_text() -> None:
    """As in chat completions."""
    assert read({"type": "refusal", "refusal": "no"}) == (Text(text="no"), [])


def test_images() -> None:
    """Here, or elsewhere."""
    here, _ = read({"type": "input_image", "image_url": PNG, "detail": "low"})
    there, _ = read({"type": "input_image", "image_url": "https://a/b.png", "detail": "auto"})

    assert here == Base64File(data="iVBORw0KGgo=", mime_type="image/png", detail="low")
    assert isinstance(there, UrlFile)
    assert (there.url, there.detail) == ("https://a/b.png", "auto")


def test_files() -> None:
    """With their names."""
    data = "data:application/pdf;base64,JVBERi0="
    here, _ = read({"type": "input_file", "file_data": data, "filename": "a.pdf"})
    there, _ = read({"type": "input_file", "file_url": "https://a/b.pdf"})

    assert here == Base64File(data="JVBERi0=", mime_type="application/pdf", filename="a.pdf")
    assert there == UrlFile(url="https://a/b.pdf")


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"type": "input_image", "file_id": "file-1"}, "p.file_id"),
        ({"type": "input_file", "file_id": "file-1"}, "p.file_id"),
        ({"type": "input_image", "image_url": "ftp://a"}, "p.image_url"),
        ({"type": "input_file", "file_data": "JVBERi0="}, "p.file_data"),
        ({"type": "input_file", "file_url": "ftp://a"}, "p.type"),
        ({"type": "input_audio", "input_audio": {"data": "?"}}, "p.input_audio.data"),
        ({"type": "image_url"}, "p.type"),
        ({}, "p.type"),
    ],
)
def test_what_cannot_be_read_is_kept_and_noted(part: dict[str, Any], path: str) -> None:
    """With its path."""
    block, problems = read(part)

    assert block == Unknown(data=part)
    assert [problem.path for problem in problems] == [path]


def test_parts_of_the_two_apis_are_not_mixed_up() -> None:
    """Each has its own names."""
    reader = PartReader([])

    reader.part({"type": "input_image", "image_url": PNG}, "p")

    assert [problem.path for problem in reader.problems] == ["p.type"]


@pytest.mark.parametrize("detail", [["low"], {}, 1, "huge"])
def test_a_detail_that_is_none_is_not_told(detail: Any) -> None:
    """The picture is there all the same."""
    image = {"type": "image_url", "image_url": {"url": PNG, "detail": detail}}

    assert PartReader([]).part(image, "p") == Base64File(data="iVBORw0KGgo=", mime_type="image/png")
