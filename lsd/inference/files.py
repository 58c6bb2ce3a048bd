"""The files of one inference: fetched once, kept once, handed to providers as they want them."""

import base64
import binascii
from collections.abc import Callable, Iterable
from functools import partial

import attrs
import trio

from lsd.conversation import (
    AttemptFailed,
    Base64File,
    File,
    Input,
    InputBlock,
    InputMessage,
    LsdError,
    ModelMessage,
    ModelRequest,
    StoredFile,
    Text,
    ToolResult,
    UrlFile,
    WireRequest,
    encode_json,
    mime_type_of,
)
from lsd.network import BodyTooLarge, Transport, TransportFailed
from lsd.store import FileObjects, storage_path_of
from lsd.telemetry import logger

log = logger(__name__)

FETCHED_BYTES_MAX = 100 * 1024 * 1024
"""Of one file fetched from a URL: as much as a request may bring along itself."""

OCTETS = "application/octet-stream"
"""The type of bytes of which nobody says what they are. Source: RFC 2046, 4.5.1."""


@attrs.frozen
class _Fetched:
    data: bytes
    mime_type: str


@attrs.define(eq=False, kw_only=True)
class RunFiles:
    """Files by the block in which the caller gave them.

    `objects` None: there is no place to keep bytes in. `keeps`: those of this request are to be
    kept. `fetches_all`: no provider is sent a URL.
    """

    _transport: Transport
    _objects: FileObjects | None
    _keeps: bool
    _fetches_all: bool
    _fetched: dict[str, _Fetched] = attrs.field(factory=dict, init=False)
    _kept: dict[File, StoredFile] = attrs.field(factory=dict, init=False)
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def for_provider(
        self, request: ModelRequest, forwards: Callable[[UrlFile], bool]
    ) -> ModelRequest:
        """`request` with the bytes of all files that its provider does not fetch itself.

        Raises AttemptFailed when bytes are needed and not to be had.
        """
        messages = []
        for message in request.messages:
            content = [
                await self._whole(block, forwards)
                if isinstance(block, File)
                else await self._whole_result(block, forwards)
                if isinstance(block, ToolResult)
                else block
                for block in message.content
            ]
            messages.append(ModelMessage(role=message.role, content=tuple(content)))
        return attrs.evolve(request, messages=tuple(messages))

    def must_fetch(self, value: Input, forwards: Callable[[UrlFile], bool]) -> bool:
        """Whether the provider can only be asked once bytes have come over the network."""
        return any(
            isinstance(file, UrlFile) and (self._fetches_all or not forwards(file))
            for file in files_of(value)
        )

    async def keep(self, files: Iterable[File]) -> None:
        """Stores the bytes that the caller has sent. A full disk is told in the log only."""
        for file in files:
            if isinstance(file, Base64File):
                await self._keep(file, file.mime_type, partial(_decoded, file.data))

    async def bring(self, file: File) -> None:
        """Stores the bytes of a file, wherever they are; those of a pointer are stored.

        Raises AttemptFailed when they are not to be had. A full disk is told in the log only.
        """
        if isinstance(file, UrlFile):
            await self._fetch(file)
        else:
            await self.keep((file,))

    def as_stored(self, file: File) -> File:
        """What a record holds in place of `file`: a pointer, unless nobody had its bytes."""
        if isinstance(file, StoredFile):
            return attrs.evolve(file, data=None)
        return self._kept.get(file, file)

    async def _whole_result(
        self, block: ToolResult, forwards: Callable[[UrlFile], bool]
    ) -> ToolResult:
        if isinstance(block.result, str):
            return block
        parts = [
            part if isinstance(part, Text) else await self._whole(part, forwards)
            for part in block.result
        ]
        return attrs.evolve(block, result=tuple(parts))

    async def _whole(self, file: File, forwards: Callable[[UrlFile], bool]) -> File:
        match file:
            case Base64File():
                return file
            case UrlFile() if forwards(file) and not self._fetches_all:
                return file
            case UrlFile():
                fetched = await self._fetch(file)
                return await _inlined(file, fetched.data, fetched.mime_type)
            case StoredFile():
                return await _inlined(file, await self._read(file), file.mime_type)

    async def _fetch(self, file: UrlFile) -> _Fetched:
        async with self._turn:  # candidates that run beside each other fetch it once
            found = self._fetched.get(file.url)
            if found is None:
                found = self._fetched[file.url] = await _fetch(self._transport, file)
        mime_type = _told_or_seen(file.mime_type, found.mime_type)
        await self._keep(file, mime_type, lambda: found.data)
        return found

    async def _read(self, file: StoredFile) -> bytes:
        if file.data is not None:
            return _decoded(file.data)
        if self._objects is None:
            text = "file: found an object_storage_pointer, but object_storage is disabled"
            raise AttemptFailed(kind="config", text=text)
        try:
            return await trio.to_thread.run_sync(self._objects.get, file.storage_path)
        except LsdError as error:
            raise AttemptFailed(kind="config", text=f"file: {error}") from None

    async def _keep(
        self, file: UrlFile | Base64File, mime_type: str, read: Callable[[], bytes]
    ) -> None:
        if not self._keeps or file in self._kept:
            return
        # Without a place for bytes the record has their pointer all the same, not the bytes.
        keep = storage_path_of if self._objects is None else self._objects.put
        try:
            storage_path = await trio.to_thread.run_sync(lambda: keep(read()))
        except LsdError as error:
            log.error("file not kept", reason=str(error))  # noqa: TRY400 (a full disk is no bug)
            return
        self._kept[file] = StoredFile(
            storage_path=storage_path,
            mime_type=mime_type,
            source_url=file.url if isinstance(file, UrlFile) else None,
            detail=file.detail,
            filename=file.filename,
        )


