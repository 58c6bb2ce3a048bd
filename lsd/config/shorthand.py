"""Models without a table: `openai::gpt-5`, `echo::anything`."""

import re
from typing import Any, Final, cast

import attrs

from lsd.config.tables.config import Config
from lsd.config.tables.embedding_providers import EMBEDDING_CLASSES
from lsd.config.tables.models import EmbeddingModel, Model
from lsd.config.tables.providers import (
    PROVIDER_CLASSES,
    OpenAIProvider,
    Provider,
)

SHORTHAND_TYPES: Final = (
    "anthropic",
    "deepseek",
    "echo",
    "fireworks",
    "gcp_vertex_anthropic",
    "gcp_vertex_gemini",
    "google_ai_studio_gemini",
    "groq",
    "hyperbolic",
    "mistral",
    "openai",
    "openrouter",
    "together",
    "xai",
)
"""Provider types that need no more than a model's name."""

EMBEDDING_SHORTHAND_TYPES: Final = ("echo", "openai", "openrouter")

_RESPONSES: Final = "responses::"
_FORMS: Final = ", ".join(f"{kind}::NAME" for kind in SHORTHAND_TYPES)
_PUBLISHERS: Final = {"gcp_vertex_anthropic": "anthropic", "gcp_vertex_gemini": "google"}
_GCP_NAME: Final = re.compile(
    r"projects/(?P<project_id>[^/]+)/locations/(?P<location>[A-Za-z0-9-]+)/"
    r"(?:publishers/(?P<publisher>[^/]+)/models/(?P<model_id>[^/]+)|endpoints/(?P<endpoint_id>[^/]+))"
)


def shorthand_model(name: str, config: Config) -> Model | None:
    """The model that a name such as `openai::gpt-5` stands for; None if it stands for none.

    It has one provider, named like its type, with the default credential, no cost and no
    timeouts.
    """
    if shorthand_problem(name) is not None:
        return None
    kind, _, rest = name.partition("::")
    provider = attrs.evolve(_provider(kind, rest), **_default_location(kind, config))
    return Model(routing=(kind,), providers={kind: provider})


def shorthand_embedding_model(name: str, config: Config) -> EmbeddingModel | None:
    """The same for embeddings."""
    kind, _, rest = name.partition("::")
    if kind not in EMBEDDING_SHORTHAND_TYPES or not rest:
        return None
    provider: Any = EMBEDDING_CLASSES[kind]
    made = provider(model_name=rest, **_default_location(kind, config))
    return EmbeddingModel(routing=(kind,), providers={kind: made})


def shorthand_problem(name: str) -> str | None:
    """Why `name` is not the shorthand of a model that can be called; None if it is."""
    kind, colons, rest = name.partition("::")
    if not colons or kind not in SHORTHAND_TYPES:
        return f"wanted a model of [models] or a shorthand: {_FORMS}"
    prefix = _RESPONSES if _is_response(kind, rest) else ""
    if rest == prefix:
        return f"wanted the name of a model after {kind}::{prefix}"
    if kind in _PUBLISHERS and _gcp_keys(kind, rest) is None:
        shape = f"projects/P/locations/L/publishers/{_PUBLISHERS[kind]}/models/M"
        return f"wanted {kind}::{shape} or {kind}::projects/P/locations/L/endpoints/E"
    return None


def _provider(kind: str, rest: str) -> Provider:
    if _is_response(kind, rest):
        return OpenAIProvider(model_name=rest.removeprefix(_RESPONSES), api_type="responses")
    made: Any = PROVIDER_CLASSES[kind]
    if kind in _PUBLISHERS:
        keys = _gcp_keys(kind, rest)
        assert keys is not None, "shorthand_problem lets no other path through"
        return cast(Provider, made(**keys))
    return cast(Provider, made(model_name=rest))


def _is_response(kind: str, rest: str) -> bool:
    return kind == "openai" and rest.startswith(_RESPONSES)


def _gcp_keys(kind: str, rest: str) -> dict[str, str | None] | None:
    """The keys of a GCP provider out of a resource path; None if it has another shape."""
    found = _GCP_NAME.fullmatch(rest)
    if found is None:
        return None
    keys: dict[str, str | None] = found.groupdict()
    publisher = keys.pop("publisher")
    return keys if publisher in (None, _PUBLISHERS[kind]) else None


def _default_location(kind: str, config: Config) -> dict[str, Any]:
    defaults = getattr(config.provider_types, kind, None)
    return attrs.asdict(defaults.defaults, recurse=False) if defaults else {}
