"""File blocks of a request: where the file is told by `file_type` or by the fields there are."""

from typing import Any

import attrs
from cattrs import Converter

from lsd.conversation.content import Base64File, Detail, File, StoredFile, UrlFile
from lsd.conversation.files import is_base64, mime_type_of_base64
from lsd.conversation.json import describe_json
from lsd.conversation.problems import Mismatch, at

_FILE_TYPES = ("url", "base64", "object_storage_pointer", "object_storage")


@attrs.frozen(kw_only=True)
class _UrlFile:
    url: str
    mime_type: str | None = None
    detail: Detail | None = None
    filename: str | None = None


@attrs.frozen(kw_only=True)
class _Base64File:
    data: str
    mime_type: str | None = None
    detail: Detail | None = None
    filename: str | None = None


def read_file(converter: Converter, fields: dict[str, Any]) -> File:
    """The file block that these fields make; `file_type` may be left to them."""
    file_type = fields.pop("file_type", None)
    if file_type is None:
        file_type = _file_type_by_fields(fields)
    if file_type not in _FILE_TYPES:
        raise Mismatch(
            f"`file_type` {describe_json(file_type)}", f"one of {', '.join(_FILE_TYPES)}"
        )
    if file_type == "url":
        return UrlFile(**attrs.asdict(converter.structure(fields, _UrlFile)))
    if file_type == "base64":
        return _base64_file(converter.structure(fields, _Base64File))
    return _checked(converter.structure(fields, StoredFile), file_type)


def _checked(file: StoredFile, file_type: str) -> StoredFile:
    if file.storage_path is None:
        raise at("storage_path", Mismatch("null", "the path of a stored file"))
    if file.data is None and file_type == "object_storage":
        raise at("data", Mismatch("nothing", "the file in base64, as its type has it"))
    if file.data is not None and file_type == "object_storage_pointer":
        raise at("data", Mismatch(describe_json(file.data), "no data with this type"))
    if file.data is not None:
        _check_base64(file.data)
    return file


def _file_type_by_fields(fields: dict[str, Any]) -> str | None:
    if "storage_path" in fields:
        return "object_storage" if fields.get("data") is not None else "object_storage_pointer"
    if "url" in fields:
        return None if "data" in fields else "url"
    return "base64" if "data" in fields else None


def _base64_file(file: _Base64File) -> Base64File:
    if file.data[:5].lower() == "data:":
        raise Mismatch("`data` that starts with `data:`", "bare base64, without that prefix")
    mime_type = file.mime_type or mime_type_of_base64(file.data)
    if mime_type is None:
        raise Mismatch("no `mime_type`, and bytes of no known kind", "the file's `mime_type`")
    _check_base64(file.data)
    return Base64File(
        data=file.data, mime_type=mime_type, detail=file.detail, filename=file.filename
    )


def _check_base64(data: str) -> None:
    """What is kept of the file are its bytes, so there have to be some that `data` stands for."""
    if not is_base64(data):
        raise at("data", Mismatch(describe_json(data), "bare base64"))
