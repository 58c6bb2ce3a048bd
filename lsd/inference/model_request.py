"""From an accepted request and a variant to what the model is asked."""

from lsd.conversation import JsonMode, ModelMessage, ModelRequest
from lsd.inference.accept import Accepted
from lsd.inference.prepared import PreparedGeneration
from lsd.inference.toolbox import forced_tool


def model_request(accepted: Accepted, generation: PreparedGeneration) -> ModelRequest:
    """Renders the input as `generation` wants it. Raises VariantFailed."""
    if accepted.direct is not None:
        return accepted.direct
    system, messages = generation.prompts.render(accepted.request.input, is_text=accepted.is_text)
    return request_in(accepted, generation, system, messages, is_text=accepted.is_text)


def request_in(
    accepted: Accepted,
    generation: PreparedGeneration,
    system: str | None,
    messages: tuple[ModelMessage, ...],
    *,
    is_text: bool = False,
) -> ModelRequest:
    """What the function asks of a model, in these words; its parameters are those recorded.

    `is_text`: there is nothing but text in `messages`.
    """
    request, schema, toolbox = accepted.request, accepted.output_schema, accepted.toolbox
    params = request.params.chat_completion.over(generation.config.params)
    is_json = accepted.function.is_json
    json_mode: JsonMode = params.json_mode or ("strict" if is_json else "off")
    tools = None if toolbox is None else toolbox.tool_set
    if json_mode == "tool":
        json_mode = "off"
        if schema is not None:
            tools = forced_tool(schema.value)
    # By position: keywords would cost more than the rest of it.
    return ModelRequest(
        messages,
        system,
        tools,
        params,
        json_mode,
        None if schema is None else schema.value,
        is_json,
        request.stream is True,
        is_text and tools is None,
    )


def calls_are_text(request: ModelRequest) -> bool:
    """Whether the one tool call carries the JSON that a chat answer shows as text."""
    return request.params.json_mode == "tool" and not request.is_all_json
