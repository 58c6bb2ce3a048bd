"""Gemini at Google AI Studio: a key in a header, and the model in the URL."""

from random import Random
from urllib.parse import quote

from lsd.config import GoogleAIStudioGeminiProvider
from lsd.providers._gemini_target import Target
from lsd.providers._host import Credentials, Host
from lsd.providers.gemini import Gemini, gemini_method


def ai_studio_gemini_dialect(
    provider: GoogleAIStudioGeminiProvider, *, model_name: str, provider_name: str, random: Random
) -> Gemini:
    """The dialect of Gemini at AI Studio for one entry of a model."""
    base = provider.api_base if provider.api_base.endswith("/") else f"{provider.api_base}/"
    model = f"{base}models/{quote(provider.model_name, safe='@:')}"
    target = Target(
        provider_type="google_ai_studio_gemini",
        model_name=model_name,
        provider_name=provider_name,
        discard_unknown_chunks=provider.discard_unknown_chunks,
        random=random,
    )
    host = Host(
        url=lambda stream: f"{model}:{gemini_method(stream)}",
        credentials=_key_headers,
    )
    return Gemini(target, host)


def _key_headers(credentials: Credentials) -> dict[str, str]:
    """Never in the URL: URLs are logged on their way."""
    key = credentials.get("api_key")
    return {} if key is None else {"x-goog-api-key": key}
