"""The parts of messages in both of OpenAI's APIs, as neutral blocks.

What has no neutral form is noted, and stands for itself.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import (
    ANY_IMAGE,
    Base64File,
    Detail,
    File,
    JsonValue,
    ModelBlock,
    Problem,
    Text,
    Unknown,
    UrlFile,
    describe_json,
    is_base64,
    mime_type_of_base64,
)
from lsd.telemetry import logger

log = logger(__name__)

_Fields = Mapping[str, Any]

_AUDIO_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_DETAILS: dict[str, Detail] = {"low": "low", "high": "high", "auto": "auto"}
_WEB = ("http://", "https://")


@attrs.frozen
class PartReader:
    """Reads parts one by one; `problems` grows by those of what has no neutral form."""

    problems: list[Problem]

    def part(self, part: _Fields, path: str) -> ModelBlock:
        """A part of a chat message."""
        found: ModelBlock | None = None
        mark = part.get("cache_control")
        match part:
            case {"type": "text", "text": str(text)}:
                found = Text(text=text, cache_control=mark)
            case {"type": "refusal", "refusal": str(text)}:
                found = Text(text=text)
            case {"type": "image_url", "image_url": str(url)}:
                found = self._image(url, None, f"{path}.image_url.url", mark)
            case {"type": "image_url", "image_url": {"url": str(url)} as image}:
                found = self._image(url, image.get("detail"), f"{path}.image_url.url", mark)
            case {"type": "file", "file": {"file_data": str(data)} as file}:
                name = file.get("filename")
                found = self._file(data, name, f"{path}.file.file_data", mark)
            case {"type": "file", "file": {"file_id": _}}:
                self._note(f"{path}.file.file_id", "found the id of a file; wanted its file_data")
            case {"type": "input_audio", "input_audio": {"data": str(data)} as audio}:
                found = self._audio(data, audio.get("format"), path)
            case _:
                self._note_kind(part, path)
        return Unknown(data=dict(part)) if found is None else found

    def input_part(self, part: _Fields, path: str) -> ModelBlock:
        """A part of an item of the Responses API."""
        found: ModelBlock | None = None
        match part:
            case {"type": "input_text" | "output_text" | "text", "text": str(text)}:
                found = Text(text=text)
            case {"type": "refusal", "refusal": str(text)}:
                found = Text(text=text)
            case {"type": "input_image", "image_url": str(url)}:
                found = self._image(url, part.get("detail"), f"{path}.image_url", None)
            case {"type": "input_file", "file_data": str(data)}:
                found = self._file(data, part.get("filename"), f"{path}.file_data", None)
            case {"type": "input_file", "file_url": str(url)} if url.lower().startswith(_WEB):
                found = UrlFile(url=url)
            case {"type": "input_image" | "input_file", "file_id": str()}:
                reason = "found the id of a file; wanted the file itself, or its URL"
                self._note(f"{path}.file_id", reason)
            case {"type": "input_audio", "input_audio": {"data": str(data)} as audio}:
                found = self._audio(data, audio.get("format"), path)
            case _:
                self._note_kind(part, path)
        return Unknown(data=dict(part)) if found is None else found

    def _image(self, url: str, detail: Any, path: str, mark: JsonValue) -> File | None:
        known = _DETAILS.get(detail) if isinstance(detail, str) else None
        shared: dict[str, Any] = {"detail": known, "cache_control": mark}
        if url[:5].lower() == "data:":
            return self._from_data_url(url, path, shared)
        if not url.lower().startswith(_WEB):
            reason = f"found {describe_json(url)}; wanted a URL with data:, http: or https:"
            self._note(path, reason)
            return None
        return UrlFile(url=url, mime_type=ANY_IMAGE, **shared)

    def _file(self, data: str, name: Any, path: str, mark: JsonValue) -> File | None:
        filename = name if isinstance(name, str) else None
        return self._from_data_url(data, path, {"filename": filename, "cache_control": mark})

    def _from_data_url(self, url: str, path: str, shared: dict[str, Any]) -> File | None:
        head, comma, data = url.partition(",")
        mime_type, *parameters = head[5:].split(";")
        is_whole = url[:5].lower() == "data:" and comma and mime_type and parameters
        if not is_whole or parameters[-1].lower() != "base64" or not is_base64(data):
            reason = f"found {describe_json(url)}; wanted data:MIME/TYPE;base64,…"
            self._note(path, reason)
            return None
        return Base64File(data=data, mime_type=mime_type, **shared)

    def _audio(self, data: str, form: Any, path: str) -> File | None:
        told = mime_type_of_base64(data)
        if not is_base64(data) or told is None or not told.startswith("audio/"):
            self._note(f"{path}.input_audio.data", "found no audio in base64; wanted some")
            return None
        if _AUDIO_TYPES.get(form if isinstance(form, str) else "") != told:
            log.warning("audio is of another kind than told", told=form, found=told)
        return Base64File(data=data, mime_type=told)

    def _note_kind(self, part: _Fields, path: str) -> None:
        reason = f"found {describe_json(part.get('type'))}; wanted a kind of part known here"
        self._note(f"{path}.type", reason)

    def _note(self, path: str, reason: str) -> None:
        self.problems.append(Problem(path, reason))
