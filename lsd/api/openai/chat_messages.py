"""The messages of a chat completion request as neutral turns.

What has no neutral form is noted, and matters only to providers that need one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from lsd.api.openai.content_parts import PartReader
from lsd.api.openai.thoughts import GEMINI_TYPES, call_signature, read_thoughts
from lsd.conversation import (
    File,
    ModelBlock,
    ModelMessage,
    Problem,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    describe_json,
)

Fields = Mapping[str, Any]


def plain_conversation(messages: Any) -> tuple[list[Text], list[ModelMessage]] | None:
    """The instructions in front of a conversation and its turns, if they are texts and no more.

    Most are, and are known by one look at each message; None: they have to be checked and read.
    """
    if type(messages) is not list or not messages:
        return None
    system: list[Text] = []
    turns: list[ModelMessage] = []
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return None
        role, content = message.get("role"), message.get("content")
        if type(content) is not str:
            return None
        if role in ("user", "assistant"):
            turns.append(ModelMessage(role, (Text(content),)))
        elif role in ("system", "developer") and not turns:
            system.append(Text(content))
        else:
            return None
    return system, turns


@attrs.define(eq=False)
class MessageReader:
    """Reads one conversation from its beginning; results of tools are named after their calls.

    `system` are the instructions in front of it, `problems` those of what has no neutral form.
    """

    system: list[Text] = attrs.field(factory=list, init=False)
    messages: list[ModelMessage] = attrs.field(factory=list, init=False)
    problems: list[Problem] = attrs.field(factory=list, init=False)
    _tool_names: dict[str, str] = attrs.field(factory=dict, init=False)
    _results: list[ToolResult] = attrs.field(factory=list, init=False)

    def read(self, messages: Iterable[Fields]) -> None:
        """Reads all messages, whose roles and kinds of content have been checked before."""
        for place, message in enumerate(messages):
            self._message(message, f"messages[{place}]")
        self._end_results()

    def _message(self, message: Fields, path: str) -> None:
        match message["role"]:
            case "system" | "developer":
                self._instruction(message, path)
            case "user":
                # Providers that have no messages of tools want results in front of all else.
                content = (*self._take_results(), *self._parts(message, path))
                self.messages.append(ModelMessage(role="user", content=content))
            case "assistant":
                self._end_results()
                content = tuple(self._turn(message, path))
                self.messages.append(ModelMessage(role="assistant", content=content))
            case "tool":
                self._results.append(self._result(message, path))
            case _:
                self._note(path, "found the role function, which is legacy; wanted tool")

    def _instruction(self, message: Fields, path: str) -> None:
        texts = [part for part in self._parts(message, path) if isinstance(part, Text)]
        if not self.messages and not self._results:
            self.system += texts
            return
        self._end_results()
        self.messages.append(ModelMessage(role="system", content=tuple(texts)))

    def _take_results(self) -> list[ToolResult]:
        results, self._results = self._results, []
        return results

    def _end_results(self) -> None:
        if self._results:
            results = tuple(self._take_results())
            self.messages.append(ModelMessage(role="user", content=results))

    def _result(self, message: Fields, path: str) -> ToolResult:
        identifier = message["tool_call_id"]
        if identifier not in self._tool_names:
            reason = f"found {identifier!r}; wanted the id of an earlier tool call"
            self._note(f"{path}.tool_call_id", reason)
        content = message.get("content")
        if content is None or isinstance(content, str):
            result: str | tuple[Text | File, ...] = content or ""
        else:
            parts = self._parts(message, path)
            result = tuple(part for part in parts if isinstance(part, Text | File))
        return ToolResult(id=identifier, name=self._tool_names.get(identifier, ""), result=result)

    def _turn(self, message: Fields, path: str) -> Iterable[ModelBlock]:
        calls = message.get("tool_calls") or []
        signatures = {signature for call in calls if (signature := call_signature(call))}
        yield from (
            thought
            for thought in read_thoughts(message)
            if thought.text or thought.signature not in signatures
        )
        yield from self._parts(message, path)
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal:
            yield Text(text=refusal)
        for name in ("audio", "function_call"):
            if message.get(name) is not None:
                self._note(f"{path}.{name}", "found what only OpenAI's own models have said")
        for place, call in enumerate(calls):
            yield from self._call(call, f"{path}.tool_calls[{place}]")

    def _call(self, call: Fields, path: str) -> Iterable[ModelBlock]:
        match call:
            case {"id": str(identifier), "function": {"name": str(name)} as function}:
                arguments = function.get("arguments")
            case {"id": str(identifier), "custom": {"name": str(name)} as custom}:
                arguments = custom.get("input")
            case _:
                self._note(path, "found no call of a function or custom tool with `id` and `name`")
                return
        self._tool_names[identifier] = name
        signature = call_signature(call)
        if signature is not None:
            yield from (Thought(signature=signature, provider_type=kind) for kind in GEMINI_TYPES)
        if not isinstance(arguments, str):
            reason = f"found {describe_json(arguments)}; wanted a string of JSON"
            self._note(f"{path}.function.arguments", reason)
            arguments = ""
        yield ToolCall(id=identifier, name=name, arguments=arguments)

    def _parts(self, message: Fields, path: str) -> list[ModelBlock]:
        content = message.get("content")
        if content is None:
            return []
        if isinstance(content, str):
            return [Text(text=content)]
        read = PartReader(self.problems).part
        return [read(part, f"{path}.content[{place}]") for place, part in enumerate(content)]

    def _note(self, path: str, reason: str) -> None:
        self.problems.append(Problem(path, reason))
