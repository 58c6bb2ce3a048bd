"""The bodies of requests that change datasets, from bytes to checked shapes."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Final

import attrs

from lsd.conversation import (
    Id,
    Input,
    ProviderTool,
    Structurer,
    Tool,
    ToolChoice,
    register_ids,
    register_input,
)
from lsd.inference import (
    BadRequest,
    ReferenceBlock,
    register_reference_blocks,
    register_tools,
)
from lsd.store import FunctionType


class _Absence(Enum):
    """A value of its own, so that it is not mistaken for null, which means something."""

    KEEP = "keep"


KEEP: Final[Any] = _Absence.KEEP
"""In a patch: the field was not sent, and stays as it is."""


@attrs.frozen(kw_only=True)
class NewChatDatapoint:
    """A datapoint of a chat function."""

    type: ClassVar[FunctionType] = "chat"
    function_name: str
    input: Input
    output: tuple[ReferenceBlock, ...] | None = None
    allowed_tools: tuple[str, ...] | None = None
    additional_tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    provider_tools: tuple[ProviderTool, ...] | None = None
    episode_id: Id | None = None
    tags: Mapping[str, str] | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class NewJsonDatapoint:
    """A datapoint of a json function."""

    type: ClassVar[FunctionType] = "json"
    function_name: str
    input: Input
    output: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None
    episode_id: Id | None = None
    tags: Mapping[str, str] | None = None
    name: str | None = None


NewDatapoint = NewChatDatapoint | NewJsonDatapoint


@attrs.frozen(kw_only=True)
class ChatPatch:
    """Changes of a datapoint of a chat function. None clears where KEEP is the default."""

    type: ClassVar[FunctionType] = "chat"
    id: Id
    input: Input | None = None
    output: tuple[ReferenceBlock, ...] | None = KEEP
    allowed_tools: tuple[str, ...] | None = KEEP
    additional_tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = KEEP
    parallel_tool_calls: bool | None = KEEP
    provider_tools: tuple[ProviderTool, ...] | None = None
    tags: Mapping[str, str] | None = None
    name: str | None = KEEP


@attrs.frozen(kw_only=True)
class JsonPatch:
    """Changes of a datapoint of a json function. None clears where KEEP is the default."""

    type: ClassVar[FunctionType] = "json"
    id: Id
    input: Input | None = None
    output: Mapping[str, Any] | None = KEEP
    output_schema: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None
    name: str | None = KEEP


Patch = ChatPatch | JsonPatch


@attrs.frozen(kw_only=True)
class Renaming:
    """A new name for a datapoint; None takes it away, KEEP leaves it."""

    id: Id
    name: str | None = KEEP


@attrs.frozen(kw_only=True)
class _Creation:
    datapoints: tuple[NewDatapoint, ...]


@attrs.frozen(kw_only=True)
class _Update:
    datapoints: tuple[Patch, ...]


@attrs.frozen(kw_only=True)
class _MetadataUpdate:
    datapoints: tuple[Renaming, ...]


def read_new_datapoints(body: bytes) -> tuple[NewDatapoint, ...]:
    """The datapoints to be created. Raises Malformed and BadRequest."""
    asked = _STRUCTURER.read(body, _Creation).datapoints
    check_given("datapoints", asked)
    return asked


def read_patches(body: bytes) -> tuple[Patch, ...]:
    """The changes to be made. Raises Malformed and BadRequest."""
    asked = _STRUCTURER.read(body, _Update).datapoints
    check_given("datapoints", asked)
    _check_distinct(each.id for each in asked)
    return asked


def read_renamings(body: bytes) -> tuple[Renaming, ...]:
    """The names to be given. Raises Malformed and BadRequest."""
    asked = _STRUCTURER.read(body, _MetadataUpdate).datapoints
    check_given("datapoints", asked)
    _check_distinct(each.id for each in asked)
    return asked


def check_given(where: str, items: Sequence[object]) -> None:
    """Raises BadRequest for an empty list, which is a mistake where something is to be changed."""
    if not items:
        raise BadRequest(where, "found an empty array; wanted at least one entry")


def _check_distinct(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for place, each in enumerate(ids):
        if each in seen:
            raise BadRequest(f"datapoints[{place}].id", f"found {each} twice; wanted it once")
        seen.add(each)


def _structurer() -> Structurer:
    # A client may send a whole datapoint that it has read, so keys of no meaning here are passed.
    structurer = Structurer(unknown_keys="ignored")
    register_ids(structurer)
    register_input(structurer)
    register_tools(structurer)
    register_reference_blocks(structurer)
    structurer.tagged(NewDatapoint, {"chat": NewChatDatapoint, "json": NewJsonDatapoint})
    structurer.tagged(Patch, {"chat": ChatPatch, "json": JsonPatch})
    return structurer


_STRUCTURER: Final = _structurer()
