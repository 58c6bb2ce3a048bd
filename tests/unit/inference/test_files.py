"""The files of one inference: fetched once, kept once, handed to providers as they want them."""

import base64
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from lsd.conversation import (
    AttemptFailed,
    Base64File,
    File,
    Input,
    InputMessage,
    ModelMessage,
    ModelRequest,
    StoredFile,
    Text,
    ToolResult,
    UrlFile,
)
from lsd.inference.files import (
    FETCHED_BYTES_MAX,
    RunFiles,
    files_in,
    stored_block,
    stored_input,
    without_files,
)
from lsd.store import FileObjects
from tests.unit.inference.fake_providers import (
    Break,
    FakeProvider,
    Script,
    Until,
    answers,
    drops,
)

PNG = b"\x89PNG\r\n\x1a\n and so on"
PNG_TEXT = base64.b64encode(PNG).decode()
LINK = UrlFile(url="https://files.example/a")
INLINE = Base64File(data=PNG_TEXT, mime_type="image/png")


def picture(data: bytes = PNG, content_type: str = "image/png") -> Script:
    """A server's answer with a file."""
    return answers(data, headers={"content-type": content_type})


@pytest.fixture
def server() -> FakeProvider:
    """A server with files."""
    server = FakeProvider()
    server.will(picture())
    return server


@pytest.fixture
def objects(tmp_path: Path) -> FileObjects:
    """A folder for the bytes of files."""
    return FileObjects.open(tmp_path / "objects", may_create=True)


def run_files(
    server: FakeProvider,
    objects: FileObjects | None = None,
    *,
    keeps: bool = True,
    fetches_all: bool = False,
) -> RunFiles:
    """The files of one inference."""
    return RunFiles(transport=server, objects=objects, keeps=keeps, fetches_all=fetches_all)


def asking(*content: Any) -> ModelRequest:
    """A request with this content in its second message."""
    return ModelRequest(
        messages=(
            ModelMessage(role="assistant", content=()),
            ModelMessage(role="user", content=content),
        )
    )


def always(_: UrlFile) -> bool:
    """How a provider says that it fetches every URL itself."""
    return True


def never(_: UrlFile) -> bool:
    """How a provider says that it wants bytes."""
    return False


async def sent(
    files: RunFiles, *content: Any, forwards: Callable[[UrlFile], bool] = never
) -> tuple[Any, ...]:
    """What of this content a provider is sent."""
    request = await files.for_provider(asking(*content), forwards)
    return request.messages[1].content


async def failure(files: RunFiles, file: File) -> AttemptFailed:
    """How a provider's request for a file fails."""
    with pytest.raises(AttemptFailed) as failed:
        await sent(files, file)
    return failed.value


async def test_bytes_are_sent_as_they_came(server: FakeProvider) -> None:
    """Nobody fetches what is there already."""
    text = Text(text="Hi")

    assert await sent(run_files(server), text, INLINE) == (text, INLINE)
    assert server.requests == []


@pytest.mark.parametrize(
    ("fetches_all", "forwards", "is_fetched"),
    [
        (False, always, False),
        (False, never, True),
        (True, always, True),
        (True, never, True),
    ],
    ids=["taken as URL", "wanted as bytes", "fetched for all", "both"],
)
async def test_a_url_is_fetched_for_those_who_want_bytes(
    server: FakeProvider, fetches_all: bool, forwards: Callable[[UrlFile], bool], is_fetched: bool
) -> None:
    """A provider that takes URLs gets the URL, unless the gateway fetches everything."""
    files = run_files(server, fetches_all=fetches_all)

    (file,) = await sent(files, LINK, forwards=forwards)

    assert file == (INLINE if is_fetched else LINK)
    assert [request.url for request in server.requests] == (
        ["https://files.example/a"] if is_fetched else []
    )


