"""`[models.M.providers.P]`: one class for each provider type."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

import attrs

from lsd.config.kinds import (
    Bounds,
    Count,
    Deprecated,
    EchoStatuses,
    HttpUrl,
    JsonTable,
    Natural,
    TextForm,
)
from lsd.config.tables.cost import CostEntry
from lsd.config.tables.credentials import (
    Credential,
    LiteralOrLocation,
    PlainLocation,
    SdkLocation,
)
from lsd.config.tables.extra import ExtraBodyEntry, ExtraHeaderEntry
from lsd.config.tables.timeouts import NO_TIMEOUTS, Timeouts

_CHAT_PATH = "/chat/completions"


def _without_chat_path(url: str) -> str:
    bare = url.removesuffix("/")
    return bare.removesuffix(_CHAT_PATH) + "/" if bare.endswith(_CHAT_PATH) else url


def _chat_path_warning(url: str) -> str | None:
    if not url.removesuffix("/").endswith(_CHAT_PATH):
        return None
    return f"ends in {_CHAT_PATH}, which is left out; the base ends before it"


ApiBase = Annotated[
    str,
    HttpUrl(),
    TextForm(
        kind="URL",
        parse=_without_chat_path,
        show=str,
        placeholder="",
        warn=_chat_path_warning,
    ),
]


@attrs.frozen(kw_only=True)
class AnyProvider:
    """What every provider of a chat model has."""

    credential_key: ClassVar[str | None] = "api_key_location"

    timeouts: Timeouts = NO_TIMEOUTS
    extra_body: tuple[ExtraBodyEntry, ...] = ()
    extra_headers: tuple[ExtraHeaderEntry, ...] = ()
    cost: tuple[CostEntry, ...] = ()
    batch_cost: tuple[CostEntry, ...] = ()
    batch: Literal["auto", "native", "local"] = "auto"
    discard_unknown_chunks: bool = False

    @property
    def thought_type(self) -> str:
        """What its models' thoughts are marked with: only those of the same mark go back to it."""
        table: Any = self
        return str(table.type)

    @property
    def own_location(self) -> Any:
        """Where this provider's own table says that its credential is; None if it does not."""
        return getattr(self, self.credential_key) if self.credential_key else None


@attrs.frozen(kw_only=True)
class ChatProvider(AnyProvider):
    """What the types that speak OpenAI's chat completions share."""

    parse_think_blocks: bool = False
    api_key_location: Credential | None = None


@attrs.frozen(kw_only=True)
class OpenAIProvider(ChatProvider):
    """OpenAI, or any server that speaks its language."""

    type: Literal["openai"] = "openai"
    model_name: str
    api_base: ApiBase = "https://api.openai.com/v1/"
    api_type: Literal["chat_completions", "responses"] = "chat_completions"
    include_encrypted_reasoning: bool = False
    provider_tools: tuple[JsonTable, ...] = ()
    content_type_overrides: Mapping[str, Literal["image_url", "file", "input_audio"]] = attrs.field(
        factory=dict
    )


@attrs.frozen(kw_only=True)
class AzureProvider(ChatProvider):
    """Azure OpenAI."""

    type: Literal["azure"] = "azure"
    deployment_id: str
    endpoint: LiteralOrLocation
    api_version: str = "2025-04-01-preview"


@attrs.frozen(kw_only=True)
class DeepSeekProvider(ChatProvider):
    """DeepSeek."""

    type: Literal["deepseek"] = "deepseek"
    model_name: str
    api_base: ApiBase = "https://api.deepseek.com/v1"


@attrs.frozen(kw_only=True)
class FireworksProvider(ChatProvider):
    """Fireworks AI."""

    type: Literal["fireworks"] = "fireworks"
    model_name: str
    api_base: ApiBase = "https://api.fireworks.ai/inference/v1/"
    parse_think_blocks: bool = True


@attrs.frozen(kw_only=True)
class GroqProvider(ChatProvider):
    """Groq."""

    type: Literal["groq"] = "groq"
    model_name: str
    api_base: ApiBase = "https://api.groq.com/openai/v1"
    reasoning_format: str | None = None


@attrs.frozen(kw_only=True)
class HyperbolicProvider(ChatProvider):
    """Hyperbolic."""

    type: Literal["hyperbolic"] = "hyperbolic"
    model_name: str
    api_base: ApiBase = "https://api.hyperbolic.xyz/v1/"


@attrs.frozen(kw_only=True)
class MistralProvider(ChatProvider):
    """Mistral AI."""

    type: Literal["mistral"] = "mistral"
    model_name: str
    api_base: ApiBase = "https://api.mistral.ai/v1/"
    prompt_mode: str | None = None


@attrs.frozen(kw_only=True)
class OpenRouterProvider(ChatProvider):
    """OpenRouter."""

    type: Literal["openrouter"] = "openrouter"
    model_name: str
    api_base: ApiBase = "https://openrouter.ai/api/v1"


@attrs.frozen(kw_only=True)
class TogetherProvider(ChatProvider):
    """Together AI."""

    type: Literal["together"] = "together"
    model_name: str
    api_base: ApiBase = "https://api.together.xyz/v1/"
    parse_think_blocks: bool = True


@attrs.frozen(kw_only=True)
class XaiProvider(ChatProvider):
    """xAI."""

    type: Literal["xai"] = "xai"
    model_name: str
    api_base: ApiBase = "https://api.x.ai/v1"


