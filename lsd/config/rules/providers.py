"""What has to agree within the table of one provider."""

import re
from typing import Final

from minijinja import Environment, TemplateError

from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath
from lsd.config.kinds import HttpUrl
from lsd.config.rules.cost import check_cost
from lsd.config.rules.extras import check_extras
from lsd.config.tables.config import Config
from lsd.config.tables.credentials import (
    DynamicLocation,
    EnvLocation,
    LiteralLocation,
    NoneLocation,
    SdkLocation,
    SingleLocation,
)
from lsd.config.tables.embedding_providers import AzureEmbeddingProvider, EchoEmbeddingProvider
from lsd.config.tables.providers import (
    AwsBedrockProvider,
    AwsProvider,
    AzureProvider,
    EchoProvider,
    GcpProvider,
    GcpVertexGeminiProvider,
    OpenAIProvider,
    Provider,
)

_AWS_HOST: Final = re.compile(r"https?://[^/]*\.amazonaws\.com(\.cn)?(:\d+)?(/.*)?")
_GCP_LOCATION: Final = re.compile(r"[A-Za-z0-9-]+")
"""Of these names hosts are made, to which tokens are sent."""

_CALLERS_CHOOSE: Final = "callers choose where the credential is sent"


def check_providers(config: Config, findings: Findings) -> None:
    """The providers of all models and embedding models."""
    for model, each in config.models.items():
        for name, provider in each.providers.items():
            path: KeyPath = ("models", model, "providers", name)
            check_extras(path, provider.extra_body, provider.extra_headers, findings)
            check_cost((*path, "cost"), provider.cost, findings)
            check_cost((*path, "batch_cost"), provider.batch_cost, findings, can_split=False)
            _check_batch(path, provider, config, findings)
            _check_type(path, provider, findings)
    for model, embedding_model in config.embedding_models.items():
        for name, embedding in embedding_model.providers.items():
            path = ("embedding_models", model, "providers", name)
            check_extras(path, embedding.extra_body, embedding.extra_headers, findings)
            check_cost((*path, "cost"), embedding.cost, findings, can_split=False)
            match embedding:
                case AzureEmbeddingProvider():
                    _check_endpoint((*path, "endpoint"), embedding.endpoint, findings)
                case EchoEmbeddingProvider():
                    _check_echo(path, embedding, findings)
                case _:
                    pass
    _check_gcp_batch(config, findings)


def _check_type(path: KeyPath, provider: Provider, findings: Findings) -> None:
    match provider:
        case OpenAIProvider():
            _check_openai(path, provider, findings)
        case AzureProvider():
            _check_endpoint((*path, "endpoint"), provider.endpoint, findings)
        case GcpProvider():
            if not _GCP_LOCATION.fullmatch(provider.location):
                found = f'found "{provider.location}"'
                findings.refuse((*path, "location"), found, "wanted a name such as us-central1")
            if (provider.model_id is None) == (provider.endpoint_id is None):
                found = "neither" if provider.model_id is None else "both"
                found = f"found {found} of model_id and endpoint_id"
                findings.refuse(path, found, "wanted exactly one of them")
        case AwsProvider():
            _check_aws(path, provider, findings)
        case EchoProvider():
            _check_echo(path, provider, findings)
        case _:
            pass


def _check_openai(path: KeyPath, provider: OpenAIProvider, findings: Findings) -> None:
    if provider.api_type == "responses":
        return
    wanted = 'it needs api_type = "responses"'
    if provider.include_encrypted_reasoning:
        findings.refuse((*path, "include_encrypted_reasoning"), "found true", wanted)
    if provider.provider_tools:
        found = "chat completions have no tools of the provider"
        findings.refuse((*path, "provider_tools"), found, wanted)


def _check_endpoint(path: KeyPath, location: SingleLocation, findings: Findings) -> None:
    match location:
        case LiteralLocation(value=value):
            if not HttpUrl().fits(value):
                findings.refuse(path, f'found "{value}"', f"wanted {HttpUrl().wanted}")
        case DynamicLocation():
            findings.warn(path, _CALLERS_CHOOSE)
        case EnvLocation():
            pass
        case _:
            wanted = "wanted a URL, env::VAR or dynamic::name"
            findings.refuse(path, f"{location} cannot be an endpoint", wanted)


