"""Messages requests of clients that are passed on to Claude."""

import re
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    BodyEdit,
    ClientRequest,
    Edits,
    HeaderEdit,
    ModelRequest,
    Thought,
    WireRequest,
    decode_json,
    encode_json,
    foreign_signature,
)
from lsd.providers import Counting, Relaying
from tests.unit.providers.recorded import CREDENTIALS, make_dialect, request

BETA = "structured-outputs-2025-11-13"
MARK = {"type": "ephemeral", "ttl": "1h", "scope": "global"}
FOREIGN = {
    "type": "thinking",
    "thinking": "Hm.",
    "signature": foreign_signature(Thought(provider_type="deepseek")),
}
OWN = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"b": 1, "a": 2}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
BODY: dict[str, Any] = {
    "max_tokens": 64,
    "model": "coder",
    "foo": {"z": 1, "a": [2]},
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
}


def with_turns(*contents: Any, **more: Any) -> dict[str, Any]:
    """A body whose turns begin with the user's."""
    roles = ("user", "assistant")
    turns = [
        {"role": roles[place % 2], "content": content} for place, content in enumerate(contents)
    ]
    return {**BODY, "messages": turns, **more}


def asked(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ModelRequest:
    """A request whose client has sent this."""
    client = ClientRequest(lane="anthropic", body=body, headers=headers or {})
    return attrs.evolve(request(stream=bool(body.get("stream"))), client=client)


def relayed(
    body: Mapping[str, Any],
    *,
    kind: str = "anthropic",
    headers: Mapping[str, str] | None = None,
    edits: Edits = NO_EDITS,
    **keys: Any,
) -> WireRequest:
    """The request as the provider gets it."""
    dialect = make_dialect(kind, **keys)
    assert isinstance(dialect, Relaying)
    assert dialect.lane == "anthropic"
    return dialect.relay(asked(body, headers), CREDENTIALS, edits)


def body_of(body: Mapping[str, Any], **keys: Any) -> Any:
    """The body as the provider gets it."""
    return decode_json(relayed(body, **keys).body)


def test_only_the_name_of_the_model_is_another() -> None:
    """Cases 19 and 20: every other byte stays, unknown fields and the order of keys included."""
    block = {"type": "yet_to_come", "z": [{"b": 1, "a": None}]}
    tool = {"name": "look", "input_schema": {"type": "object", "properties": {"b": {}, "a": {}}}}
    body = with_turns(
        [{"type": "text", "text": "é\u2028", "cache_control": MARK}, block],
        [OWN, CALL],
        [RESULT],
        tools=[tool],
        context_management={"edits": []},
        max_tokens=0,
    )

    wire = relayed(body)

    assert wire.body == encode_json({**body, "model": "m-1"})
    assert wire.url == "https://api.anthropic.com/v1/messages"
    assert wire.headers["Accept"] == "text/event-stream"
    assert wire.left_out == ()


@pytest.mark.parametrize(
    ("given", "sent"), [({}, "2023-06-01"), ({"anthropic-version": "2099-01-01"}, "2099-01-01")]
)
def test_the_clients_version_counts(given: dict[str, str], sent: str) -> None:
    """Without one it is the version that LSD itself speaks."""
    assert relayed(BODY, headers=given).headers["anthropic-version"] == sent


@pytest.mark.parametrize(
    ("given", "flag", "edited", "sent"),
    [
        ("a, b", None, None, "a, b"),
        ("a, b", True, None, f"a, b,{BETA}"),
        (f"a,{BETA}", True, None, f"a,{BETA}"),
        ("a", True, "c", f"a,{BETA},c"),
        (None, True, None, BETA),
        (None, None, None, None),
    ],
)
def test_betas_travel_as_they_were_written(
    given: str | None, flag: bool | None, edited: str | None, sent: str | None
) -> None:
    """Those that the operator asks for stand behind them."""
    headers = {"anthropic-beta": given} if given else {}
    edits = Edits(headers=(HeaderEdit(name="anthropic-beta", value=edited),) if edited else ())

    wire = relayed(BODY, headers=headers, edits=edits, beta_structured_outputs=flag)

    assert wire.headers.get("anthropic-beta") == sent


def test_without_betas_what_needs_them_is_gone_too() -> None:
    """A field without its header is the commonest reason for a 400."""
    text = {"type": "text", "text": "hi", "cache_control": MARK}
    call = {**CALL, "input": {"scope": "all", "type": "ephemeral"}}
    result = {**RESULT, "content": [text]}
    look = {"name": "look", "input_schema": {}, "input_examples": [], "cache_control": MARK}
    body = with_turns(
        [text],
        [call],
        [result],
        system=[text],
        tools=[look, {"type": "bash_20250124", "name": "bash", "defer_loading": True}],
        context_management={},
        speed="fast",
    )

    wire = relayed(body, headers={"anthropic-beta": "a"}, forward_anthropic_beta=False)

    kept = {"type": "ephemeral", "ttl": "1h"}
    bare = {"type": "text", "text": "hi", "cache_control": kept}
    sent = decode_json(wire.body)
    assert "anthropic-beta" not in wire.headers
    assert sent == {
        **with_turns([bare], [call], [{**RESULT, "content": [bare]}]),
        "model": "m-1",
        "system": [bare],
        "tools": [
            {"name": "look", "input_schema": {}, "cache_control": kept},
            {"type": "bash_20250124", "name": "bash"},
        ],
    }
    assert wire.left_out == ("context_management", "speed", "cache_control", "tools")


@pytest.mark.parametrize(
    "thought",
    [
        FOREIGN,
        {"type": "redacted_thinking", "data": "lsd1:aws_bedrock:QUFF"},
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "thinking", "thinking": "Hm."},
    ],
)
def test_thoughts_of_others_are_not_shown(thought: dict[str, Any]) -> None:
    """Case 27: Claude would refuse a signature that it has not made."""
    text = {"type": "text", "text": "Yes."}

    sent = body_of(with_turns("hi", [thought, text], "and?", [OWN, thought], "then?"))

    assert sent["messages"] == with_turns("hi", [text], "and?", [OWN], "then?")["messages"]


