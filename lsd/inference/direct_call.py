"""Calls of a model as it is, without function and template: what the compatible endpoints make."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import attrs

from lsd.conversation import (
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
class DirectCall:
    """One call of `model`. `request` is what it is asked.

    `tags` are those of its record; `api_key_public_id`, which tells who asks, becomes one more.
    """

    model: PreparedModel
    request: ModelRequest
    tags: Mapping[str, str] = _NONE
    api_key_public_id: str | None = None
    dryrun: bool = False
    cache_options: CacheOptions = NO_CACHE
    credentials: Mapping[str, str] = attrs.field(default=_NONE, repr=False)
    extra_body: tuple[TargetedBodyEdit, ...] = ()
    extra_headers: tuple[TargetedHeaderEdit, ...] = attrs.field(default=(), repr=False)
    include_raw_response: bool = False
    include_raw_usage: bool = False


def accept_direct(call: DirectCall, prepared: Prepared) -> Accepted:
    """The plan of a call: the model's only variant is sent the request as it stands.

    Raises BadRequest for a model that belongs to a namespace.
    """
    model, request = call.model, call.request
    check_namespace("model", model.name, model.config.namespace, None)
    tools = request.tools
    tags = dict(call.tags)
    if call.api_key_public_id is not None:
        tags[API_KEY_TAG] = call.api_key_public_id
    return Accepted(
        request=InferenceRequest(
            model_name=model.name,
            input=_input(request),
            stream=request.stream,
            dryrun=call.dryrun,
            tags=call.tags,
            params=Params(chat_completion=request.params),
            additional_tools=None if tools is None else tools.tools,
            allowed_tools=None if tools is None else tools.allowed,
            tool_choice=None if tools is None else tools.choice,
            parallel_tool_calls=None if tools is None else tools.parallel,
            provider_tools=() if tools is None else tools.provider_tools,
            output_schema=request.output_schema,
            cache_options=call.cache_options,
            credentials=call.credentials,
            extra_body=call.extra_body,
            extra_headers=call.extra_headers,
            include_raw_response=call.include_raw_response,
            include_raw_usage=call.include_raw_usage,
        ),
        function=model.function,
        pinned=None,
        episode_id=None,
        tags=tags,
        api_key_public_id=call.api_key_public_id,
        toolbox=None if tools is None else _toolbox(tools, prepared.schemas),
        output_schema=None,
        direct=request,
        drawn=model.function.sole_variant,
    )


def _input(request: ModelRequest) -> Input:
    """The input as it is recorded: instructions within the conversation join the first ones."""
    system = [] if request.system is None else [request.system]
    messages = []
    for message in request.messages:
        if message.role == "system":
            system += [block.text for block in message.content if isinstance(block, Text)]
        else:
            messages.append(InputMessage(role=message.role, content=message.content))
    return Input(system="\n\n".join(system) if system else None, messages=tuple(messages))


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
