"""`lsd.toml`: read, checked as a whole before anything starts, and then never again.

*Sources* say where the files are; *loading* merges them into one *Config* of frozen tables whose
attributes have the names of the keys, or refuses them with all *problems* at once. *Secrets* finds
the credentials whose *locations* the tables hold.
"""

from lsd.config.aws_profiles import (
    METADATA_SWITCH,
    AwsProfile,
    BadAwsProfile,
    may_ask_metadata,
    read_profile,
    written_region,
)
from lsd.config.describe import (
    KeyDescription,
    describe,
)
from lsd.config.dynamic_variant import (
    DYNAMIC_VARIANT,
    read_dynamic_variant,
)
from lsd.config.gcp_credentials import (
    AuthorizedUser,
    BadGcpCredential,
    GcpCredential,
    ServiceAccountKey,
    read_gcp_credential,
)
from lsd.config.handover import (
    hand_over,
    take_over,
)
from lsd.config.key_path import (
    KeyPath,
    show_path,
)
from lsd.config.loaded import (
    Loaded,
)
from lsd.config.loading import (
    load,
    load_storage,
)
from lsd.config.locations import (
    effective_location,
)
from lsd.config.problem import (
    ConfigRefused,
    Problem,
)
from lsd.config.reloading import (
    restart_only_differences,
)
from lsd.config.rsa_keys import (
    RsaKey,
    read_rsa_key,
)
from lsd.config.secrets import (
    CredentialMissing,
    Secrets,
)
from lsd.config.shorthand import (
    SHORTHAND_TYPES,
    shorthand_embedding_model,
    shorthand_model,
    shorthand_problem,
)
from lsd.config.snapshot import (
    open_snapshot,
    without_secrets,
)
from lsd.config.sources import (
    Sources,
)
from lsd.config.tables.address import (
    Address,
)
from lsd.config.tables.config import (
    Config,
)
from lsd.config.tables.cost import (
    CostEntry,
)
from lsd.config.tables.credentials import (
    ApiKeyDefaults,
    CredentialDefaults,
    DynamicLocation,
    EnvLocation,
    FallbackLocation,
    LiteralLocation,
    Location,
    NoneLocation,
    PathFromEnvLocation,
    PathLocation,
    SdkLocation,
)
from lsd.config.tables.embedding_providers import (
    AzureEmbeddingProvider,
    EchoEmbeddingProvider,
    EmbeddingProvider,
    OpenAIEmbeddingProvider,
    OpenRouterEmbeddingProvider,
    SglangEmbeddingProvider,
    VllmEmbeddingProvider,
)
from lsd.config.tables.evaluators import (
    Evaluation,
    Evaluator,
)
from lsd.config.tables.experimentation import (
    AdaptiveExperiment,
    DefaultExperiment,
    Experiment,
    Experimentation,
    StaticExperiment,
)
from lsd.config.tables.extra import (
    ExtraBodyEntry,
    ExtraHeaderEntry,
)
from lsd.config.tables.functions import (
    ChatFunction,
    ForcedTool,
    Function,
    JsonFunction,
)
from lsd.config.tables.gateway import (
    Auth,
    BatchInference,
    BatchWrites,
    Cache,
    Gateway,
    Observability,
    Tls,
    Traces,
)
from lsd.config.tables.metric import (
    Metric,
)
from lsd.config.tables.models import (
    EmbeddingModel,
    Model,
)
from lsd.config.tables.provider_types import (
    GcpBatch,
    ProviderTypes,
)
from lsd.config.tables.providers import (
    PROVIDER_TYPES,
    AnthropicProvider,
    AwsBedrockProvider,
    AwsProvider,
    AwsSagemakerProvider,
    AzureProvider,
    ChatProvider,
    DeepSeekProvider,
    EchoProvider,
    FireworksProvider,
    GcpProvider,
    GcpVertexAnthropicProvider,
    GcpVertexGeminiProvider,
    GoogleAIStudioGeminiProvider,
    GroqProvider,
    HyperbolicProvider,
    MistralProvider,
    OpenAIProvider,
    OpenRouterProvider,
    Provider,
    SglangProvider,
    TgiProvider,
    TogetherProvider,
    VllmProvider,
    XaiProvider,
)
from lsd.config.tables.rate_limiting import (
    EACH,
    TOTAL,
    ApiKeyScope,
    Limit,
    RateLimiting,
    RateLimitRule,
    Resource,
    ScopeEntry,
    TagScope,
)
from lsd.config.tables.storage import (
    FilesystemObjects,
    NoObjects,
    ObjectStorage,
    S3Objects,
    Storage,
)
from lsd.config.tables.timeouts import (
    NonStreamingTimeouts,
    StreamingTimeouts,
    Timeouts,
)
from lsd.config.tables.tool import (
    Tool,
)
from lsd.config.tables.variants import (
    BestOfNVariant,
    ChainOfThoughtVariant,
    ChatCompletionVariant,
    DiclVariant,
    Generation,
    MixtureOfNVariant,
    PromptedGeneration,
    Retries,
    Template,
    TextFile,
    Variant,
)

