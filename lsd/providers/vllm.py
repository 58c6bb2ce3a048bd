"""vLLM: schemas in every JSON mode, and reasoning under its newer name."""

from lsd.providers._openai_body import schema_format
from lsd.providers._openai_family import Body, Encoding, Member


def _response_format(encoding: Encoding) -> Body | None:
    request = encoding.request
    if request.json_mode == "off":
        return None
    if request.output_schema is None:
        return {"type": "json_object"}
    return schema_format(request.output_schema)


VLLM = Member(
    provider_type="vllm",
    response_format=_response_format,
    takes_top_k=True,
    reasoning_key="reasoning",
)
