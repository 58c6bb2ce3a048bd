"""Calls of a model as it is, without function and template: what the compatible endpoints make."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from lsd.conversation import (
    UNSET_PARAMS,
    BadSchema,
    FunctionTool,
    Input,
    InputMessage,
    ModelRequest,
    Schema,
    SchemaCache,
    Text,
    Tool,
    ToolSet,
    frozen,
)
from lsd.inference.accept import API_KEY_TAG, Accepted
from lsd.inference.pinning import check_namespace
from lsd.inference.prepared import Prepared, PreparedModel
from lsd.inference.request import NO_CACHE, CacheOptions, InferenceRequest, Params
from lsd.inference.targeted_edits import TargetedBodyEdit, TargetedHeaderEdit
from lsd.inference.toolbox import Toolbox

_NONE: Mapping[str, str] = MappingProxyType({})


@frozen(kw_only=True)
class CallOptions:
    """What the caller of a model may want beside its answer; nearly nobody wants any of it.

    The names are those of InferenceRequest.
    """

    dryrun: bool = False
    cache_options: CacheOptions = NO_CACHE
    credentials: Mapping[str, str] = attrs.field(default=_NONE, repr=False)
    extra_body: tuple[TargetedBodyEdit, ...] = ()
    extra_headers: tuple[TargetedHeaderEdit, ...] = attrs.field(default=(), repr=False)
    include_raw_response: bool = False
    include_raw_usage: bool = False


NO_OPTIONS = CallOptions()


@frozen
class DirectCall:
    """One call of `model`. `request` is what it is asked.

    `tags` are those of its record; `api_key_public_id`, which tells who asks, becomes one more.
    """

    model: PreparedModel
    request: ModelRequest
    tags: dict[str, str] = attrs.Factory(dict)
    api_key_public_id: str | None = None
    options: CallOptions = NO_OPTIONS


def accept_direct(call: DirectCall, prepared: Prepared) -> Accepted:
    """The plan of a call: the model's only variant is sent the request as it stands.

    Raises BadRequest for a model that belongs to a namespace.
    """
    model, request, tags = call.model, call.request, call.tags
    check_namespace("model", model.name, model.config.namespace, None)
    further: dict[str, Any] = {}
    toolbox = None
    if request.params is not UNSET_PARAMS:
        further["params"] = Params(request.params)
    if request.tools is not None:
        further |= _said_of_tools(request.tools)
        toolbox = _toolbox(request.tools, prepared.schemas)
    if call.options is not NO_OPTIONS:
        further |= attrs.asdict(call.options, recurse=False)
    asked = InferenceRequest(
        model_name=model.name,
        input=_input(request),
        stream=request.stream,
        tags=tags,
        output_schema=request.output_schema,
        **further,
    )
    key, function = call.api_key_public_id, model.function
    return Accepted(
        asked,
        function,
        None,
        None,
        tags if key is None else {**tags, API_KEY_TAG: key},
        key,
        toolbox,
        None,
        function.sole_variant,
        request.is_text,
        request,
    )


def _said_of_tools(tools: ToolSet) -> dict[str, Any]:
    return {
        "additional_tools": tools.tools,
        "allowed_tools": tools.allowed,
        "tool_choice": tools.choice,
        "parallel_tool_calls": tools.parallel,
        "provider_tools": tools.provider_tools,
    }


def _input(request: ModelRequest) -> Input:
    """The input as it is recorded: instructions within the conversation join the first ones."""
    system, messages = request.system, []
    for message in request.messages:
        if message.role == "system":
            for block in message.content:
                if isinstance(block, Text):
                    system = block.text if system is None else f"{system}\n\n{block.text}"
        else:
            messages.append(InputMessage(message.role, message.content))
    return Input(system, tuple(messages))


def _toolbox(tools: ToolSet, schemas: SchemaCache) -> Toolbox:
    names = [tool.name for tool in tools.tools]
    return Toolbox(
        tool_set=tools,
        schemas=_ParameterSchemas(tools.tools, schemas),
        callable=frozenset(names if tools.allowed is None else tools.allowed),
    )


@frozen
class _ParameterSchemas(Mapping[str, Schema | None]):
    """The schemas of tools, compiled when a call has to be checked: most never are.

    One that is no schema checks nothing; the provider has judged it.
    """

    _tools: tuple[Tool, ...]
    _cache: SchemaCache

    def __getitem__(self, name: str) -> Schema | None:
        for tool in self._tools:
            if tool.name == name:
                return self._compiled(tool)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(tool.name for tool in self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def _compiled(self, tool: Tool) -> Schema | None:
        if not isinstance(tool, FunctionTool):
            return None
        try:
            return self._cache.compile(tool.parameters)
        except BadSchema:
            return None