async def test_a_url_is_fetched_once_for_all_attempts(server: FakeProvider) -> None:
    """Also when several want it at the same time, or it stands in the request twice."""
    is_ready = trio.Event()
    server.will(Script(before=(Until(is_ready),), body=(PNG,)))
    files = run_files(server)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(sent, files, LINK, LINK)
        await trio.testing.wait_all_tasks_blocked()
        is_ready.set()
    await sent(files, LINK)

    assert len(server.requests) == 1
    assert server.open_responses == 0


async def test_details_of_a_file_go_with_its_bytes(server: FakeProvider) -> None:
    """The same URL may stand in the request with different words about it."""
    first = UrlFile(url=LINK.url, detail="low", filename="a.png")
    second = UrlFile(url=LINK.url, mime_type="image/x-special")

    files = await sent(run_files(server), first, second)

    assert files == (
        Base64File(data=PNG_TEXT, mime_type="image/png", detail="low", filename="a.png"),
        Base64File(data=PNG_TEXT, mime_type="image/x-special"),
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("told", "data", "content_type", "mime_type"),
    [
        ("image/webp", PNG, "text/html", "image/webp"),
        (None, PNG, "text/html", "image/png"),
        ("image/*", PNG, "text/html", "image/png"),
        (None, b"plain", "Text/Plain; charset=utf-8", "text/plain"),
        (None, b"plain", "", "application/octet-stream"),
    ],
    ids=["the caller's word", "the bytes", "the kind alone", "the server's word", "nobody knows"],
)
async def test_what_a_fetched_file_is(
    server: FakeProvider, told: str | None, data: bytes, content_type: str, mime_type: str
) -> None:
    """The caller knows best, then the bytes themselves, then the server."""
    server.will(picture(data, content_type))

    (file,) = await sent(run_files(server), UrlFile(url=LINK.url, mime_type=told))

    assert isinstance(file, Base64File)
    assert file.mime_type == mime_type


async def test_files_in_results_of_tools_are_files_too(server: FakeProvider) -> None:
    """A tool may have made a picture; texts beside it stay as they are."""
    text = Text(text="see")
    result = ToolResult(id="c", name="draw", result=(text, LINK))
    plain = ToolResult(id="c", name="say", result="done")

    assert await sent(run_files(server), result, plain) == (
        ToolResult(id="c", name="draw", result=(text, INLINE)),
        plain,
    )


