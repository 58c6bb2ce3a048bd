"""Files of a request to Bedrock: images and documents, each with its format in place of a type."""

from lsd.conversation import File
from lsd.providers._bedrock_target import Body, Encoding
from lsd.providers._inline_files import inline_file

_IMAGE_FORMATS = {
    "image/gif": "gif",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/png": "png",
    "image/webp": "webp",
}

_DOCUMENT_FORMATS = {
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
}
"""Source: API reference of Bedrock, ImageBlock and DocumentBlock, autumn 2026."""


def file_block(file: File, encoding: Encoding) -> Body:
    """The block that holds the bytes. Raises AttemptFailed (config) for other kinds of files."""
    if file.detail is not None:
        encoding.leave_out("detail")
    inline = inline_file(file, encoding)
    kind, source = inline.bare_type, {"bytes": inline.data}
    if kind in _IMAGE_FORMATS:
        return {"image": {"format": _IMAGE_FORMATS[kind], "source": source}}
    if kind not in _DOCUMENT_FORMATS:
        known = ", ".join(sorted({*_IMAGE_FORMATS.values(), *_DOCUMENT_FORMATS.values()}))
        raise encoding.refusal(f"found a file of type {kind}; wanted one of {known}")
    name, form = encoding.next_document_name(), _DOCUMENT_FORMATS[kind]
    return {"document": {"format": form, "name": name, "source": source}}
