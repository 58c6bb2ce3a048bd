"""Claude at Vertex AI: Anthropic's Messages, another way in, and the model in the URL."""

import attrs

from lsd.config import GcpVertexAnthropicProvider
from lsd.providers._anthropic_target import STRUCTURED_OUTPUTS, Target
from lsd.providers._host import Host
from lsd.providers.anthropic import AnthropicMessages, TokenCounter
from lsd.providers.claude_models import claude_family
from lsd.providers.vertex import explain_not_found, vertex_headers, vertex_url

BODY_VERSION = "vertex-2023-10-16"


def vertex_anthropic_dialect(
    provider: GcpVertexAnthropicProvider, *, model_name: str, provider_name: str
) -> AnthropicMessages:
    """The dialect of Claude at Vertex AI for one entry of a model.

    Nobody knows which model is behind an endpoint. Schemas are off unless the operator wants them:
    an organisation's policy may forbid them.
    """
    target = Target(
        provider_type="gcp_vertex_anthropic",
        model=None,
        body_version=BODY_VERSION,
        family=claude_family(provider.model_id or ""),
        model_name=model_name,
        provider_name=provider_name,
        provider_tools=provider.provider_tools,
        takes_schema=provider.beta_structured_outputs,
        takes_prefill=False,
        takes_service_tier=False,
        betas=(STRUCTURED_OUTPUTS,) if provider.beta_structured_outputs else (),
        forwards_betas=provider.forward_anthropic_beta,
        discard_unknown_chunks=provider.discard_unknown_chunks,
    )

    def url(stream: bool) -> str:
        method = "streamRawPredict" if stream else "rawPredict"
        return vertex_url(provider, "anthropic", method)

    host = Host(url=url, credentials=vertex_headers, explain=explain_not_found)
    return AnthropicMessages(target, host, _token_counter(provider))


def _token_counter(provider: GcpVertexAnthropicProvider) -> TokenCounter | None:
    """Models of the catalogue are counted for by a model of its own, which is told their name."""
    if provider.model_id is None:
        return None
    counting = attrs.evolve(provider, model_id="count-tokens")
    return TokenCounter(
        url=lambda: vertex_url(counting, "anthropic", "rawPredict"), model=provider.model_id
    )
