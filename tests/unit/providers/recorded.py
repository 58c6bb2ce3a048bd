"""Requests, dialects and fixtures that the tests of dialects share."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from random import Random
from typing import Any, Literal

import attrs
import pytest
from structlog.testing import capture_logs

from lsd.config import (
    AnthropicProvider,
    AwsBedrockProvider,
    AwsSagemakerProvider,
    AzureProvider,
    ChatProvider,
    DeepSeekProvider,
    FireworksProvider,
    GcpVertexAnthropicProvider,
    GcpVertexGeminiProvider,
    GoogleAIStudioGeminiProvider,
    GroqProvider,
    HyperbolicProvider,
    LiteralLocation,
    MistralProvider,
    OpenAIProvider,
    OpenRouterProvider,
    SglangProvider,
    TgiProvider,
    TogetherProvider,
    VllmProvider,
    XaiProvider,
)
from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    ContentChunk,
    ModelChunk,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    Role,
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
from tests.fakes.aws_frames import error, event, exception, frame

FIXTURES = Path(__file__).parent / "fixtures"

PROVIDERS: dict[str, Any] = {
    "anthropic": AnthropicProvider,
    "aws_bedrock": AwsBedrockProvider,
    "aws_sagemaker": AwsSagemakerProvider,
    "azure": AzureProvider,
    "deepseek": DeepSeekProvider,
    "fireworks": FireworksProvider,
    "gcp_vertex_anthropic": GcpVertexAnthropicProvider,
    "gcp_vertex_gemini": GcpVertexGeminiProvider,
    "google_ai_studio_gemini": GoogleAIStudioGeminiProvider,
    "groq": GroqProvider,
    "hyperbolic": HyperbolicProvider,
    "mistral": MistralProvider,
    "openai": OpenAIProvider,
    "openrouter": OpenRouterProvider,
    "sglang": SglangProvider,
    "tgi": TgiProvider,
    "together": TogetherProvider,
    "vllm": VllmProvider,
    "xai": XaiProvider,
}
"""The classes of `[models.M.providers.P]` by type."""

CHAT_TYPES = tuple(kind for kind, each in PROVIDERS.items() if issubclass(each, ChatProvider))
"""The types that speak chat completions."""

MESSAGES_TYPES = ("anthropic", "gcp_vertex_anthropic")
"""The types that speak Anthropic's Messages."""

GEMINI_TYPES = ("gcp_vertex_gemini", "google_ai_studio_gemini")
"""The types that speak Gemini's language."""

CREDENTIALS = {
    "api_key": "sk-secret",
    "access_token": "ya29.secret",
    "access_key_id": "AKIDEXAMPLE",
    "secret_access_key": "aws-secret",
    "session_token": None,
    "signed_at": "20260102T030405Z",
    "region": "us-east-1",
}
"""What dialects are told, each by the name that it knows."""

ON_PREMISES = {"api_base": "http://gpu1:8000/v1"}
AT_VERTEX = {"location": "us-central1", "project_id": "proj"}
AT_AWS = {"region": LiteralLocation("us-east-1")}
REQUIRED: dict[str, dict[str, Any]] = {
    "aws_bedrock": {"model_id": "m-1", **AT_AWS},
    "aws_sagemaker": {
        "endpoint_name": "e-1",
        "model_name": "m-1",
        "hosted_provider": "openai",
        **AT_AWS,
    },
    "azure": {"deployment_id": "d-1", "endpoint": LiteralLocation("https://res.example")},
    "gcp_vertex_anthropic": {**AT_VERTEX, "model_id": "m-1"},
    "gcp_vertex_gemini": {**AT_VERTEX, "model_id": "m-1"},
    "sglang": {"model_name": "m-1", **ON_PREMISES},
    "tgi": ON_PREMISES,
    "vllm": {"model_name": "m-1", **ON_PREMISES},
}
"""The keys that a type cannot be without; all others want a model's name."""

_CONTENT_TYPES = {
    ".frames": "application/vnd.amazon.eventstream",
    ".json": "application/json",
    ".sse": "text/event-stream",
}

_GENERATED_ID = re.compile(r"call_[A-Za-z0-9]{24}")


def make_dialect(provider_type: str = "openai", **keys: Any) -> Dialect:
    """The dialect of a provider of this type, for the entry "box" of the model "local"."""
    provider = make_provider(provider_type, **keys)
    return dialect_for(provider, model_name="local", provider_name="box", random=Random(7))


def make_provider(provider_type: str, **keys: Any) -> Any:
    """The table of a provider of this type."""
    return PROVIDERS[provider_type](
        **{**REQUIRED.get(provider_type, {"model_name": "m-1"}), **keys}
    )