def _check_aws(path: KeyPath, provider: AwsProvider, findings: Findings) -> None:
    if provider.region is None and not provider.allow_auto_detect_region:
        wanted = 'wanted the name of a region, or "sdk" to detect it'
        findings.refuse((*path, "region"), "missing; it is required", wanted)
    if isinstance(provider.region, NoneLocation):
        findings.refuse((*path, "region"), "found none", 'wanted the name of a region, or "sdk"')
    match provider.endpoint_url:
        case SdkLocation():
            findings.refuse((*path, "endpoint_url"), "found sdk", "wanted a URL or a location")
        case LiteralLocation(value=value) if not HttpUrl().fits(value):
            found = f'found "{value}"'
            findings.refuse((*path, "endpoint_url"), found, f"wanted {HttpUrl().wanted}")
        case LiteralLocation(value=value) if not _AWS_HOST.fullmatch(value):
            findings.warn((*path, "endpoint_url"), f"{value} is not an address of AWS")
        case DynamicLocation():
            findings.warn((*path, "endpoint_url"), _CALLERS_CHOOSE)
        case _:
            pass
    _check_aws_keys(path, provider, findings)


def _check_aws_keys(path: KeyPath, provider: AwsProvider, findings: Findings) -> None:
    trio = {
        "access_key_id": provider.access_key_id,
        "secret_access_key": provider.secret_access_key,
        "session_token": provider.session_token,
    }
    given = {name: location for name, location in trio.items() if location is not None}
    if isinstance(provider, AwsBedrockProvider) and provider.api_key is not None and given:
        found = f"set beside {' and '.join(given)}"
        findings.refuse((*path, "api_key"), found, "wanted either the one or the other")
    for name in ("access_key_id", "secret_access_key") if given else ():
        if name not in given:
            wanted = "access_key_id and secret_access_key go together"
            findings.refuse((*path, name), "missing", wanted)
    if len({type(location) for location in given.values()}) > 1:
        found = f"{', '.join(given)} come from different kinds of places"
        findings.refuse(path, found, "wanted all env::, all dynamic::, or all sdk")


def _check_echo(
    path: KeyPath, provider: EchoProvider | EchoEmbeddingProvider, findings: Findings
) -> None:
    if provider.statuses and provider.fail_rate > 0:
        findings.refuse((*path, "statuses"), "set beside fail_rate", "wanted one of the two")
    try:
        Environment().add_template("reply", provider.reply)
    except TemplateError as error:
        findings.refuse((*path, "reply"), f"line {error.line}: {error.message}: {error.detail}")


def _check_batch(path: KeyPath, provider: Provider, config: Config, findings: Findings) -> None:
    if provider.batch != "native" or isinstance(provider, OpenAIProvider):
        return
    storage = config.provider_types.gcp_vertex_gemini.batch
    has_storage = storage is not None and storage.storage_type == "cloud_storage"
    match provider:
        case GcpVertexGeminiProvider(model_id=str()) if has_storage:
            pass
        case GcpVertexGeminiProvider():
            found = "native batches need model_id and a cloud storage"
            wanted = 'set provider_types.gcp_vertex_gemini.batch.storage_type = "cloud_storage"'
            findings.refuse((*path, "batch"), found, wanted)
        case _:
            found = f"provider {path[-1]} of model {path[1]}: {provider.type} has no batches"
            findings.refuse((*path, "batch"), found, 'wanted "auto" or "local"')


def _check_gcp_batch(config: Config, findings: Findings) -> None:
    batch = config.provider_types.gcp_vertex_gemini.batch
    if batch is None or batch.storage_type != "cloud_storage":
        return
    for name in ("input_uri_prefix", "output_uri_prefix"):
        if getattr(batch, name) is None:
            path = ("provider_types", "gcp_vertex_gemini", "batch", name)
            findings.refuse(path, "missing", 'it is required for storage_type = "cloud_storage"')