def test_a_turn_of_nothing_but_thoughts_of_others_is_gone() -> None:
    """No turn may be empty."""
    sent = body_of(with_turns("hi", [FOREIGN], "and?"))

    assert [message["content"] for message in sent["messages"]] == ["hi", "and?"]


@pytest.mark.parametrize(
    "thinking", [{"type": "enabled", "budget_tokens": 9}, {"type": "adaptive"}]
)
def test_a_turn_begun_elsewhere_is_ended_without_thinking(thinking: dict[str, Any]) -> None:
    """Claude goes on thinking only behind a thought of its own."""
    begun = with_turns("hi", [FOREIGN, CALL], [RESULT], thinking=thinking)

    wire = relayed(begun)

    assert "thinking" not in decode_json(wire.body)
    assert wire.left_out == ("thinking",)
    for content in ([OWN, CALL], [FOREIGN, {"type": "text", "text": "Yes."}], "Yes."):
        assert body_of(with_turns("hi", content, "and?", thinking=thinking))["thinking"] == thinking


def test_ids_that_claude_refuses_are_others() -> None:
    """Case 49: a call and its result still agree."""
    call, result = {**CALL, "id": "functions.x:0"}, {**RESULT, "tool_use_id": "functions.x:0"}

    _, turn, answer = body_of(with_turns("hi", [call], [result]))["messages"]

    assert re.fullmatch("toolu_[0-9a-f]{24}", turn["content"][0]["id"])
    assert answer["content"] == [{**RESULT, "tool_use_id": turn["content"][0]["id"]}]


@pytest.mark.parametrize("kind", [None, [], {}, 5])
def test_what_is_wrong_with_a_block_is_for_claude_to_say(kind: Any) -> None:
    """It is handed on as it is."""
    block = {"type": kind, "id": ["x"], "signature": 5}

    sent = body_of(with_turns([block], [block], "and?", thinking={"type": "adaptive"}))

    assert sent["messages"] == with_turns([block], [block], "and?")["messages"]


def test_edits_come_last() -> None:
    """Operators and callers have the last word."""
    edits = Edits(body=(BodyEdit(pointer="/max_tokens", value=7),))

    assert body_of(BODY, edits=edits)["max_tokens"] == 7


def test_at_vertex_the_url_names_the_model() -> None:
    """And the body the version."""
    wire = relayed(BODY, kind="gcp_vertex_anthropic", headers={"anthropic-beta": "a"})

    sent = decode_json(wire.body)
    assert list(sent) == ["anthropic_version", "max_tokens", "foo", "messages", "stream"]
    assert sent["anthropic_version"] == "vertex-2023-10-16"
    assert wire.url.endswith("/publishers/anthropic/models/m-1:streamRawPredict")
    assert wire.headers["anthropic-beta"] == "a"
    assert "anthropic-version" not in wire.headers


def counted(kind: str = "anthropic", **keys: Any) -> WireRequest | None:
    """The request that asks for the number of tokens."""
    dialect = make_dialect(kind, **keys)
    assert isinstance(dialect, Counting)
    edits = Edits(
        body=(BodyEdit(pointer="/max_tokens", value=7),), headers=(HeaderEdit(name="X", value="1"),)
    )
    return dialect.count_request(asked(BODY, {"anthropic-beta": "a"}), CREDENTIALS, edits)


def test_tokens_are_counted_by_a_request_of_their_own() -> None:
    """It holds what would be read, and nothing about what would be written."""
    wire = counted()

    assert wire is not None
    assert wire.url == "https://api.anthropic.com/v1/messages/count_tokens"
    assert decode_json(wire.body) == {
        "model": "m-1",
        "foo": {"z": 1, "a": [2]},
        "messages": [{"role": "user", "content": "hi"}],
    }
    assert (wire.headers["anthropic-beta"], wire.headers["X"]) == ("a", "1")
    assert "Accept" not in wire.headers


def test_at_vertex_a_model_of_its_own_counts() -> None:
    """It is asked in the body of any request to Vertex; an endpoint has nobody who counts."""
    wire = counted("gcp_vertex_anthropic")

    assert wire is not None
    assert wire.url.endswith("/publishers/anthropic/models/count-tokens:rawPredict")
    assert decode_json(wire.body)["model"] == "m-1"
    assert decode_json(wire.body)["anthropic_version"] == "vertex-2023-10-16"
    assert counted("gcp_vertex_anthropic", model_id=None, endpoint_id="e") is None


def test_the_count_is_read() -> None:
    """Whatever is no count is no answer."""
    dialect = make_dialect("anthropic")
    assert isinstance(dialect, Counting)

    assert dialect.read_count(200, {}, b'{"input_tokens":12}') == 12
    for status, body in ((200, b"{}"), (200, b"12"), (200, b'{"input_tokens":"12"}'), (529, b"")):
        with pytest.raises(AttemptFailed):
            dialect.read_count(status, {}, body)
