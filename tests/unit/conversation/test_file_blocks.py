"""File blocks: where a file is, and how that is told."""

import base64
from typing import Any

import pytest

from lsd.conversation import Base64File, File, Input, StoredFile, UrlFile
from tests.unit.conversation.reading import INPUTS, problems, read_input

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
ONE_OF_FOUR = "wanted one of url, base64, object_storage_pointer, object_storage"
STORED = {"storage_path": {"kind": "filesystem", "path": "a/b"}, "mime_type": "image/png"}


def asked(fields: dict[str, Any]) -> dict[str, Any]:
    """An input with one file block."""
    return {"messages": [{"role": "user", "content": [{"type": "file", **fields}]}]}


def file(**fields: Any) -> Any:
    """The file that such a block makes."""
    ((made,),) = (message.content for message in read_input(asked(fields)).messages)
    return made


def flaws(**fields: Any) -> list[str]:
    """What is wrong with such a block; the place of the block is left out."""
    told = problems(INPUTS, asked(fields), Input)
    return [each.removeprefix("messages[0].content[0]").lstrip(".: ") for each in told]


@pytest.mark.parametrize(
    ("fields", "made"),
    [
        ({"url": "https://x/y.png"}, UrlFile(url="https://x/y.png")),
        (
            {"url": "https://x/y", "mime_type": "image/png", "detail": "low", "filename": "y.png"},
            UrlFile(url="https://x/y", mime_type="image/png", detail="low", filename="y.png"),
        ),
        ({"data": PNG}, Base64File(data=PNG, mime_type="image/png")),
        (
            {"data": PNG, "mime_type": "image/x-mine", "detail": "auto", "filename": "a"},
            Base64File(data=PNG, mime_type="image/x-mine", detail="auto", filename="a"),
        ),
        ({"data": PNG, "mime_type": None}, Base64File(data=PNG, mime_type="image/png")),
        (STORED, StoredFile(**STORED)),
        (
            {**STORED, "source_url": "https://x/y", "detail": "high", "filename": "f"},
            StoredFile(**STORED, source_url="https://x/y", detail="high", filename="f"),
        ),
        ({**STORED, "data": PNG}, StoredFile(**STORED, data=PNG)),
    ],
)
def test_the_fields_tell_where_the_file_is(fields: dict[str, Any], made: File) -> None:
    """At a URL, in the block itself, or in the store; `file_type` may say so as well."""
    file_type = {UrlFile: "url", Base64File: "base64", StoredFile: "object_storage_pointer"}
    said = "object_storage" if "storage_path" in fields and "data" in fields else None

    assert file(**fields) == made
    assert file(**fields, file_type=None) == made
    assert file(**fields, file_type=said or file_type[type(made)]) == made


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, f"found `file_type` null; {ONE_OF_FOUR}"),
        ({"url": "https://x", "data": PNG}, f"found `file_type` null; {ONE_OF_FOUR}"),
        ({"file_type": "disk"}, f'found `file_type` "disk"; {ONE_OF_FOUR}'),
        ({"file_type": ["url"]}, f"found `file_type` an array of 1; {ONE_OF_FOUR}"),
        ({"file_type": "url"}, "url: missing; it is required"),
        ({"file_type": "url", "url": None}, "url: found null; wanted a string"),
        ({"file_type": "base64"}, "data: missing; it is required"),
        ({"url": "https://x", "detail": "max"},
         'detail: found "max"; wanted one of "low", "high", "auto"'),
        ({"url": "https://x", "size": 1},
         "size: unknown key; known keys: detail, filename, mime_type, url"),
        ({"storage_path": "a"}, "mime_type: missing; it is required"),
        ({**STORED, "storage_path": None},
         "storage_path: found null; wanted the path of a stored file"),
        ({**STORED, "file_type": "object_storage"},
         "data: found nothing; wanted the file in base64, as its type has it"),
        ({**STORED, "file_type": "object_storage_pointer", "data": "AAAA"},
         'data: found "AAAA"; wanted no data with this type'),
    ],
)  # fmt: skip
def test_a_file_that_is_nowhere_or_twice_is_refused(fields: dict[str, Any], told: str) -> None:
    """Nothing is guessed."""
    assert told in flaws(**fields)


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", "DATA:;base64,", "data:"])
def test_a_data_url_is_not_base64(prefix: str) -> None:
    """The bare text is wanted."""  # case 22
    assert flaws(data=prefix + PNG, mime_type="image/png") == [
        "found `data` that starts with `data:`; wanted bare base64, without that prefix"
    ]


@pytest.mark.parametrize("data", ["AAAAAAAA", "", "AAAA\r\nAAAA\n"])
def test_bytes_of_no_known_kind_need_their_type(data: str) -> None:
    """With a type they are taken as they are."""  # case 22
    assert flaws(data=data) == [
        "found no `mime_type`, and bytes of no known kind; wanted the file's `mime_type`"
    ]
    assert file(data=data, mime_type="text/plain") == Base64File(data=data, mime_type="text/plain")


@pytest.mark.parametrize("data", ["!!!", "AAA", "AA-_", "A=AA", "é"])
def test_data_that_is_not_base64_is_refused(data: str) -> None:
    """Else other bytes would be kept than the caller meant."""
    told = f'data: found "{data}"; wanted bare base64'

    assert flaws(data=data, mime_type="image/png") == [told]
    assert flaws(**{**STORED, "data": data}) == [told]