@attrs.frozen(kw_only=True)
class VllmProvider(ChatProvider):
    """A vLLM server."""

    type: Literal["vllm"] = "vllm"
    model_name: str
    api_base: ApiBase


@attrs.frozen(kw_only=True)
class SglangProvider(ChatProvider):
    """An SGLang server."""

    type: Literal["sglang"] = "sglang"
    model_name: str
    api_base: ApiBase


@attrs.frozen(kw_only=True)
class TgiProvider(ChatProvider):
    """A Text Generation Inference server, which has one model and asks for no name."""

    type: Literal["tgi"] = "tgi"
    api_base: ApiBase


@attrs.frozen(kw_only=True)
class AnthropicProvider(AnyProvider):
    """Anthropic; its base may end in `/messages`."""

    type: Literal["anthropic"] = "anthropic"
    model_name: str
    api_base: Annotated[str, HttpUrl()] = "https://api.anthropic.com/v1/"
    api_key_location: Credential | None = None
    provider_tools: tuple[JsonTable, ...] = ()
    beta_structured_outputs: bool | None = None
    forward_anthropic_beta: bool = True


@attrs.frozen(kw_only=True)
class GoogleAIStudioGeminiProvider(AnyProvider):
    """Gemini at Google AI Studio."""

    type: Literal["google_ai_studio_gemini"] = "google_ai_studio_gemini"
    model_name: str
    api_base: Annotated[str, HttpUrl()] = "https://generativelanguage.googleapis.com/v1beta/"
    api_key_location: Credential | None = None


@attrs.frozen(kw_only=True)
class GcpProvider(AnyProvider):
    """What the types of Vertex AI share; without `api_base` the location decides the host."""

    credential_key: ClassVar[str | None] = "credential_location"

    location: str
    project_id: str
    model_id: str | None = None
    endpoint_id: str | None = None
    api_base: Annotated[str, HttpUrl()] | None = None
    credential_location: Credential | None = None


@attrs.frozen(kw_only=True)
class GcpVertexAnthropicProvider(GcpProvider):
    """Claude at Vertex AI."""

    type: Literal["gcp_vertex_anthropic"] = "gcp_vertex_anthropic"
    provider_tools: tuple[JsonTable, ...] = ()
    beta_structured_outputs: bool = False
    forward_anthropic_beta: bool = True


@attrs.frozen(kw_only=True)
class GcpVertexGeminiProvider(GcpProvider):
    """Gemini at Vertex AI."""

    type: Literal["gcp_vertex_gemini"] = "gcp_vertex_gemini"


@attrs.frozen(kw_only=True)
class AwsProvider(AnyProvider):
    """What the types of AWS share; without keys of its own the chain of the SDK counts."""

    credential_key: ClassVar[str | None] = None

    region: LiteralOrLocation | None = None
    allow_auto_detect_region: Annotated[bool, Deprecated('write region = "sdk"')] = False
    endpoint_url: LiteralOrLocation | None = None
    access_key_id: PlainLocation | None = None
    secret_access_key: PlainLocation | None = None
    session_token: PlainLocation | None = None

    @property
    def finds_region(self) -> bool:
        """Whether the region is that of the machine."""
        return self.region is None or isinstance(self.region, SdkLocation)


@attrs.frozen(kw_only=True)
class AwsBedrockProvider(AwsProvider):
    """A model at Bedrock, by the Converse API."""

    type: Literal["aws_bedrock"] = "aws_bedrock"
    model_id: str
    api_key: PlainLocation | None = None


@attrs.frozen(kw_only=True)
class AwsSagemakerProvider(AwsProvider):
    """An endpoint at SageMaker, in the language of what it hosts."""

    type: Literal["aws_sagemaker"] = "aws_sagemaker"
    endpoint_name: str
    model_name: str
    hosted_provider: Literal["openai", "tgi"]

    @property
    def thought_type(self) -> str:
        return f"{self.type}::{self.hosted_provider}"


@attrs.frozen(kw_only=True)
class EchoProvider(AnyProvider):
    """The built-in provider: offline, without a key, the same answer to the same question."""

    credential_key: ClassVar[str | None] = None

    type: Literal["echo"] = "echo"
    model_name: str = "echo"
    reply: str = "{{ text }}"
    delay_ms: Natural = 0
    chunk_delay_ms: Natural = 0
    fail_rate: Annotated[float, Bounds(minimum=0, maximum=1)] = 0.0
    statuses: Annotated[tuple[int, ...], EchoStatuses()] = ()
    dimensions: Count = 64


Provider = (
    OpenAIProvider
    | EchoProvider
    | AnthropicProvider
    | AwsBedrockProvider
    | AwsSagemakerProvider
    | AzureProvider
    | DeepSeekProvider
    | FireworksProvider
    | GcpVertexAnthropicProvider
    | GcpVertexGeminiProvider
    | GoogleAIStudioGeminiProvider
    | GroqProvider
    | HyperbolicProvider
    | MistralProvider
    | OpenRouterProvider
    | SglangProvider
    | TgiProvider
    | TogetherProvider
    | VllmProvider
    | XaiProvider
)

PROVIDER_CLASSES: dict[str, type[Provider]] = {
    str(attrs.fields_dict(each)["type"].default): each for each in get_args(Provider)
}
"""Every provider type, with the class of its table."""

PROVIDER_TYPES = tuple(sorted(PROVIDER_CLASSES))
