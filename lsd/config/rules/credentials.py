"""Whether credentials can be had, before anybody asks for an answer."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from lsd.config.aws_profiles import (
    METADATA_SWITCH,
    BadAwsProfile,
    may_ask_metadata,
    written_region,
)
from lsd.config.findings import Findings
from lsd.config.gcp_credentials import BadGcpCredential, read_gcp_credential
from lsd.config.generations import generations_of, variants_of
from lsd.config.key_path import KeyPath
from lsd.config.kinds import HttpUrl
from lsd.config.locations import configured_default, default_location, effective_location
from lsd.config.secrets import CredentialMissing, Secrets
from lsd.config.shorthand import shorthand_problem
from lsd.config.tables.config import Config
from lsd.config.tables.credentials import (
    DynamicLocation,
    EnvLocation,
    FallbackLocation,
    Location,
)
from lsd.config.tables.embedding_providers import (
    AzureEmbeddingProvider,
    EmbeddingProvider,
    OpenAIEmbeddingProvider,
)
from lsd.config.tables.providers import (
    AwsProvider,
    AzureProvider,
    GcpProvider,
    OpenAIProvider,
    Provider,
)

AnyProvider = Provider | EmbeddingProvider
Tell = Callable[..., None]

_OPENAI_HOSTS: Final = re.compile(r"api\.openai\.com|.*\.openai\.azure\.com")
_AWS_KEYS: Final = (
    "api_key",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "region",
    "endpoint_url",
)


def check_credentials(
    config: Config,
    secrets: Secrets,
    environment: Mapping[str, str],
    findings: Findings,
    *,
    may_be_missing: bool = False,
) -> None:
    """What lies in the environment and in files must be there; so no call can fail for it later.

    With `may_be_missing` an absent credential is only warned of.
    """
    tell = findings.warn if may_be_missing else findings.refuse
    for path, provider in _direct_providers(config):
        for location in _needed(provider, config):
            problem = _problem(location, secrets)
            if problem is not None:
                tell(path, f"credential missing: {problem}", _way_out(provider))
            elif isinstance(provider, GcpProvider):
                _check_gcp(path, location, secrets, tell)
        if isinstance(provider, AzureProvider | AzureEmbeddingProvider):
            _check_endpoint((*path, "endpoint"), provider.endpoint, secrets, tell)
        if isinstance(provider, AwsProvider) and provider.finds_region:
            _check_region((*path, "region"), environment, tell)
        _check_host(path, provider, config, findings)
    _check_shorthands(config, secrets, findings)


def _direct_providers(config: Config) -> Iterator[tuple[KeyPath, AnyProvider]]:
    """The providers that this gateway calls itself."""
    for name, model in config.models.items():
        if config.gateway.relay.gateway_url is None or model.skip_relay:
            for each, provider in model.providers.items():
                yield ("models", name, "providers", each), provider
    for name, embedding_model in config.embedding_models.items():
        for each, embedding_provider in embedding_model.providers.items():
            yield ("embedding_models", name, "providers", each), embedding_provider


def _needed(provider: AnyProvider, config: Config) -> list[Location]:
    """The locations that have to hold something for calls of this provider."""
    if isinstance(provider, AwsProvider):
        found = [getattr(provider, key, None) for key in _AWS_KEYS]
        return [location for location in found if location is not None]
    return [effective_location(provider, config.provider_types)]


def _problem(location: Location, secrets: Secrets) -> str | None:
    """Why there can never be anything at this location."""
    if isinstance(location, FallbackLocation):
        problems = [
            _problem(location.default, secrets),
            _problem(location.fallback, secrets),
        ]
        reasons = [problem for problem in problems if problem is not None]
        return ", and ".join(dict.fromkeys(reasons)) if len(reasons) == len(problems) else None
    if isinstance(location, DynamicLocation):
        return None
    try:
        secrets.resolve(location, {})
    except CredentialMissing as missing:
        return missing.reason
    return None


def _check_endpoint(path: KeyPath, location: Location, secrets: Secrets, tell: Tell) -> None:
    """An address in the environment is as good as one in the file, or as bad."""
    if not isinstance(location, EnvLocation):
        return
    problem = _problem(location, secrets)
    if problem is not None:
        tell(path, problem, f"wanted {HttpUrl().wanted} there")
        return
    value = secrets.resolve(location, {})
    if value is not None and not HttpUrl().fits(value):
        tell(path, f'found "{value}" at {location}', f"wanted {HttpUrl().wanted}")


def _check_gcp(path: KeyPath, location: Location, secrets: Secrets, tell: Tell) -> None:
    """A key file that cannot be used would fail each call; nothing of it is shown."""
    halves: tuple[Location, ...] = (location,)
    if isinstance(location, FallbackLocation):
        halves = (location.default, location.fallback)
    for each in halves:
        if isinstance(each, DynamicLocation):
            continue
        try:
            text = secrets.resolve(each, {})
            if text is not None:
                read_gcp_credential(text)
        except CredentialMissing:
            continue  # the other one of the pair has something
        except BadGcpCredential as bad:
            tell(path, f"credential at {each} unusable: {bad}")


def _check_region(path: KeyPath, environment: Mapping[str, str], tell: Tell) -> None:
    """Only the metadata service of an instance may still know it, once the daemon runs."""
    try:
        region = written_region(environment)
    except BadAwsProfile as bad:
        tell(path, f"failed to determine AWS region: {bad}")
        return
    if region is None and not may_ask_metadata(environment):
        found = "AWS_REGION, AWS_DEFAULT_REGION and the profile name none"
        wanted = f"wanted one of them, as {METADATA_SWITCH} forbids to ask the metadata service"
        tell(path, f"failed to determine AWS region: {found}", wanted)


def _way_out(provider: AnyProvider) -> str:
    key = provider.credential_key
    if key == "api_key_location":
        return f'{provider.type} providers take api_key_location = "none" to send no key'
    return f"{provider.type} providers cannot do without"


def _check_host(path: KeyPath, provider: AnyProvider, config: Config, findings: Findings) -> None:
    """A key that nobody meant for this host must not go there unnoticed."""
    if not isinstance(provider, OpenAIProvider | OpenAIEmbeddingProvider):
        return
    host = urlsplit(provider.api_base).hostname or ""
    is_defaulted = provider.own_location is None
    is_defaulted = is_defaulted and configured_default("openai", config.provider_types) is None
    if is_defaulted and not _OPENAI_HOSTS.fullmatch(host):
        found = f"the value of OPENAI_API_KEY will be sent to {host}"
        findings.warn((*path, "api_base"), found, "say with api_key_location what is meant")


def _check_shorthands(config: Config, secrets: Secrets, findings: Findings) -> None:
    for path, _, _, variant in variants_of(config):
        for place, generation in generations_of(variant, path):
            models = {("model",): generation.model} | {
                ("fallback", at): name for at, name in enumerate(generation.fallback)
            }
            for keys, name in models.items():
                if name in config.models or shorthand_problem(name) is not None:
                    continue
                location = default_location(name.partition("::")[0], config.provider_types)
                problem = _problem(location, secrets)
                if problem is not None:
                    findings.warn((*place, *keys), f"credential missing: {problem}")
