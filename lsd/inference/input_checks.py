"""The input of a request against the schemas of its function, before a variant is drawn."""

from collections.abc import Mapping

from lsd.conversation import Input, InputBlock, JsonValue, Schema, Template, Text, encode_json
from lsd.inference.prompts import Prompts
from lsd.inference.refusals import BadRequest


def says_only_text(value: Input) -> bool:
    """Whether there is nothing but text in it, as in most: without a schema it fits."""
    if value.system is not None and type(value.system) is not str:
        return False
    for message in value.messages:
        for block in message.content:
            if type(block) is not Text:
                return False
    return True


def check_input(
    value: Input,
    schemas: Mapping[str, Schema],
    prompts: tuple[Prompts, ...],
    *,
    show_values: bool,
) -> None:
    """Raises BadRequest for the first value that breaks its schema or has no template.

    `prompts` are those of all variants that could run; a template must be callable in one of
    them. `show_values` lets the message quote the input.
    """
    _check_system(value, schemas, prompts, show_values)
    for at, message in enumerate(value.messages):
        takes_any_text = message.role not in schemas
        for place, block in enumerate(message.content):
            if takes_any_text and isinstance(block, Text):
                continue
            where = f"input.messages[{at}].content[{place}]"
            _check_block(block, message.role, where, schemas, prompts, show_values)


def _check_system(
    value: Input, schemas: Mapping[str, Schema], prompts: tuple[Prompts, ...], show_values: bool
) -> None:
    schema = schemas.get("system")
    if schema is not None:
        if value.system is None:
            raise BadRequest("input.system", f"missing; it must fit the schema {_shown(schema)}")
        _check_schema("input.system", value.system, schema, show_values)
    elif not (value.system is None or isinstance(value.system, str)) and not _callable(
        "system", prompts
    ):
        reason = "found an object; wanted a string, as no variant has a template `system`"
        raise BadRequest("input.system", reason)


def _check_block(
    block: InputBlock,
    role: str,
    where: str,
    schemas: Mapping[str, Schema],
    prompts: tuple[Prompts, ...],
    show_values: bool,
) -> None:
    if isinstance(block, Text):
        schema = schemas.get(role)
        if schema is not None:
            _check_schema(f"{where}.text", block.text, schema, show_values)
    elif isinstance(block, Template):
        schema = schemas.get(block.name)
        if schema is not None:
            _check_schema(f"{where}.arguments", dict(block.arguments), schema, show_values)
        elif not _callable(block.name, prompts):
            reason = f"found {block.name!r}; wanted the name of a template of this function"
            raise BadRequest(f"{where}.name", reason)


def _check_schema(where: str, value: JsonValue, schema: Schema, show_values: bool) -> None:
    findings = schema.findings(value, show_values=show_values)
    if findings:
        told = "; ".join(findings)
        raise BadRequest(where, f"does not fit its schema: {told}; the schema is {_shown(schema)}")


def _shown(schema: Schema) -> str:
    return encode_json(schema.value).decode()


def _callable(name: str, prompts: tuple[Prompts, ...]) -> bool:
    return any(each.can_call(name) for each in prompts)
