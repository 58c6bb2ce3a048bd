"""Gemini at Vertex AI: the same contents as at AI Studio, another way in."""

from random import Random

from lsd.config import GcpVertexGeminiProvider
from lsd.providers._gemini_target import Target
from lsd.providers._host import Host
from lsd.providers.gemini import Gemini, gemini_method
from lsd.providers.vertex import explain_not_found, vertex_headers, vertex_url


def vertex_gemini_dialect(
    provider: GcpVertexGeminiProvider, *, model_name: str, provider_name: str, random: Random
) -> Gemini:
    """The dialect of Gemini at Vertex AI for one entry of a model."""
    target = Target(
        provider_type="gcp_vertex_gemini",
        model_name=model_name,
        provider_name=provider_name,
        discard_unknown_chunks=provider.discard_unknown_chunks,
        random=random,
    )
    host = Host(
        url=lambda stream: vertex_url(provider, "google", gemini_method(stream)),
        credentials=vertex_headers,
        explain=explain_not_found,
    )
    return Gemini(target, host)