@pytest.mark.parametrize(
    ("script", "kind", "told"),
    [
        (answers(b"", status=404), "config", "found HTTP 404; wanted 200"),
        (
            answers(b"", status=302, headers={"location": "/b"}),
            "config",
            "found HTTP 302; wanted 200",
        ),
        (answers(b"", status=503), "server", "found HTTP 503; wanted 200"),
        (drops(), "transport", "the connection was reset"),
        (Script(body=(b"half", Break())), "transport", "the connection was reset"),
        (
            Script(body=(bytes(FETCHED_BYTES_MAX // 4),) * 5),
            "config",
            "response body: found more than 104857600 bytes; wanted at most those",
        ),
    ],
    ids=["missing", "moved", "server error", "dropped", "cut", "too large"],
)
async def test_a_file_that_cannot_be_fetched_fails_the_attempt(
    server: FakeProvider, script: Script, kind: str, told: str
) -> None:
    """The message names the URL; what may heal may be tried again."""
    server.will(script, picture())
    files = run_files(server)

    failed = await failure(files, LINK)

    assert (failed.kind, failed.text) == (kind, f"file https://files.example/a: {told}")
    assert server.open_responses == 0
    assert await sent(files, LINK) == (INLINE,)


async def test_a_fetched_file_is_kept_as_a_pointer(
    server: FakeProvider, objects: FileObjects
) -> None:
    """The record tells where it came from and what it is; its bytes lie in the folder."""
    file = UrlFile(url=LINK.url, detail="low", filename="a.png")
    files = run_files(server, objects)
    await sent(files, file)

    kept = files.as_stored(file)

    assert isinstance(kept, StoredFile)
    assert kept == StoredFile(
        storage_path=kept.storage_path,
        mime_type="image/png",
        source_url="https://files.example/a",
        detail="low",
        filename="a.png",
    )
    assert objects.get(kept.storage_path) == PNG


async def test_a_url_that_was_forwarded_is_kept_as_given(
    server: FakeProvider, objects: FileObjects
) -> None:
    """Nobody here has had its bytes."""
    files = run_files(server, objects)
    await sent(files, LINK, forwards=always)

    assert files.as_stored(LINK) == LINK


async def test_sent_bytes_are_kept_once_by_their_content(
    server: FakeProvider, objects: FileObjects
) -> None:
    """Equal contents have one place, whatever is said about them."""
    low = Base64File(data=PNG_TEXT, mime_type="image/png", detail="low", filename="b.png")
    files = run_files(server, objects)

    await files.keep([INLINE, low, LINK, StoredFile(storage_path="x", mime_type="y")])

    one, other = files.as_stored(INLINE), files.as_stored(low)
    assert isinstance(one, StoredFile)
    assert isinstance(other, StoredFile)
    assert one.storage_path == other.storage_path
    assert (one.detail, other.detail, other.filename) == (None, "low", "b.png")
    assert objects.get(one.storage_path) == PNG
    assert server.requests == []


async def test_a_pointer_is_sent_as_its_bytes(server: FakeProvider, objects: FileObjects) -> None:
    """Stored inputs can be sent again; the pointer stays a pointer in the new record."""
    pointer = StoredFile(
        storage_path=objects.put(PNG), mime_type="image/png", source_url="u", detail="high"
    )
    files = run_files(server, objects)

    assert await sent(files, pointer) == (
        Base64File(data=PNG_TEXT, mime_type="image/png", detail="high"),
    )
    assert files.as_stored(pointer) == pointer


async def test_a_pointer_may_bring_its_bytes(server: FakeProvider) -> None:
    """Nothing is read then, and nothing written again."""
    whole = StoredFile(storage_path="aa/bb", mime_type="image/png", data=PNG_TEXT)
    files = run_files(server)

    assert await sent(files, whole) == (INLINE,)
    assert files.as_stored(whole) == StoredFile(storage_path="aa/bb", mime_type="image/png")


@pytest.mark.parametrize(
    "storage_path", ["ab/" + "ab" * 32, "../../etc/passwd", "", {"kind": "s3"}, None, 5], ids=repr
)
async def test_a_pointer_to_nothing_fails_the_attempt(
    server: FakeProvider, objects: FileObjects, storage_path: Any
) -> None:
    """Nothing outside of the folder can be read by a pointer."""
    file = StoredFile(storage_path=storage_path, mime_type="image/png")

    failed = await failure(run_files(server, objects), file)

    assert failed.kind == "config"
    assert failed.text.startswith("file: storage_path: found ")


async def test_without_a_folder_pointers_lead_nowhere(server: FakeProvider) -> None:
    """The message says why."""
    failed = await failure(run_files(server), StoredFile(storage_path="a", mime_type="b"))

    assert failed.kind == "config"
    assert failed.text == "file: found an object_storage_pointer, but object_storage is disabled"


async def test_a_dry_run_reads_pointers_and_keeps_nothing(
    server: FakeProvider, objects: FileObjects
) -> None:
    """What is kept already may be used; nothing is added."""
    pointer = StoredFile(storage_path=objects.put(b"known"), mime_type="text/plain")
    files = run_files(server, objects, keeps=False)

    await files.keep([INLINE])
    content = await sent(files, pointer, LINK)

    assert [base64.b64decode(file.data) for file in content] == [b"known", PNG]
    assert files.as_stored(INLINE) == INLINE
    kept = [path for path in objects.path.rglob("*/*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [b"known"]


async def test_a_full_disk_fails_nobodys_request(
    server: FakeProvider, objects: FileObjects, log: list[MutableMapping[str, Any]]
) -> None:
    """The log tells; the provider gets its bytes all the same."""
    for number in range(256):
        (objects.path / f"{number:02x}").write_text("in the way")
    files = run_files(server, objects)

    await files.keep([INLINE])

    assert await sent(files, LINK) == (INLINE,)
    assert [entry["event"] for entry in log] == ["file not kept"] * 2


def test_all_files_of_a_message_are_found() -> None:
    """Those in results of tools included, in their order."""
    result = ToolResult(id="c", name="draw", result=(Text(text="see"), INLINE))
    plain = ToolResult(id="c", name="say", result="done")

    assert files_in([Text(text="Hi"), LINK, plain, result]) == [LINK, INLINE]


async def test_a_record_holds_pointers_instead_of_bytes(
    server: FakeProvider, objects: FileObjects
) -> None:
    """In messages and in results of tools; everything else is as it was."""
    files = run_files(server, objects)
    await files.keep([INLINE])
    result = ToolResult(id="c", name="draw", result=(Text(text="see"), INLINE))
    message = InputMessage(role="user", content=(Text(text="Hi"), INLINE, result, LINK))

    kept = stored_input(Input(system="s", messages=(message,)), files)

    pointer = files.as_stored(INLINE)
    assert isinstance(pointer, StoredFile)
    assert kept.system == "s"
    assert kept.messages[0].content == (
        Text(text="Hi"),
        pointer,
        ToolResult(id="c", name="draw", result=(Text(text="see"), pointer)),
        LINK,
    )
    assert stored_block(INLINE, files) == pointer


@pytest.mark.parametrize(
    ("files", "body", "shown"),
    [
        ([INLINE], f'{{"u":"data:;base64,{PNG_TEXT}"}}', '{"u":"data:;base64,<LSD_FILE_0>"}'),
        ([INLINE, INLINE], f'["{PNG_TEXT}","{PNG_TEXT}"]', '["<LSD_FILE_0>","<LSD_FILE_1>"]'),
        (
            [Base64File(data="YQ==", mime_type="a/b"), INLINE],
            f'["YQ==","{PNG_TEXT}"]',
            '["<LSD_FILE_0>","<LSD_FILE_1>"]',
        ),
        ([LINK, INLINE], f'["https://x","{PNG_TEXT}"]', '["https://x","<LSD_FILE_0>"]'),
        ([INLINE], '{"nothing":"of it"}', '{"nothing":"of it"}'),
        (
            [Base64File(data="", mime_type="a/b"), INLINE],
            f'["","{PNG_TEXT}"]',
            '["","<LSD_FILE_0>"]',
        ),
        ([Base64File(data="YW\nFh", mime_type="a/b")], '["YW\\nFh"]', '["<LSD_FILE_0>"]'),
        ([], "{}", "{}"),
    ],
    ids=[
        "one",
        "twice the same",
        "two",
        "a URL does not count",
        "not sent",
        "an empty one does not count",
        "line ends",
        "none",
    ],
)
def test_a_recorded_request_holds_marks_instead_of_bytes(
    files: list[File], body: str, shown: str
) -> None:
    """Each occurrence has its own number, counted from 0."""
    assert without_files(body, asking(*files)) == shown


def test_a_text_of_the_same_letters_is_left_alone() -> None:
    """It is the file's payload that leaves the record, wherever it stands."""
    request = asking(Base64File(data="aGVsbG8=", mime_type="image/png"))
    body = '[{"text":"see aGVsbG8= here"},{"url":"data:image/png;base64,aGVsbG8="}]'

    shown = '[{"text":"see aGVsbG8= here"},{"url":"data:image/png;base64,<LSD_FILE_0>"}]'
    assert without_files(body, request) == shown


def test_marks_reach_into_results_of_tools() -> None:
    """Wherever the bytes stand."""
    request = asking(INLINE, ToolResult(id="c", name="draw", result=(INLINE,)))

    shown = without_files(f'["{PNG_TEXT}","{PNG_TEXT}"]', request)

    assert shown == '["<LSD_FILE_0>","<LSD_FILE_1>"]'
