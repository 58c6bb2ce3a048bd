"""What kind of file some bytes are, told by how they begin."""

import base64
import binascii

HEAD_LENGTH = 64
"""Base64 characters that are looked at; every signature below lies within their 48 bytes."""

ANY_IMAGE = "image/*"
"""The type of an image of which only the URL is known."""

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (4, b"ftypM4A", "audio/m4a"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt  ", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"PK\x03\x04", "application/zip"),
)
"""Offset, bytes, type; the first that fits counts. Source: the formats' own specifications."""


def mime_type_of(head: bytes) -> str | None:
    """The MIME type of a file that begins with `head`; None if it is of no known kind."""
    for offset, signature, mime_type in _SIGNATURES:
        if head.startswith(signature, offset):
            return mime_type
    return None


def mime_type_of_base64(data: str) -> str | None:
    """The same for bare base64 text."""
    try:
        return mime_type_of(base64.b64decode(data[:HEAD_LENGTH], validate=True))
    except (binascii.Error, ValueError):
        return None


def is_base64(data: str) -> bool:
    """Whether `data` is bare base64; it may be broken into lines."""
    try:
        binascii.a2b_base64("".join(data.split()), strict_mode=True)
    except ValueError:
        return False
    return True
