"""SGLang: JSON only by a schema."""

from lsd.providers._openai_body import schema_format
from lsd.providers._openai_family import Body, Encoding, Member


def _response_format(encoding: Encoding) -> Body | None:
    request = encoding.request
    if request.json_mode == "off":
        return None
    if request.output_schema is None:
        raise encoding.refusal(f"json_mode {request.json_mode!r} needs a schema")
    return schema_format(request.output_schema)


SGLANG = Member(
    provider_type="sglang",
    takes_top_k=True,
    adds_json_instruction=True,
    response_format=_response_format,
)
