"""Hyperbolic: plain text only."""

from lsd.providers._openai_family import Body, Encoding, Member


def _response_format(encoding: Encoding) -> None:
    if encoding.request.json_mode == "strict":
        encoding.leave_out("json_mode", hint="the model is not held to the schema")


def _finish_body(body: Body, encoding: Encoding) -> None:
    if "tools" in body:
        raise encoding.refusal("found tools; this type takes none")


HYPERBOLIC = Member(
    provider_type="hyperbolic",
    takes_stream_options=False,
    takes_parallel_tool_calls=False,
    adds_json_instruction=True,
    response_format=_response_format,
    finish_body=_finish_body,
)
