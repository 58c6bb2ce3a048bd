"""Versions of datapoints."""

import base64

import attrs
import pytest

from lsd.inference import BadRequest
from lsd.store import DatapointBody
from tests.unit.datasets.workbench import Workbench
from tests.unit.inference.fake_providers import answers, fails
from tests.unit.store.makers import Maker

PNG = b"\x89PNG\r\n\x1a\n and so on"
LINK = {"type": "file", "url": "https://files.example/a.png"}
INLINE = {"type": "file", "data": base64.b64encode(PNG).decode(), "mime_type": "image/png"}


def seeing(*files: object) -> dict[str, object]:
    """The input of a message with files."""
    return {"input": {"messages": [{"role": "user", "content": [*files]}]}}


async def test_files_are_kept_as_pointers(bench: Workbench) -> None:
    """Fetched, if they lie elsewhere; what comes back as a pointer is not fetched again."""
    bench.gateway["files"].will(answers(PNG, headers={"content-type": "image/png"}))
    (own_id,) = await bench.create(seeing(LINK, INLINE))

    body = bench.stored(own_id).body
    assert body is not None
    link, inline = body.input["messages"][0]["content"]
    assert link["file_type"] == inline["file_type"] == "object_storage_pointer"
    assert link["storage_path"] == inline["storage_path"]
    (patched,) = await bench.patch({"id": own_id, "input": body.input})
    again = bench.stored(patched).body
    assert again is not None
    assert again.input == body.input
    assert len(bench.gateway["files"].requests) == 1


async def test_a_file_that_is_not_to_be_had_spoils_the_call(bench: Workbench) -> None:
    """The refusal names the item and the URL."""
    bench.gateway["files"].will(fails(404))

    with pytest.raises(BadRequest, match=r"datapoints\[1\]\.input: file https://files\.example"):
        await bench.create({}, seeing(LINK))

    assert bench.store.datapoints.count("gold") == 0


async def test_a_version_knows_the_configuration_it_was_made_under(bench: Workbench) -> None:
    """By its hash."""
    (own_id,) = await bench.create({})

    assert bench.stored(own_id).snapshot_hash == bench.gateway.loaded.hash


async def test_an_output_that_is_kept_is_kept_as_it_was(bench: Workbench) -> None:
    """Only what is sent, or what tools and schemas change, is read anew."""
    blocks = [{"type": "thought", "text": "hm"}, {"type": "unknown", "data": {"x": 1}}]
    (own_id,) = await bench.create({"output": blocks, "name": "n"})

    (patched,) = await bench.patch({"id": own_id, "tags": {"a": "b"}})

    old, new = bench.stored(own_id), bench.stored(patched)
    assert old.body == new.body
    assert (new.tags, new.name, new.is_custom) == ({"a": "b"}, "n", True)


async def test_tools_that_are_gone_are_told_when_tools_are_changed(bench: Workbench) -> None:
    """Other changes copy the settings as they are."""
    body = DatapointBody(input={"messages": []}, output=[], allowed_tools=["gone"])
    old = Maker().datapoint(function_name="office", body=attrs.evolve(body, tool_choice="auto"))
    assert bench.gateway.writer is not None
    await bench.gateway.writer.commit(bench.store.datapoints.add("gold", [old], now_us=1))

    with pytest.raises(BadRequest, match=r"datapoints\[0\]\.allowed_tools\[0\]: found 'gone'"):
        await bench.patch({"id": old.id, "parallel_tool_calls": True})

    call = {"type": "tool_call", "id": "c", "raw_name": "page", "raw_arguments": "{}"}
    (patched,) = await bench.patch({"id": old.id, "output": [call]})
    new = bench.stored(patched).body
    assert new is not None
    assert (new.allowed_tools, new.tool_choice) == (["gone"], "auto")
    assert new.output[0]["name"] is None
