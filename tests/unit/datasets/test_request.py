"""The bodies of requests that change datasets."""

from collections.abc import Callable
from typing import Any

import pytest

from lsd.conversation import Malformed, Text, encode_json
from lsd.datasets import read_new_datapoints, read_patches, read_renamings
from lsd.datasets.request import KEEP, ChatPatch, JsonPatch, NewChatDatapoint, NewJsonDatapoint
from lsd.inference import BadRequest

OWN = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
SAID = {"messages": [{"role": "user", "content": "Hi"}]}


def body(*items: Any) -> bytes:
    """The body of these items."""
    return encode_json({"datapoints": items})


def test_new_datapoints_are_read_by_their_type() -> None:
    """Keys that mean nothing there are passed over, at every depth."""
    chat, json = read_new_datapoints(
        body(
            {
                "type": "chat",
                "function_name": "f",
                "input": {**SAID, "more": 1},
                "output": [{"type": "text", "text": "Ho", "more": 1}],
                "episode_id": OWN.upper(),
                "is_custom": False,
            },
            {"type": "json", "function_name": "f", "input": SAID, "tool_choice": "none"},
        )
    )

    assert isinstance(chat, NewChatDatapoint)
    assert (chat.output, chat.episode_id, chat.tags) == ((Text(text="Ho"),), OWN, None)
    assert isinstance(json, NewJsonDatapoint)


def test_a_patch_tells_null_from_nothing() -> None:
    """Where null clears."""
    nothing, null, json = read_patches(
        body(
            {"type": "chat", "id": OWN},
            {
                "type": "chat",
                "id": OWN.replace("0199", "0198"),
                **dict.fromkeys(("output", "name", "allowed_tools", "tool_choice", "tags")),
            },
            {"type": "json", "id": OWN.replace("0199", "0197"), "output": {"raw": "1"}},
        )
    )

    assert isinstance(nothing, ChatPatch)
    assert isinstance(null, ChatPatch)
    assert isinstance(json, JsonPatch)
    for field in ("output", "name", "allowed_tools", "tool_choice", "parallel_tool_calls"):
        assert getattr(nothing, field) is KEEP
    assert (null.output, null.name, null.allowed_tools, null.tool_choice) == (None,) * 4
    assert json.name is KEEP
    assert json.output == {"raw": "1"}


def test_a_renaming_may_be_none() -> None:
    """Without a name."""
    (renaming,) = read_renamings(body({"id": OWN}))

    assert renaming.name is KEEP


@pytest.mark.parametrize("read", [read_new_datapoints, read_patches, read_renamings])
def test_an_empty_list_is_a_mistake(read: Callable[[bytes], Any]) -> None:
    """Something is to be changed."""
    with pytest.raises(BadRequest, match="datapoints: found an empty array"):
        read(body())
    with pytest.raises(Malformed, match="datapoints: missing"):
        read(b"{}")


@pytest.mark.parametrize("read", [read_patches, read_renamings])
def test_an_id_stands_once_in_a_call(read: Callable[[bytes], Any]) -> None:
    """In whatever form."""
    other = f"msg_{OWN.replace('-', '')}"

    with pytest.raises(BadRequest, match=rf"datapoints\[1\]\.id: found {OWN} twice"):
        read(body({"type": "chat", "id": OWN}, {"type": "chat", "id": other}))
