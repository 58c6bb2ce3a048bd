"""The input of a Responses request as neutral turns: items, in the order of what was said."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from lsd.api.compat.field_checks import wrong
from lsd.api.openai.content_parts import PartReader
from lsd.conversation import (
    File,
    ModelBlock,
    ModelMessage,
    Problem,
    Role,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    describe_json,
    read_foreign_signature,
)
from lsd.telemetry import logger

log = logger(__name__)

Fields = Mapping[str, Any]

_OWN_PROVIDER_TYPE = "openai"
"""Whose thoughts are sealed without a word of LSD's."""


@attrs.define(eq=False)
class InputReader:
    """Reads one conversation from its beginning; neighbouring items of one speaker are one turn.

    `system` are the instructions in front of it, `mistakes` what is not as the API has it,
    `problems` what has no neutral form, `ignored` the paths of items that only their own provider
    understands.
    """

    system: list[Text] = attrs.field(factory=list, init=False)
    messages: list[ModelMessage] = attrs.field(factory=list, init=False)
    mistakes: list[Problem] = attrs.field(factory=list, init=False)
    problems: list[Problem] = attrs.field(factory=list, init=False)
    ignored: list[str] = attrs.field(factory=list, init=False)
    _tool_names: dict[str, str] = attrs.field(factory=dict, init=False)
    _said: list[ModelBlock] = attrs.field(factory=list, init=False)
    """What the model has said in the turn that is being read."""
    _results: list[ToolResult] = attrs.field(factory=list, init=False)

    def read(self, given: str | Iterable[Fields]) -> None:
        """Reads all items; a text is one message of the user's."""
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given
        for place, item in enumerate(items):
            self._item(item, f"input[{place}]")
        self._end_turn()
        self._end_results()

    def _item(self, item: Fields, path: str) -> None:
        kind = item.get("type")
        if kind is None or kind == "message":
            self._message(item, path)
        elif kind == "reasoning":
            self._end_results()
            thought = _thought(item)
            if thought is not None:
                self._said.append(thought)
        elif kind in ("function_call", "custom_tool_call"):
            self._end_results()
            self._call(item, "arguments" if kind == "function_call" else "input", path)
        elif kind in ("function_call_output", "custom_tool_call_output"):
            self._end_turn()
            self._result(item, path)
        elif kind == "item_reference":
            reason = "found a reference to an item; items are not kept, so send it whole"
            self.problems.append(Problem(path, reason))
        else:
            log.warning("item of another provider's own kind dropped", kind=describe_json(kind))
            self.ignored.append(path)

    def _message(self, item: Fields, path: str) -> None:
        content = self._content(item.get("content"), f"{path}.content")
        match item.get("role"):
            case "system" | "developer":
                self._instruction([part for part in content if isinstance(part, Text)])
            case "user":
                self._end_turn()
                # Providers that have no messages of tools want results in front of all else.
                results, self._results = self._results, []
                self._add("user", (*results, *content))
            case "assistant":
                self._end_results()
                self._said += content
            case role:
                wanted = "one of system, developer, user, assistant"
                self.mistakes.append(wrong(f"{path}.role", role, wanted))

    def _instruction(self, texts: list[Text]) -> None:
        self._end_turn()
        if not self.messages and not self._results:
            self.system += texts
            return
        self._end_results()
        self.messages.append(ModelMessage(role="system", content=tuple(texts)))

    def _call(self, item: Fields, argument: str, path: str) -> None:
        identifier, name = self._text(item, "call_id", path), self._text(item, "name", path)
        self._tool_names[identifier] = name
        arguments = self._text(item, argument, path)
        self._said.append(ToolCall(id=identifier, name=name, arguments=arguments))

    def _result(self, item: Fields, path: str) -> None:
        identifier = self._text(item, "call_id", path)
        if identifier not in self._tool_names:
            reason = f"found {identifier!r}; wanted that of an earlier call in `input`"
            self.problems.append(Problem(f"{path}.call_id", reason))
        output = item.get("output")
        if not isinstance(output, str):
            parts = self._content(output, f"{path}.output")
            output = tuple(part for part in parts if isinstance(part, Text | File))
        name = self._tool_names.get(identifier, "")
        self._results.append(ToolResult(id=identifier, name=name, result=output))

    def _content(self, content: Any, path: str) -> list[ModelBlock]:
        if isinstance(content, str):
            return [Text(text=content)]
        if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
            self.mistakes.append(wrong(path, content, "a string or an array of parts"))
            return []
        read = PartReader(self.problems).input_part
        return [read(part, f"{path}[{place}]") for place, part in enumerate(content)]

    def _text(self, item: Fields, name: str, path: str) -> str:
        value = item.get(name)
        if isinstance(value, str):
            return value
        self.mistakes.append(wrong(f"{path}.{name}", value, "a string"))
        return ""

    def _end_turn(self) -> None:
        if self._said:
            said, self._said = tuple(self._said), []
            self._add("assistant", said)

    def _end_results(self) -> None:
        if self._results:
            results, self._results = tuple(self._results), []
            self._add("user", results)

    def _add(self, role: Role, content: tuple[ModelBlock, ...]) -> None:
        self.messages.append(ModelMessage(role=role, content=content))


def _thought(item: Fields) -> Thought | None:
    """The thought that an item stands for, if it says anything; what is sealed tells whose."""
    texts = [*_texts(item.get("summary")), *_texts(item.get("content"))]
    text = "\n\n".join(texts) if texts else None
    sealed = item.get("encrypted_content")
    if not isinstance(sealed, str) or not sealed:
        return None if text is None else Thought(text=text)
    thought = read_foreign_signature(sealed)
    if thought is None:
        summary = tuple({"type": "summary_text", "text": each} for each in texts)
        return Thought(signature=sealed, summary=summary or None, provider_type=_OWN_PROVIDER_TYPE)
    # With summaries of its own, the text was there for the client alone.
    return thought if thought.summary is not None else attrs.evolve(thought, text=text)


def _texts(parts: Any) -> list[str]:
    given = parts if isinstance(parts, list) else []
    return [
        part["text"]
        for part in given
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    ]
