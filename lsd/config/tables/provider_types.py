"""`[provider_types]`: what holds for all providers of one type."""

from typing import Annotated, Literal

import attrs

from lsd.config.kinds import BucketUri, HttpUrl
from lsd.config.tables.credentials import ApiKeyDefaults, Credential, CredentialDefaults

NO_API_KEY_DEFAULTS = ApiKeyDefaults()
NO_CREDENTIAL_DEFAULTS = CredentialDefaults()


@attrs.frozen(kw_only=True)
class ApiKeyType:
    """A provider type with an API key."""

    defaults: ApiKeyDefaults = NO_API_KEY_DEFAULTS


@attrs.frozen(kw_only=True)
class FireworksSft:
    """Fine-tuning at Fireworks."""

    account_id: str


@attrs.frozen(kw_only=True)
class FireworksType(ApiKeyType):
    """Fireworks AI."""

    sft: FireworksSft | None = None


@attrs.frozen(kw_only=True)
class TogetherSft:
    """Fine-tuning at Together."""

    wandb_api_key: Credential | None = None
    wandb_base_url: str | None = None
    wandb_project_name: str | None = None
    hf_api_token: Credential | None = None


@attrs.frozen(kw_only=True)
class TogetherType(ApiKeyType):
    """Together AI."""

    sft: TogetherSft | None = None


@attrs.frozen(kw_only=True)
class CredentialType:
    """A provider type of GCP."""

    defaults: CredentialDefaults = NO_CREDENTIAL_DEFAULTS


@attrs.frozen(kw_only=True)
class GcpBatch:
    """Where native batches of Gemini at Vertex AI leave their files."""

    storage_type: Literal["none", "cloud_storage"] = "none"
    input_uri_prefix: Annotated[str, BucketUri()] | None = None
    output_uri_prefix: Annotated[str, BucketUri()] | None = None
    storage_api_base: Annotated[str, HttpUrl()] = "https://storage.googleapis.com/"


@attrs.frozen(kw_only=True)
class GcpSft:
    """Fine-tuning at Vertex AI."""

    project_id: str
    region: str
    bucket_name: str
    bucket_path_prefix: str | None = None
    service_account: str | None = None
    kms_key_name: str | None = None


@attrs.frozen(kw_only=True)
class GcpVertexGeminiType(CredentialType):
    """Gemini at Vertex AI."""

    batch: GcpBatch | None = None
    sft: GcpSft | None = None


NO_API_KEY_TYPE = ApiKeyType()


@attrs.frozen(kw_only=True)
class ProviderTypes:
    """Each type that has a credential with a location."""

    anthropic: ApiKeyType = NO_API_KEY_TYPE
    azure: ApiKeyType = NO_API_KEY_TYPE
    deepseek: ApiKeyType = NO_API_KEY_TYPE
    fireworks: FireworksType = FireworksType()
    gcp_vertex_anthropic: CredentialType = CredentialType()
    gcp_vertex_gemini: GcpVertexGeminiType = GcpVertexGeminiType()
    google_ai_studio_gemini: ApiKeyType = NO_API_KEY_TYPE
    groq: ApiKeyType = NO_API_KEY_TYPE
    hyperbolic: ApiKeyType = NO_API_KEY_TYPE
    mistral: ApiKeyType = NO_API_KEY_TYPE
    openai: ApiKeyType = NO_API_KEY_TYPE
    openrouter: ApiKeyType = NO_API_KEY_TYPE
    sglang: ApiKeyType = NO_API_KEY_TYPE
    tgi: ApiKeyType = NO_API_KEY_TYPE
    together: TogetherType = TogetherType()
    vllm: ApiKeyType = NO_API_KEY_TYPE
    xai: ApiKeyType = NO_API_KEY_TYPE
