"""Files on their whole way: from a request to a provider, and into a record."""

import base64
from typing import Any

import pytest

from lsd.conversation import input_to_json
from lsd.inference import BadRequest, InferenceFailed
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import answers, fails, says, streams
from tests.unit.inference.gateway import TWO_PROVIDERS, Gateway, Shelf, request

PNG = b"\x89PNG\r\n\x1a\n and so on"
PNG_TEXT = base64.b64encode(PNG).decode()
LINK = {"type": "file", "url": "https://files.example/a.png"}
INLINE = {"type": "file", "data": PNG_TEXT, "mime_type": "image/png"}


def with_files(*files: Any) -> dict[str, Any]:
    """A request with these files."""
    content = [{"type": "text", "text": "What is this?"}, *files]
    return {"input": {"messages": [{"role": "user", "content": content}]}}


@pytest.fixture
async def gateway(start: StartGateway, shelf: Shelf) -> Gateway:
    """A gateway with a place for files."""
    gateway = start(TWO_PROVIDERS, shelf=shelf)
    gateway["files"].will(answers(PNG, headers={"content-type": "image/png"}))
    gateway["one"].will(says("A pond"))
    return gateway


def image_urls(gateway: Gateway, provider: str = "one") -> list[str]:
    """The URLs of the images that a provider was sent."""
    return [
        part["image_url"]["url"]
        for body in gateway[provider].bodies
        for part in body["messages"][0]["content"]
        if part["type"] == "image_url"
    ]


async def test_a_request_without_files_has_nothing_to_do_with_them(gateway: Gateway) -> None:
    """Most requests have none."""
    assert gateway.service.file_desk.files_for(request()) is None
    assert gateway.service.file_desk.files_for(request(**with_files(LINK))) is not None


async def test_bytes_that_come_along_are_recorded_as_a_pointer(
    gateway: Gateway, shelf: Shelf
) -> None:
    """In the input and in the call's messages; the raw request has a mark in their place."""
    answer = await gateway.infer(**with_files(INLINE, INLINE))

    made = await gateway.stored(answer["inference_id"])
    (call,) = await gateway.stored_calls(answer["inference_id"])
    assert image_urls(gateway) == [f"data:image/png;base64,{PNG_TEXT}"] * 2
    assert made is not None
    assert made.body is not None
    assert call.body is not None
    _, pointer, again = made.body.input["messages"][0]["content"]
    assert pointer == again
    assert pointer["file_type"] == "object_storage_pointer"
    assert shelf.objects.get(pointer["storage_path"]) == PNG
    assert call.body.input_messages[0]["content"][1] == pointer
    assert call.body.raw_request is not None
    assert PNG_TEXT not in call.body.raw_request
    assert "base64,<LSD_FILE_0>" in call.body.raw_request
    assert "base64,<LSD_FILE_1>" in call.body.raw_request


async def test_a_recorded_input_can_be_sent_again(gateway: Gateway) -> None:
    """The provider gets the same bytes, and the new record the same pointer."""
    first = await gateway.infer(**with_files(INLINE))
    made = await gateway.stored(first["inference_id"])
    assert made is not None
    assert made.body is not None

    second = await gateway.infer(input=made.body.input)

    again = await gateway.stored(second["inference_id"])
    assert again is not None
    assert again.body is not None
    assert again.body.input == made.body.input
    one, other = image_urls(gateway)
    assert one == other


async def test_a_url_goes_to_those_who_take_it(gateway: Gateway) -> None:
    """It is recorded as it was given."""
    answer = await gateway.infer(**with_files(LINK))

    made = await gateway.stored(answer["inference_id"])
    assert image_urls(gateway) == ["https://files.example/a.png"]
    assert gateway["files"].requests == []
    assert made is not None
    assert made.body is not None
    assert made.body.input["messages"][0]["content"][1] == {**LINK, "file_type": "url"}


