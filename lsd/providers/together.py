"""Together AI: no way to require a tool, and schemas beside plain JSON mode."""

from lsd.providers._openai_family import Body, Encoding, Member


def _response_format(encoding: Encoding) -> Body | None:
    request = encoding.request
    if request.json_mode == "off":
        return None
    wanted: Body = {"type": "json_object"}
    if request.output_schema is not None:
        wanted["schema"] = request.output_schema
    return wanted


def _finish_body(body: Body, encoding: Encoding) -> None:
    choice = body.get("tool_choice")
    if choice == "none":
        for key in ("tools", "tool_choice", "parallel_tool_calls"):
            body.pop(key, None)
    elif choice == "required":
        encoding.alter("tool_choice", "a call cannot be required; auto is sent")
        body["tool_choice"] = "auto"


TOGETHER = Member(
    provider_type="together",
    takes_top_k=True,
    takes_stream_options=False,
    response_format=_response_format,
    reasoning_key="reasoning",
    finish_body=_finish_body,
)