def request(*turns: Any, **fields: Any) -> ModelRequest:
    """A request whose turns begin with the user's: a text or blocks each; by default "Hi"."""
    messages = []
    for place, turn in enumerate(turns or ("Hi",)):
        blocks = (Text(text=turn),) if isinstance(turn, str) else tuple(turn)
        role: Role = "assistant" if place % 2 else "user"
        messages.append(ModelMessage(role=role, content=blocks))
    return ModelRequest(messages=tuple(messages), **fields)


def body(dialect: Dialect, asked: ModelRequest) -> dict[str, Any]:
    """The body of the request as it is sent."""
    wire = dialect.encode(asked, CREDENTIALS, NO_EDITS)
    sent = decode_json(wire.body)
    assert isinstance(sent, dict)
    return sent


def refused(dialect: Dialect, asked: ModelRequest) -> str:
    """Why the request cannot be sent to this provider."""
    with pytest.raises(AttemptFailed) as failed:
        dialect.encode(asked, CREDENTIALS, NO_EDITS)
    assert failed.value.kind == "config"
    return failed.value.text


def warned(dialect: Dialect, asked: ModelRequest) -> list[str]:
    """The parameters that the encoding of the request warns of."""
    with capture_logs() as logs:
        dialect.encode(asked, CREDENTIALS, NO_EDITS)
    assert all(each["log_level"] == "warning" for each in logs)
    assert all(each["provider_type"] == dialect.provider_type for each in logs)
    return [each["parameter"] for each in logs]


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


def fixtures(kind: Literal["answers", "streams"], types: Collection[str] = CHAT_TYPES) -> list[Any]:
    """All fixtures of this kind for providers of these types, for `parametrize`."""
    found = []
    for path in sorted(FIXTURES.glob(f"*/{kind}/*")):
        if path.name.endswith(".expected.json") or path.parent.parent.name not in types:
            continue
        told = decode_json(path.with_suffix(".expected.json").read_bytes())
        given = told.pop("given", {})
        folder = path.parent.parent.name
        fixture = Fixture(
            folder,
            path.stem,
            _wire(path),
            given.get("status", 200),
            {"content-type": _CONTENT_TYPES[path.suffix], **given.get("headers", {})},
            given.get("provider", {}),
            told,
        )
        found.append(pytest.param(fixture, id=f"{folder}/{path.stem}"))
    return found


def as_from(provider_type: str, kind: Literal["answers", "streams"]) -> list[Fixture]:
    """What OpenAI sends, as another chat type would: it means the same under that type's name.

    Tags in a text are no thoughts here. Left out are the Responses API, which only OpenAI has,
    settings of OpenAI's own, and what TGI has other rules for: streamed calls, and its code words.
    """
    found = []
    for (fixture,) in (each.values for each in fixtures(kind, ("openai",))):
        own = fixture.name.startswith("responses_") or fixture.keys
        of_tgi = kind == "streams" and re.search(
            rb"tool_calls|function_call|overloaded", fixture.wire
        )
        if own or (of_tgi and provider_type == "tgi"):
            continue
        told = encode_json(fixture.expected).decode()
        for mark in ('"provider_type":"', '"text":"'):
            told = re.sub(rf"{mark}openai\b", f"{mark}{provider_type}", told)
        keys = {"parse_think_blocks": False}
        found.append(
            attrs.evolve(fixture, folder=provider_type, keys=keys, expected=decode_json(told))
        )
    return found


def _wire(path: Path) -> bytes:
    """The bytes of an answer; each line of `.frames` stands for one message of an event stream."""
    if path.suffix != ".frames":
        return path.read_bytes()
    return b"".join(_frame(decode_json(line)) for line in path.read_bytes().splitlines())


def _frame(told: Any) -> bytes:
    match told:
        case {"event": str(kind), "payload": payload}:
            return event(kind, payload)
        case {"event": str(kind), "text": str(text)}:
            return event(kind, text.encode())
        case {"exception": str(kind), "payload": payload}:
            return exception(kind, payload)
        case {"error": str(code), "message": str(message)}:
            return error(code, message)
        case {"headers": headers, "text": str(text)}:
            return frame(headers, text.encode())
        case {"hex": str(text)}:
            return bytes.fromhex(text)
        case _:
            raise AssertionError(f"no line of a fixture: {told}")


def read_stream(fixture: Fixture, pieces: list[bytes]) -> Any:
    """What a streamed fixture means when its bytes come in these pieces."""
    decoder = fixture.dialect().stream_decoder(fixture.status, fixture.headers)
    try:
        events = [event for piece in pieces for event in decoder.feed(piece)]
        events += decoder.finish(cut=False)
    except AttemptFailed as failure:
        return {"failure": shown_failure(failure)}
    return {"events": shown_events(events)}


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
