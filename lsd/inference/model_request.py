"""From an accepted request and a variant to what the model is asked."""

from lsd.config import JsonFunction
from lsd.conversation import ChatCompletionParams, JsonMode, ModelMessage, ModelRequest, frozen
from lsd.inference.accept import Accepted
from lsd.inference.prepared import PreparedGeneration
from lsd.inference.toolbox import forced_tool


@frozen(kw_only=True)
class Asked:
    """The model's request, and how its answer is to be read.

    `params` are the effective ones, as they are recorded. `calls_as_text`: the one tool call
    carries the JSON that a chat answer shows as text.
    """

    request: ModelRequest
    params: ChatCompletionParams
    calls_as_text: bool


def model_request(accepted: Accepted, generation: PreparedGeneration) -> Asked:
    """Renders the input as `generation` wants it. Raises VariantFailed."""
    if accepted.direct is not None:
        params = accepted.direct.params
        return Asked(request=accepted.direct, params=params, calls_as_text=False)
    system, messages = generation.prompts.render(accepted.request.input)
    return asked_in(accepted, generation, system, messages)


def asked_in(
    accepted: Accepted,
    generation: PreparedGeneration,
    system: str | None,
    messages: tuple[ModelMessage, ...],
) -> Asked:
    """What the function asks of a model, in these words."""
    params = accepted.request.params.chat_completion.over(generation.config.params)
    is_json = isinstance(accepted.function.config, JsonFunction)
    json_mode: JsonMode = params.json_mode or ("strict" if is_json else "off")
    schema = accepted.output_schema.value if accepted.output_schema is not None else None
    tools = accepted.toolbox.tool_set if accepted.toolbox is not None else None
    if json_mode == "tool" and schema is not None:
        tools = forced_tool(schema)
    return Asked(
        request=ModelRequest(
            system=system,
            messages=messages,
            tools=tools,
            params=params,
            json_mode="off" if json_mode == "tool" else json_mode,
            output_schema=schema,
            is_all_json=is_json,
            stream=bool(accepted.request.stream),
        ),
        params=params,
        calls_as_text=json_mode == "tool" and not is_json,
    )
