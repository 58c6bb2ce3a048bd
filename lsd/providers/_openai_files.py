"""Files as parts of a chat message."""

from typing import Any

from lsd.conversation import Base64File, File, StoredFile, UrlFile
from lsd.providers._inline_files import bare_mime_type
from lsd.providers._openai_family import Encoding

AUDIO_FORMATS = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/m4a": "m4a",
    "audio/x-m4a": "m4a",
    "audio/mp4": "m4a",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/aac": "aac",
    "audio/x-aac": "aac",
    "audio/aiff": "aiff",
    "audio/x-aiff": "aiff",
    "audio/amr": "amr",
    "audio/midi": "mid",
    "audio/webm": "webm",
    "audio/x-dsf": "dsf",
    "audio/x-ape": "ape",
}
"""The format of an audio part, which is also the extension of the file."""

_EXTENSIONS = {
    **AUDIO_FORMATS,
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "text/plain": "txt",
}


def is_forwarded(file: UrlFile) -> bool:
    """Whether the provider fetches the file itself: images, and what may well be one."""
    return file.mime_type is None or bare_mime_type(file.mime_type).startswith("image/")


def file_part(file: File, encoding: Encoding) -> dict[str, Any]:
    """The part that holds `file`. Raises AttemptFailed (config) for what cannot be sent."""
    match file:
        case UrlFile():
            if not is_forwarded(file):
                raise encoding.refusal(
                    f"the file at {file.url} is {file.mime_type}; only images are sent as a URL"
                )
            if file.mime_type is None:
                encoding.alter("mime_type", "a URL without a MIME type is sent as an image")
            return _image(file.url, file, encoding)
        case StoredFile(data=None):
            raise encoding.refusal("the bytes of a stored file are not at hand")
        case Base64File(data=data) | StoredFile(data=str(data)):
            return _inlined(file, data, encoding)
        case _:
            raise AssertionError(f"no file of this kind exists: {type(file).__name__}")


def _inlined(file: Base64File | StoredFile, data: str, encoding: Encoding) -> dict[str, Any]:
    mime_type = bare_mime_type(file.mime_type)
    kind = encoding.target.content_type_overrides.get(mime_type)
    if encoding.member.takes_images_only:
        kind = "image_url"
    if kind is None:
        head = mime_type.partition("/")[0]
        kind = {"image": "image_url", "audio": "input_audio"}.get(head, "file")
    if kind == "image_url":
        return _image(_data_url(file, data), file, encoding)
    _leave_out_detail(file, encoding)
    if kind == "input_audio":
        audio_format = AUDIO_FORMATS.get(mime_type)
        if audio_format is None:
            raise encoding.refusal(
                f"found audio of type {file.mime_type}; no format of it is known"
            )
        return {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}
    name = file.filename or _default_name(file, mime_type, encoding)
    return {"type": "file", "file": {"filename": name, "file_data": _data_url(file, data)}}


def _image(url: str, file: File, encoding: Encoding) -> dict[str, Any]:
    image = {"url": url}
    if file.detail is not None and encoding.member.takes_image_detail:
        image["detail"] = file.detail
    else:
        _leave_out_detail(file, encoding)
    return {"type": "image_url", "image_url": image}


def _leave_out_detail(file: File, encoding: Encoding) -> None:
    if file.detail is not None:
        encoding.leave_out("detail")


def _default_name(file: Base64File | StoredFile, mime_type: str, encoding: Encoding) -> str:
    extension = _EXTENSIONS.get(mime_type)
    if extension is None:
        raise encoding.refusal(
            f"found a file of type {file.mime_type} without a name; wanted its `filename`"
        )
    return f"input.{extension}"


def _data_url(file: Base64File | StoredFile, data: str) -> str:
    return f"data:{file.mime_type};base64,{data}"
