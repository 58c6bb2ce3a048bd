"""What kind of file some bytes are."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import mime_type_of, mime_type_of_base64
from lsd.conversation.files import HEAD_LENGTH

HEADS = [
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
    (b"GIF89a\x01\x00", "image/gif"),
    (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
    (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"),
    (b"%PDF-1.7\n", "application/pdf"),
    (b"ID3\x04\x00", "audio/mpeg"),
    (b"\xff\xfb\x90\x64", "audio/mpeg"),
    (b"\xff\xf1\x50\x80", "audio/aac"),
    (b"OggS\x00\x02", "audio/ogg"),
    (b"fLaC\x00\x00", "audio/flac"),
    (b"\x00\x00\x00\x20ftypM4A \x00\x00", "audio/m4a"),
    (b"\x00\x00\x00\x20ftypisom\x00\x00", "video/mp4"),
    (b"\x00\x00\x00\x18ftypheic\x00\x00", "image/heic"),
    (b"\x00\x00\x00\x1cftypavif\x00\x00", "image/avif"),
    (b"\x00\x00\x00\x14ftypqt  \x00\x00", "video/quicktime"),
    (b"\x1aE\xdf\xa3\x9fB\x86", "video/webm"),
    (b"BM\x36\x00", "image/bmp"),
    (b"II*\x00\x08\x00", "image/tiff"),
    (b"PK\x03\x04\x14\x00", "application/zip"),
]


@pytest.mark.parametrize(("head", "mime_type"), HEADS)
def test_a_file_is_known_by_how_it_begins(head: bytes, mime_type: str) -> None:
    """The first bytes tell the type, as they are and in base64, however long the file is."""
    whole = head + bytes(1000)

    assert mime_type_of(head) == mime_type
    assert mime_type_of(whole) == mime_type
    assert mime_type_of_base64(base64.b64encode(head).decode()) == mime_type
    assert mime_type_of_base64(base64.b64encode(whole).decode()) == mime_type


@pytest.mark.parametrize("head", [b"", b"hello", b"\x89PN", b"RIFF\x24\x00\x00\x00AVI ", bytes(64)])
def test_other_bytes_are_of_no_known_kind(head: bytes) -> None:
    """Nothing is guessed: whoever sends such a file has to say what it is."""
    assert mime_type_of(head) is None
    assert mime_type_of_base64(base64.b64encode(head).decode()) is None


@pytest.mark.parametrize(
    "data", ["", "iVBORw0KGgo", "not base64!", "data:image/png;base64,iVBORw0KGgo=", "é"]
)
def test_what_is_no_base64_is_of_no_known_kind(data: str) -> None:
    """A broken text is not looked at any further."""
    assert mime_type_of_base64(data) is None


def test_only_the_beginning_is_decoded() -> None:
    """What comes later may be anything, and costs nothing."""
    head = base64.b64encode(HEADS[0][0] + bytes(HEAD_LENGTH)).decode()[:HEAD_LENGTH]

    assert mime_type_of_base64(head + "!" * 10**6) == "image/png"


@given(st.binary(max_size=80), st.text(max_size=80))
def test_any_bytes_and_texts_can_be_asked_about(head: bytes, data: str) -> None:
    """There is always an answer, and base64 changes nothing about it."""
    assert mime_type_of_base64(base64.b64encode(head).decode()) == mime_type_of(head[:48])
    mime_type_of_base64(data)
