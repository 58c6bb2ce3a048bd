"""`dicl`: the model is shown stored examples that are near to the input."""

from collections.abc import Sequence
from typing import Any, Final

import attrs

from lsd.config import DiclVariant
from lsd.conversation import (
    EmbeddingRequest,
    File,
    Input,
    InputBlock,
    InputMessage,
    LsdError,
    ModelBlock,
    ModelMessage,
    ModelRequest,
    NotJson,
    RawText,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    block_to_json,
    decode_json,
    embedding_numbers,
    encode_json,
    input_to_json,
)
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.chat_completion import ask, start_asking
from lsd.inference.embedding_call import EmbeddingRun, embed
from lsd.inference.example_memory import FoundExample
from lsd.inference.model_request import request_in
from lsd.inference.neighbours import unit_vector
from lsd.inference.prepared import PreparedVariant
from lsd.inference.refusals import InferenceFailed, VariantFailed
from lsd.inference.run import Run
from lsd.inference.started_answer import StartedAnswer
from lsd.telemetry import logger

log = logger(__name__)

INSTRUCTIONS: Final = """\
You are given pairs of an input and the output that it should get, and then one more input. Learn \
from the pairs how inputs become outputs, and answer the last input in the same format as the \
outputs that you were shown. The inputs are JSON objects; do not explain your answer."""


async def answer_by_examples(run: Run, accepted: Accepted, variant: PreparedVariant) -> Answer:
    """The model's answer. Raises VariantFailed."""
    asked = await _question(run, accepted, variant)
    return await ask(run, accepted, variant.generation, asked)


async def start_by_examples(
    run: Run, accepted: Accepted, variant: PreparedVariant
) -> StartedAnswer:
    """The same as a stream. Raises VariantFailed."""
    asked = await _question(run, accepted, variant)
    return await start_asking(run, accepted, variant.generation, asked)


def input_text(value: Input) -> str:
    """The text of an input: what is embedded, and what the model is shown.

    Whoever changes what it looks like makes stored examples lie somewhere else.
    """
    return encode_json(input_to_json(_without_templates(value))).decode()


def unfit_block(value: Input) -> str | None:
    """The type of a block that no text can stand for; None if there is none."""
    for message in value.messages:
        for block in message.content:
            results = block.result if isinstance(block, ToolResult) else ()
            for each in (block, *(() if isinstance(results, str) else results)):
                if isinstance(each, File | Unknown):
                    return each.tag
    return None


async def _question(run: Run, accepted: Accepted, variant: PreparedVariant) -> ModelRequest:
    config = variant.config
    assert isinstance(config, DiclVariant), "no other type has examples"
    value = accepted.request.input
    block = unfit_block(value)
    if block is not None:
        reason = f"input: found a block of type {block!r}; a variant of type dicl takes text only"
        raise VariantFailed("unfit", reason)
    text = input_text(value)
    found = await _examples(run, accepted, variant, config, text)
    instructions = INSTRUCTIONS
    if config.system_instructions is not None:
        instructions = config.system_instructions.text
    if not found:
        system = _with_system(instructions, value.system)
        return request_in(accepted, variant.generation, system, _plain_messages(value))
    is_json = accepted.function.config.type == "json"
    shown = [message for each in found for message in _pair(each, is_json=is_json)]
    messages = (*shown, _said("user", Text(text=text)))
    return request_in(accepted, variant.generation, instructions, messages)


async def _examples(
    run: Run, accepted: Accepted, variant: PreparedVariant, config: DiclVariant, text: str
) -> list[FoundExample]:
    numbers = await _embedded(run, variant, config, text)
    function_name = accepted.function.name
    if run.shared.examples is None:
        return []
    try:
        found = await run.shared.examples.nearest(
            function_name, variant.name, unit_vector(numbers), count=config.k
        )
    except LsdError as error:
        raise VariantFailed("examples", f"examples: {error}") from None
    if len(found) < config.k:
        log.warning(
            "fewer examples than k",
            function=function_name,
            variant=variant.name,
            k=config.k,
            examples=len(found),
        )
    reach = config.max_distance
    return [each for each in found if reach is None or each.distance <= reach]


async def _embedded(
    run: Run, variant: PreparedVariant, config: DiclVariant, text: str
) -> Sequence[float]:
    model = run.shared.prepared.embeddings.model(config.embedding_model)
    assert model is not None, "the configuration's checks have found every embedding model"
    request = EmbeddingRequest(inputs=(text,), is_single=True)
    try:
        embedded = await embed(EmbeddingRun.within(run, variant.name), model, request)
    except InferenceFailed as failure:
        raise VariantFailed(failure.cause, failure.text, failures=failure.failures) from None
    return embedding_numbers(embedded.embeddings[0])


def _pair(found: FoundExample, *, is_json: bool) -> tuple[ModelMessage, ModelMessage]:
    """An example as two turns. Raises VariantFailed for one that cannot be read."""
    example = found.example
    try:
        output = decode_json(example.output)
        blocks = (Text(text=output["raw"] or ""),) if is_json else _output_blocks(output)
    except (NotJson, KeyError, TypeError, AttributeError):
        blocks = ()
    if not blocks:
        reason = f"example {example.id}: found no output that can be shown; wanted one"
        raise VariantFailed("examples", reason)
    return _said("user", Text(text=example.input)), _said("assistant", *blocks)


def _output_blocks(output: Any) -> tuple[ModelBlock, ...]:
    """Content blocks as they are stored. Raises KeyError, TypeError or AttributeError."""
    return tuple(_output_block(block) for block in output)


def _output_block(block: Any) -> ModelBlock:
    fields = {key: value for key, value in block.items() if key != "type"}
    match block["type"]:
        case "text":
            return Text(text=block["text"])
        case "tool_call":
            return ToolCall(
                id=block["id"], name=block["raw_name"], arguments=block["raw_arguments"]
            )
        case "thought":
            summary = fields.get("summary")
            return Thought(**fields | {"summary": None if summary is None else tuple(summary)})
        case _:
            return Unknown(**fields)


def _said(role: Any, *blocks: ModelBlock) -> ModelMessage:
    return ModelMessage(role=role, content=blocks)


def _with_system(instructions: str, system: Any) -> str:
    if system is None:
        return instructions
    told = system if isinstance(system, str) else encode_json(system).decode()
    return f"{instructions}\n\n{told}"


def _without_templates(value: Input) -> Input:
    """Templates are not filled in: their arguments are what an input is about."""
    return attrs.evolve(
        value,
        messages=tuple(
            InputMessage(role=each.role, content=tuple(map(_without_template, each.content)))
            for each in value.messages
        ),
    )


def _without_template(block: InputBlock) -> InputBlock:
    if isinstance(block, Template):
        return Text(text=encode_json(block_to_json(block)).decode())
    return block


def _plain_messages(value: Input) -> tuple[ModelMessage, ...]:
    """The messages as any model can be sent them."""
    return tuple(
        ModelMessage(
            role=message.role,
            content=tuple(
                Text(text=block.value) if isinstance(block, RawText) else block  # type: ignore[misc]
                for block in message.content
            ),
        )
        for message in _without_templates(value).messages
    )
