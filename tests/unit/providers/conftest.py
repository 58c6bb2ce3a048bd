"""Requests, dialects and fixtures that the tests of dialects share."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest

from lsd.config import OpenAIProvider
from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    ContentChunk,
    ModelChunk,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    StreamEvent,
    StreamFault,
    Text,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
    Usage,
    block_to_json,
    decode_json,
    encode_json,
)
from lsd.providers import Dialect, dialect_for

FIXTURES = Path(__file__).parent / "fixtures"

PROVIDERS: dict[str, Any] = {"openai": OpenAIProvider}
"""The classes of `[models.M.providers.P]` by the types that speak chat completions."""

DEFAULTS = {"openai": {"model_name": "m-1"}}

_GENERATED_ID = re.compile(r"call_[A-Za-z0-9]{24}")

MakeDialect = Callable[..., Dialect]


@pytest.fixture
def dialect() -> MakeDialect:
    """Makes the dialect of a provider of some type, with these keys in its table."""
    return make_dialect


def make_dialect(provider_type: str = "openai", **keys: Any) -> Dialect:
    """The dialect of a provider of this type, for the entry "box" of the model "local"."""
    provider = PROVIDERS[provider_type](**{**DEFAULTS[provider_type], **keys})
    return dialect_for(provider, model_name="local", provider_name="box", random=Random(7))


@pytest.fixture
def request_of() -> Callable[..., ModelRequest]:
    """Makes a request whose user says "Hi", or the given blocks, role by role."""

    def make(*turns: Any, **fields: Any) -> ModelRequest:
        turns = turns or ("Hi",)
        messages = []
        for place, turn in enumerate(turns):
            blocks = (Text(text=turn),) if isinstance(turn, str) else turn
            role = "assistant" if place % 2 else "user"
            messages.append(ModelMessage(role=role, content=tuple(blocks)))  # type: ignore[arg-type]
        return ModelRequest(messages=tuple(messages), **fields)

    return make


@pytest.fixture
def body_of() -> Callable[..., dict[str, Any]]:
    """Encodes a request and gives its body as it is sent."""

    def encode(dialect: Dialect, request: ModelRequest) -> dict[str, Any]:
        wire = dialect.encode(request, {"api_key": "sk-secret"}, NO_EDITS)
        body = decode_json(wire.body)
        assert isinstance(body, dict)
        return body

    return encode


@attrs.frozen
class Fixture:
    """The bytes of an answer, how they came, and what they mean."""

    folder: str
    name: str
    wire: bytes
    status: int
    headers: Mapping[str, str]
    keys: Mapping[str, Any]
    expected: Any

    def dialect(self) -> Dialect:
        """The dialect that reads it."""
        return make_dialect(self.folder, **self.keys)


def fixtures(suffix: str) -> Iterator[Any]:
    """All fixtures with wire files of this kind, for `parametrize`."""
    for path in sorted(FIXTURES.glob(f"*/*{suffix}")):
        told = decode_json(path.with_suffix(".expected.json").read_bytes())
        streamed = "text/event-stream" if suffix == ".sse" else "application/json"
        given = told.pop("given", {})
        fixture = Fixture(
            path.parent.name,
            path.stem,
            path.read_bytes(),
            given.get("status", 200),
            {"content-type": streamed, **given.get("headers", {})},
            given.get("provider", {}),
            told,
        )
        yield pytest.param(fixture, id=f"{path.parent.name}/{path.stem}")


def shown_response(response: ModelResponse) -> dict[str, Any]:
    """A response as the expectation of a fixture shows it."""
    return _with_made_up_ids(
        _set_only(
            output=[block_to_json(block) for block in response.output],
            usage=_usage(response.usage),
            raw_usage=response.raw_usage,
            finish_reason=response.finish_reason,
        )
    )


def shown_failure(failure: AttemptFailed) -> dict[str, Any]:
    """A failure as the expectation of a fixture shows it."""
    return {"kind": failure.kind, "text": failure.text}


def shown_events(events: list[StreamEvent]) -> list[dict[str, Any]]:
    """The events of a stream as the expectation of a fixture shows them."""
    shown = _with_made_up_ids([_event(event) for event in events])
    assert isinstance(shown, list)
    return shown


def _event(event: StreamEvent) -> dict[str, Any]:
    if isinstance(event, StreamFault):
        return {"fault": shown_failure(event.failure), "fatal": event.fatal}
    assert isinstance(event, ModelChunk)
    return _set_only(
        content=[_chunk(each) for each in event.content],
        usage=_usage(event.usage or Usage()),
        finish_reason=event.finish_reason,
    )


def _chunk(chunk: ContentChunk) -> dict[str, Any]:
    kinds = {
        TextChunk: "text",
        ToolCallChunk: "tool_call",
        ThoughtChunk: "thought",
        UnknownChunk: "unknown",
    }
    return {"type": kinds[type(chunk)], **_set_only(**attrs.asdict(chunk))}


def _usage(usage: Usage) -> dict[str, Any]:
    return _set_only(**attrs.asdict(usage))


def _set_only(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, "", [], {})}


def _with_made_up_ids(shown: Any) -> Any:
    """Ids that were generated become NEW-1, NEW-2, … in the order in which they appear."""
    text = encode_json(shown).decode()
    for number, made_up in enumerate(dict.fromkeys(_GENERATED_ID.findall(text)), 1):
        text = text.replace(made_up, f"NEW-{number}")
    return decode_json(text)