async def test_a_gateway_may_fetch_everything_itself(start: StartGateway, shelf: Shelf) -> None:
    """Once for all attempts; the record has a pointer that tells the URL."""
    fetching = "[gateway]\nfetch_and_encode_input_files_before_inference = true\n"
    gateway = start(fetching + TWO_PROVIDERS, shelf=shelf)
    gateway["files"].will(answers(PNG))
    gateway["one"].will(fails(400))
    gateway["two"].will(streams("A", " pond"))

    events = await gateway.stream(**with_files(LINK))

    made = await gateway.stored(events[0]["inference_id"])
    assert len(gateway["files"].requests) == 1
    assert image_urls(gateway) == image_urls(gateway, "two")
    assert image_urls(gateway)[0].startswith("data:image/png;base64,")
    assert made is not None
    assert made.body is not None
    pointer = made.body.input["messages"][0]["content"][1]
    assert pointer["file_type"] == "object_storage_pointer"
    assert pointer["source_url"] == "https://files.example/a.png"
    assert shelf.objects.get(pointer["storage_path"]) == PNG


async def test_a_file_that_is_not_to_be_had_is_told(start: StartGateway) -> None:
    """By its URL, at each provider that needed it."""
    fetching = "[gateway]\nfetch_and_encode_input_files_before_inference = true\n"
    gateway = start(fetching + TWO_PROVIDERS)
    gateway["files"].will(answers(b"", status=404))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer(**with_files(LINK))

    told = "file https://files.example/a.png: found HTTP 404; wanted 200"
    assert str(failed.value).count(told) == 2
    assert gateway["one"].requests == []


async def test_bytes_are_kept_even_if_nobody_answers(gateway: Gateway, shelf: Shelf) -> None:
    """The attempts are recorded, with pointers in their messages."""
    gateway["one"].will(fails(400))
    gateway["two"].will(fails(400))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer(**with_files(INLINE))

    one, _ = await gateway.stored_calls(failed.value.inference_id or "")
    assert one.body is not None
    pointer = one.body.input_messages[0]["content"][1]
    assert shelf.objects.get(pointer["storage_path"]) == PNG


async def test_a_dry_run_keeps_no_bytes(gateway: Gateway, shelf: Shelf) -> None:
    """Though it may use those that are kept already."""
    pointer = {
        "type": "file",
        "storage_path": shelf.objects.put(b"\x89PNG\r\n\x1a\n known"),
        "mime_type": "image/png",
    }

    await gateway.infer(dryrun=True, **with_files(INLINE, pointer))

    assert len(image_urls(gateway)) == 2
    kept = [path for path in shelf.objects.path.rglob("*/*") if path.is_file()]
    assert len(kept) == 1


async def test_equal_requests_with_files_share_a_cached_answer(gateway: Gateway) -> None:
    """The bytes are part of what was asked."""
    on = {"cache_options": {"enabled": "on"}}
    other = {**INLINE, "data": base64.b64encode(PNG + b"!").decode()}

    await gateway.infer(**with_files(INLINE), **on)
    await gateway.infer(**with_files(INLINE), **on)
    assert len(gateway["one"].requests) == 1

    await gateway.infer(**with_files(other), **on)
    assert len(gateway["one"].requests) == 2


async def test_files_are_kept_without_an_inference(gateway: Gateway, shelf: Shelf) -> None:
    """Wherever they were, there are pointers to their bytes then; a pointer stays as it is."""
    desk, limit = gateway.service.file_desk, gateway.service.prepared.outbound_limit
    asked = request(**with_files(LINK, INLINE, LINK)).input

    stored = await desk.stored(asked, limit)

    (message,) = input_to_json(stored)["messages"]
    _, link, inline, again = message["content"]
    assert link == again
    assert (link["storage_path"], link["source_url"]) == (inline["storage_path"], LINK["url"])
    assert shelf.objects.get(inline["storage_path"]) == PNG
    assert len(gateway["files"].requests) == 1
    assert await desk.stored(stored, limit) == stored
    assert len(gateway["files"].requests) == 1


async def test_a_file_that_is_not_to_be_had_is_the_callers_mistake(gateway: Gateway) -> None:
    """The refusal names its URL."""
    gateway["files"].will(fails(404))
    asked = request(**with_files(LINK)).input

    with pytest.raises(BadRequest, match=r"input: file https://files\.example/a\.png: .*404"):
        await gateway.service.file_desk.stored(asked, gateway.service.prepared.outbound_limit)
