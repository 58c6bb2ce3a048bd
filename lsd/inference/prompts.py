"""A variant's templates: they turn the input of a request into what its model is sent."""

from collections.abc import Mapping
from typing import Any, assert_never

import attrs
import minijinja

from lsd.config import Template as TemplateFile
from lsd.conversation import (
    Base64File,
    Input,
    InputBlock,
    ModelBlock,
    ModelMessage,
    RawText,
    StoredFile,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
    new_template_environment,
    render_template,
)
from lsd.inference.refusals import VariantFailed


@attrs.frozen
class Prompts:
    """The compiled templates of one variant.

    A `legacy` template stands for a role without a schema: every plain text of that role goes
    through it, as its only variable.
    """

    _environment: minijinja.Environment
    _templates: Mapping[str, TemplateFile]
    _legacy: frozenset[str] = attrs.field(init=False)

    @_legacy.default
    def _names_of_legacy_templates(self) -> frozenset[str]:
        return frozenset(name for name, each in self._templates.items() if each.legacy)

    @classmethod
    def compile(
        cls, templates: Mapping[str, TemplateFile], included: Mapping[str, str]
    ) -> "Prompts":
        """`included` are the files that templates include, by the name that they use."""
        environment = new_template_environment()
        for name, text in included.items():
            environment.add_template(name, text)
        for name, template in templates.items():
            environment.add_template(_engine_name(name, template), template.text)
        return cls(environment, templates)

    def can_call(self, name: str) -> bool:
        """Whether a template block, or an object as system, may use the template `name`."""
        template = self._templates.get(name)
        return template is not None and not template.legacy

    def render(
        self, value: Input, *, is_text: bool = False
    ) -> tuple[str | None, tuple[ModelMessage, ...]]:
        """The system text and the turns. Raises VariantFailed.

        `is_text`: the input is known to hold nothing but text, which mostly stays as it is.
        """
        messages = []
        for message in value.messages:
            role = message.role
            content: tuple[Any, ...] = message.content
            if not is_text or role in self._legacy:
                content = tuple([self._block(block, role) for block in content])
            messages.append(ModelMessage(role, content))
        return self._system(value.system), tuple(messages)

    def _system(self, system: str | Mapping[str, Any] | None) -> str | None:
        template = self._templates.get("system")
        if template is None:
            if system is None or isinstance(system, str):
                return system
            text = "input.system: found template arguments, but there is no template `system`"
            raise VariantFailed("template", text)
        if template.legacy:
            if isinstance(system, Mapping):
                text = "input.system: found an object; the template `system` takes a string"
                raise VariantFailed("template", text)
            return self._rendered("system", {"system_text": system})
        return self._rendered("system", system if isinstance(system, Mapping) else {})

    def _block(self, block: InputBlock, role: str) -> ModelBlock:
        match block:
            case Text():
                if role not in self._legacy:
                    return block
                return Text(self._rendered(role, {f"{role}_text": block.text}))
            case RawText():
                return Text(block.value)
            case Template():
                return Text(self._called(block))
            case (
                ToolCall()
                | ToolResult()
                | Thought()
                | UrlFile()
                | Base64File()
                | StoredFile()
                | Unknown()
            ):
                return block
            case never:
                assert_never(never)

    def _called(self, block: Template) -> str:
        template = self._templates.get(block.name)
        if template is None:
            raise VariantFailed("template", f"there is no template {block.name!r}")
        if template.legacy:
            text = f"the template {block.name!r} takes plain text, not template arguments"
            raise VariantFailed("template", text)
        return self._rendered(block.name, block.arguments)

    def _rendered(self, name: str, variables: Mapping[str, Any]) -> str:
        try:
            engine_name = _engine_name(name, self._templates[name])
            return render_template(self._environment, engine_name, variables)
        except minijinja.TemplateError as error:
            line = f", line {error.line}" if error.line else ""
            text = f"template {name!r}{line}: {error.message}"
            raise VariantFailed("rendering", text) from None


def _engine_name(name: str, template: TemplateFile) -> str:
    """Unique among all templates; it ends like the path, which decides about escaping."""
    return f"lsd::{name}/{template.path}"