def files_of(value: Input) -> list[File]:
    """All files of an input."""
    blocks = [
        block
        for message in value.messages
        for block in message.content
        if not isinstance(block, Text)  # which nearly all are
    ]
    return files_in(blocks) if blocks else []


def files_in(content: Iterable[InputBlock]) -> list[File]:
    """All files of a message, those in tool results included."""
    found: list[File] = []
    for block in content:
        if isinstance(block, File):
            found.append(block)
        elif isinstance(block, ToolResult) and not isinstance(block.result, str):
            found.extend(part for part in block.result if isinstance(part, File))
    return found


def stored_input(value: Input, files: RunFiles) -> Input:
    """`value` with pointers in place of file bytes."""
    messages = tuple(
        InputMessage(
            role=message.role,
            content=tuple(stored_block(block, files) for block in message.content),
        )
        for message in value.messages
    )
    return Input(system=value.system, messages=messages)


def stored_block(block: InputBlock, files: RunFiles) -> InputBlock:
    """The same for one block."""
    if isinstance(block, File):
        return files.as_stored(block)
    if isinstance(block, ToolResult) and not isinstance(block.result, str):
        parts = tuple(
            part if isinstance(part, Text) else files.as_stored(part) for part in block.result
        )
        return attrs.evolve(block, result=parts)
    return block


_FORMS = (';base64,{}"', '"data":"{}"', "{}")
"""How the bytes of a file stand in a request, surest first: a text may hold the same letters."""


def without_files(raw_request: str, request: ModelRequest) -> str:
    """`raw_request` with a short mark in place of the bytes of each file, counted from 0."""
    number = 0
    for message in request.messages:
        for file in files_in(message.content):
            data = _as_sent(file)
            found = next((form for form in _FORMS if form.format(data) in raw_request), None)
            if data and found is not None:
                mark = found.format(f"<LSD_FILE_{number}>")
                raw_request = raw_request.replace(found.format(data), mark, 1)
                number += 1
    return raw_request


def _as_sent(file: File) -> str:
    """The bytes of a file as they stand in a request; its JSON has escaped line ends in them."""
    return encode_json(file.data).decode()[1:-1] if isinstance(file, Base64File) else ""


async def _inlined(file: UrlFile | StoredFile, data: bytes, mime_type: str) -> Base64File:
    encoded = await trio.to_thread.run_sync(base64.b64encode, data)
    return Base64File(
        data=encoded.decode(),
        mime_type=_told_or_seen(file.mime_type, mime_type),
        detail=file.detail,
        filename=file.filename,
    )


def _told_or_seen(told: str | None, seen: str) -> str:
    """The type that the caller has told, if it is one: of some files only the kind is known."""
    return seen if told is None or told.endswith("/*") else told


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except (binascii.Error, ValueError):
        return data.encode()


async def _fetch(transport: Transport, file: UrlFile) -> _Fetched:
    where = f"file {file.url}"
    request = WireRequest(method="GET", url=file.url, headers={"accept-encoding": "identity"})
    try:
        response = await transport.send(request)
        try:
            data = await response.read(FETCHED_BYTES_MAX)
        finally:
            await response.aclose()
    except TransportFailed as failure:
        raise AttemptFailed(kind="transport", text=f"{where}: {failure}") from None
    except BodyTooLarge as failure:
        raise AttemptFailed(kind="config", text=f"{where}: {failure}") from None
    if response.status != 200:
        text = f"{where}: found HTTP {response.status}; wanted 200"
        raise AttemptFailed(kind="server" if response.status >= 500 else "config", text=text)
    announced = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _Fetched(data, mime_type_of(data) or announced or OCTETS)