__all__ = [
    "DYNAMIC_VARIANT",
    "EACH",
    "METADATA_SWITCH",
    "PROVIDER_TYPES",
    "SHORTHAND_TYPES",
    "TOTAL",
    "AdaptiveExperiment",
    "Address",
    "AnthropicProvider",
    "ApiKeyDefaults",
    "ApiKeyScope",
    "Auth",
    "AuthorizedUser",
    "AwsBedrockProvider",
    "AwsProfile",
    "AwsProvider",
    "AwsSagemakerProvider",
    "AzureEmbeddingProvider",
    "AzureProvider",
    "BadAwsProfile",
    "BadGcpCredential",
    "BatchInference",
    "BatchWrites",
    "BestOfNVariant",
    "Cache",
    "ChainOfThoughtVariant",
    "ChatCompletionVariant",
    "ChatFunction",
    "ChatProvider",
    "Config",
    "ConfigRefused",
    "CostEntry",
    "CredentialDefaults",
    "CredentialMissing",
    "DeepSeekProvider",
    "DefaultExperiment",
    "DiclVariant",
    "DynamicLocation",
    "EchoEmbeddingProvider",
    "EchoProvider",
    "EmbeddingModel",
    "EmbeddingProvider",
    "EnvLocation",
    "Evaluation",
    "Evaluator",
    "Experiment",
    "Experimentation",
    "ExtraBodyEntry",
    "ExtraHeaderEntry",
    "FallbackLocation",
    "FilesystemObjects",
    "FireworksProvider",
    "ForcedTool",
    "Function",
    "Gateway",
    "GcpBatch",
    "GcpCredential",
    "GcpProvider",
    "GcpVertexAnthropicProvider",
    "GcpVertexGeminiProvider",
    "Generation",
    "GoogleAIStudioGeminiProvider",
    "GroqProvider",
    "HyperbolicProvider",
    "JsonFunction",
    "KeyDescription",
    "KeyPath",
    "Limit",
    "LiteralLocation",
    "Loaded",
    "Location",
    "Metric",
    "MistralProvider",
    "MixtureOfNVariant",
    "Model",
    "NoObjects",
    "NonStreamingTimeouts",
    "NoneLocation",
    "ObjectStorage",
    "Observability",
    "OpenAIEmbeddingProvider",
    "OpenAIProvider",
    "OpenRouterEmbeddingProvider",
    "OpenRouterProvider",
    "PathFromEnvLocation",
    "PathLocation",
    "Problem",
    "PromptedGeneration",
    "Provider",
    "ProviderTypes",
    "RateLimitRule",
    "RateLimiting",
    "Resource",
    "Retries",
    "RsaKey",
    "S3Objects",
    "ScopeEntry",
    "SdkLocation",
    "Secrets",
    "ServiceAccountKey",
    "SglangEmbeddingProvider",
    "SglangProvider",
    "Sources",
    "StaticExperiment",
    "Storage",
    "StreamingTimeouts",
    "TagScope",
    "Template",
    "TextFile",
    "TgiProvider",
    "Timeouts",
    "Tls",
    "TogetherProvider",
    "Tool",
    "Traces",
    "Variant",
    "VllmEmbeddingProvider",
    "VllmProvider",
    "XaiProvider",
    "describe",
    "effective_location",
    "hand_over",
    "load",
    "load_storage",
    "may_ask_metadata",
    "open_snapshot",
    "read_dynamic_variant",
    "read_gcp_credential",
    "read_profile",
    "read_rsa_key",
    "restart_only_differences",
    "shorthand_embedding_model",
    "shorthand_model",
    "shorthand_problem",
    "show_path",
    "take_over",
    "without_secrets",
    "written_region",
]
