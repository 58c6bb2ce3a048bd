"""Files become the parts that chat completions have for them."""

from typing import Any

import pytest

from lsd.conversation import Base64File, StoredFile, UrlFile
from tests.unit.providers.recorded import body, make_dialect, refused, request, warned

URL = "https://x.example/f"


def part(file: Any, provider_type: str = "openai", **keys: Any) -> Any:
    """The part that this file becomes."""
    message = body(make_dialect(provider_type, **keys), request([file]))["messages"][0]
    return message["content"][0]


def inlined(mime_type: str, **fields: Any) -> Base64File:
    """A file whose bytes are at hand."""
    return Base64File(data="aGk=", mime_type=mime_type, **fields)


@pytest.mark.parametrize(
    ("mime_type", "forwarded"),
    [
        (None, True),
        ("image/png", True),
        ("IMAGE/JPEG; q=1", True),
        ("application/pdf", False),
        ("audio/wav", False),
    ],
)
def test_only_images_are_left_to_the_provider_to_fetch(
    mime_type: str | None, forwarded: bool
) -> None:
    """Case 12: a forwarded URL is sent as it is; all other files are needed as bytes."""
    file = UrlFile(url=URL, mime_type=mime_type)

    assert make_dialect().forwards(file) is forwarded
    if forwarded:
        assert part(file) == {"type": "image_url", "image_url": {"url": URL}}
    else:
        assert refused(make_dialect(), request([file])) == (
            f"openai: the file at {URL} is {mime_type}; only images are sent as a URL"
        )


def test_a_url_without_a_type_is_sent_with_a_warning() -> None:
    """It may well be no image, and then the provider will say so."""
    assert warned(make_dialect(), request([UrlFile(url=URL)])) == ["mime_type"]
    assert warned(make_dialect(), request([UrlFile(url=URL, mime_type="image/png")])) == []


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            inlined("image/gif"),
            {"type": "image_url", "image_url": {"url": "data:image/gif;base64,aGk="}},
        ),
        (
            inlined("image/png", detail="low"),
            {
                "type": "image_url",
                "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"},
            },
        ),
        (
            inlined("audio/mpeg"),
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        ),
        (
            inlined("Audio/X-WAV"),
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        ),
        (
            inlined("application/pdf"),
            {
                "type": "file",
                "file": {"filename": "input.pdf", "file_data": "data:application/pdf;base64,aGk="},
            },
        ),
        (
            inlined("text/plain", filename="notes"),
            {
                "type": "file",
                "file": {"filename": "notes", "file_data": "data:text/plain;base64,aGk="},
            },
        ),
        (
            inlined("application/zip", filename="a.zip"),
            {
                "type": "file",
                "file": {"filename": "a.zip", "file_data": "data:application/zip;base64,aGk="},
            },
        ),
        (
            StoredFile(storage_path={}, mime_type="image/png", data="aGk="),
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        ),
    ],
)
def test_bytes_are_inlined_by_their_type(file: Any, expected: Any) -> None:
    """Case 12: images, audio and all other files have a part each; a name is kept or made."""
    assert part(file) == expected


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (
            inlined("audio/basic"),
            "found audio of type audio/basic; no format of it is known",
        ),
        (
            inlined("application/zip"),
            "found a file of type application/zip without a name; wanted its `filename`",
        ),
        (
            StoredFile(storage_path={}, mime_type="image/png"),
            "the bytes of a stored file are not at hand",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_type(file: Any, reason: str) -> None:
    """A file that has no part is an error before anything is sent, not a puzzle after it."""
    assert refused(make_dialect(), request([file])) == f"openai: {reason}"


def test_a_type_may_be_given_another_part() -> None:
    """Case 13: `content_type_overrides` beats the table, for inlined bytes."""
    overrides = {"application/pdf": "image_url", "image/png": "file", "video/mp4": "input_audio"}

    pdf = part(inlined("application/pdf"), content_type_overrides=overrides)
    png = part(inlined("image/png"), content_type_overrides=overrides)
    linked = part(UrlFile(url=URL, mime_type="image/png"), content_type_overrides=overrides)

    assert pdf["image_url"] == {"url": "data:application/pdf;base64,aGk="}
    assert png["file"]["filename"] == "input.png"
    assert linked == {"type": "image_url", "image_url": {"url": URL}}


def test_detail_is_for_images() -> None:
    """Files of other kinds have no detail to choose; it is left out with a warning."""
    file = inlined("application/pdf", detail="high")

    assert "detail" not in str(part(file))
    assert warned(make_dialect(), request([file])) == ["detail"]
