"""What Claude wants otherwise in a request that was made for another API."""

import re
from collections.abc import Iterable
from typing import Any

import attrs

from lsd.conversation import (
    ChatCompletionParams,
    FunctionTool,
    ModelMessage,
    ModelRequest,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    ToolSet,
)
from lsd.providers._anthropic_target import Body, Encoding, thinks

ONE_JSON_OBJECT = "Answer with a single JSON object and nothing else."
"""What stands for a mode that Claude does not have."""

_MAIL_ADDRESS = re.compile(r"[^@\s]@[^@\s]+\.[^@\s]")


def translated(encoding: Encoding) -> ModelRequest:
    """The request as Claude takes it. Raises AttemptFailed (config) for what it does not have.

    What that changes is left out of `encoding` by name.
    """
    request = encoding.request
    _check_results(encoding)
    _check_sounds(encoding)
    messages = _with_trimmed_end(_joined(request.messages))
    tools = request.tools or _tools_of_history(messages)
    params = _with_fitting_effort(_without_blank_stops(request.params))
    if encoding.wants_thinking and _may_not_think(messages, tools):
        params = attrs.evolve(params, thinking_budget_tokens=None, reasoning_effort=None)
        encoding.leave_out("thinking", hint="the conversation so far does not let Claude think")
    return attrs.evolve(
        request,
        messages=tuple(messages),
        tools=tools,
        params=_with_fitting_samples(params, encoding),
        json_mode="off" if request.json_mode == "on" else request.json_mode,
        system_blocks=(*system_parts(request), *_wish(request)),
    )


def system_parts(request: ModelRequest) -> tuple[Text, ...]:
    """The parts of the system text; it may have but one."""
    if request.system_blocks or request.system is None:
        return request.system_blocks
    return (Text(text=request.system),)


def mark_at_most(body: Body, most: int) -> None:
    """Takes marks for the cache away that are too many: the earliest ones of messages go first.

    Source: Anthropic's page on prompt caching, autumn 2026.
    """
    messages = body["messages"]
    turning = [block for message in messages[::-1] for block in message["content"][::-1]]
    marked = [
        each
        for each in (*body.get("system", ()), *body.get("tools", ()), *turning)
        if "cache_control" in each
    ]
    surplus = {id(each) for each in marked[most:]}
    if not surplus:
        return
    for name in ("system", "tools"):
        if name in body:
            body[name] = _unmarked(body[name], surplus)
    body["messages"] = [
        {**message, "content": _unmarked(message["content"], surplus)} for message in messages
    ]


def _unmarked(items: Iterable[Any], surplus: set[int]) -> list[Any]:
    return [
        {key: value for key, value in each.items() if key != "cache_control"}
        if id(each) in surplus
        else each
        for each in items
    ]


def user_id(request: ModelRequest) -> str | None:
    """The caller's user as Anthropic may know him: not by an address at which he gets mail."""
    user = request.user
    return None if user is None or _MAIL_ADDRESS.search(user) else user


def _wish(request: ModelRequest) -> tuple[Text, ...]:
    return (Text(text=ONE_JSON_OBJECT),) if request.json_mode == "on" else ()


def _check_results(encoding: Encoding) -> None:
    known: set[str] = set()
    for message in encoding.request.messages:
        for block in message.content:
            if isinstance(block, ToolCall):
                known.add(block.id)
            elif isinstance(block, ToolResult) and block.id not in known:
                reason = f"found the result of tool call {block.id!r}, which was never made"
                raise encoding.refusal(reason)


def _check_sounds(encoding: Encoding) -> None:
    """Claude does not hear; the part is told by its path in the client's own messages."""
    client = encoding.request.client
    messages = None if client is None else client.body.get("messages")
    for turn, message in enumerate(messages if isinstance(messages, list) else ()):
        content = message.get("content") if isinstance(message, dict) else None
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, dict) and part.get("type") == "input_audio":
                path = f"messages[{turn}].content[{place}]"
                reason = f"{path}: found audio; wanted text, an image or a document"
                raise encoding.refusal(reason, refused_field=path)


def _joined(messages: Iterable[ModelMessage]) -> list[ModelMessage]:
    """The turns; results of tools and what the user says behind them are one."""
    turns: list[ModelMessage] = []
    for message in messages:
        last = turns[-1] if turns else None
        if last is not None and last.role == message.role == "user" and _has_results(last):
            turns[-1] = attrs.evolve(last, content=(*last.content, *message.content))
        else:
            turns.append(message)
    return turns


def _with_trimmed_end(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Claude goes on with the last text if it is its own, and refuses one that ends in a space."""
    last = messages[-1] if messages else None
    if last is None or last.role != "assistant" or not last.content:
        return messages
    *before, end = last.content
    if not isinstance(end, Text):
        return messages
    trimmed = attrs.evolve(end, text=end.text.rstrip())
    return [*messages[:-1], attrs.evolve(last, content=(*before, trimmed))]


def _has_results(message: ModelMessage) -> bool:
    return any(isinstance(block, ToolResult) for block in message.content)


def _tools_of_history(messages: Iterable[ModelMessage]) -> ToolSet | None:
    """The least that Claude has to be told of tools that were called before."""
    names = {
        block.name: None
        for message in messages
        for block in message.content
        if isinstance(block, ToolCall)
    }
    if not names:
        return None
    tools = tuple(
        FunctionTool(name=name, description="", parameters={"type": "object"}) for name in names
    )
    return ToolSet(tools=tools, choice="none")


def _without_blank_stops(params: ChatCompletionParams) -> ChatCompletionParams:
    """Claude refuses stop sequences of white space."""
    stops = params.stop_sequences
    if stops is None or all(stop.strip() for stop in stops):
        return params
    kept = tuple(stop for stop in stops if stop.strip())
    return attrs.evolve(params, stop_sequences=kept or None)


def _with_fitting_effort(params: ChatCompletionParams) -> ChatCompletionParams:
    """Of a word and a number of tokens the word counts; the least effort has another name."""
    effort = params.reasoning_effort
    if effort is None:
        return params
    effort = "low" if effort == "minimal" else effort
    return attrs.evolve(params, reasoning_effort=effort, thinking_budget_tokens=None)


def _with_fitting_samples(params: ChatCompletionParams, encoding: Encoding) -> ChatCompletionParams:
    """Temperatures end at 1, where other APIs go on; newer models take one setting of the two."""
    temperature, top_p = params.temperature, params.top_p
    if temperature is not None and temperature > 1:
        temperature = 1
        encoding.leave_out("temperature", hint="Claude's temperatures end at 1")
    if temperature not in (None, 1) and thinks(params):
        temperature = None
        encoding.leave_out("temperature", hint="Claude thinks at temperature 1 only")
    if top_p == 1 or temperature is not None:
        top_p = None  # 1 changes nothing, so that it is not missed
    if top_p is None and params.top_p not in (None, 1):
        encoding.leave_out("top_p", hint="Claude takes either temperature or top_p")
    return attrs.evolve(params, temperature=temperature, top_p=top_p)


def _may_not_think(messages: Iterable[ModelMessage], tools: ToolSet | None) -> bool:
    """Whether Claude would refuse to think: a forced tool, or a turn that was begun without."""
    if tools is not None and tools.choice not in ("auto", "none"):
        return True
    turns = [message for message in messages if message.role == "assistant"]
    if not turns:
        return False
    blocks = turns[-1].content
    thought = any(isinstance(block, Thought) and block.signature for block in blocks)
    return not thought and any(isinstance(block, ToolCall) for block in blocks)
