"""From a request to a plan: every check that can be made before a provider is called.

The checks come in a fixed order, and the first that fails decides what the caller is told.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lsd.config import ChatFunction, shorthand_problem
from lsd.conversation import (
    BadId,
    BadSchema,
    ModelRequest,
    Schema,
    frozen,
    id_time_ms,
    is_version_7,
    parse_id,
)
from lsd.inference.input_checks import check_input, says_only_text
from lsd.inference.pinning import (
    check_dynamic_request,
    check_namespace,
    dynamic_variant,
    pinned_variant,
)
from lsd.inference.prepared import (
    Prepared,
    PreparedFunction,
    PreparedVariant,
)
from lsd.inference.refusals import BadRequest, InferenceFailed, UnknownName
from lsd.inference.request import InferenceRequest
from lsd.inference.targeted_edits import EditTarget
from lsd.inference.toolbox import Toolbox, toolbox_for

RESERVED_PREFIX = "lsd::"
API_KEY_TAG = "lsd::api_key_public_id"

EARLIEST_EPISODE_MS = 1_579_751_960_000
"""2020-01-23T03:59:20Z. No UUIDv7 is older than the format; an earlier time is a mistake."""

TOOL_FIELDS = ("allowed_tools", "additional_tools", "tool_choice", "parallel_tool_calls")


@frozen
class Accepted:
    """A request that may run, with all that was found out on the way.

    `output_schema` is the one in force: the request's, else the function's. `drawn`: the only
    variant that may run, although the caller has not pinned it. `is_text`: the input is known to
    hold nothing but text. `direct`: the variant has no part in what the model is asked, which is
    this.
    """

    request: InferenceRequest
    function: PreparedFunction
    pinned: PreparedVariant | None
    episode_id: str | None
    tags: Mapping[str, str]
    api_key_public_id: str | None
    toolbox: Toolbox | None
    output_schema: Schema | None
    drawn: PreparedVariant | None
    is_text: bool = False
    direct: ModelRequest | None = None


def accept(
    request: InferenceRequest,
    prepared: Prepared,
    *,
    now_ms: Callable[[], int],
    api_key_public_id: str | None = None,
) -> Accepted:
    """The plan of a request. Raises BadRequest, UnknownName or InferenceFailed."""
    # What a request does not ask for is not looked at: most ask for nothing but an answer.
    if request.tags or request.namespace is not None:
        _check_tags(request)
    episode_id = None
    if request.episode_id is not None:
        episode_id = _checked_episode(request.episode_id, now_ms())
    function = _target(request, prepared)
    table = request.internal_dynamic_variant_config
    if not function.variants and table is None:
        text = f"function {function.name!r} has no variants"
        raise InferenceFailed("function", text, pinned=True)
    if request.params.chat_completion.json_mode == "tool":
        _check_forced_json(request, function)
    dynamic = None
    if table is not None and request.function_name is not None:
        dynamic = dynamic_variant(table, function, prepared)
    is_text = says_only_text(request.input)
    if not is_text or function.config.schemas:
        check_input(
            request.input,
            function.config.schemas,
            function.prompts if dynamic is None else (dynamic.generation.prompts,),
            show_values=prepared.loaded.config.gateway.debug,
        )
    if request.extra_body or request.extra_headers:
        _check_edit_targets(request, function, prepared)
    if table is not None:
        check_dynamic_request(request)
    toolbox = _tools(request, function, prepared)
    pinned = None
    if request.variant_name is not None or dynamic is not None:
        pinned = pinned_variant(request, function, dynamic, prepared)
    if request.include_aggregated_response and not request.stream:
        raise BadRequest("include_aggregated_response", "found true; wanted it with `stream` only")
    output_schema = function.output_schema
    if request.output_schema is not None:
        output_schema = _compiled(request.output_schema, prepared)
    # By position: keywords cost more than the rest of it.
    return Accepted(
        request,
        function,
        pinned,
        episode_id,
        _final_tags(request, pinned, api_key_public_id),
        api_key_public_id,
        toolbox,
        output_schema,
        function.sole_variant,
        is_text,
    )


def _check_tags(request: InferenceRequest) -> None:
    for key in request.tags:
        if key.startswith(RESERVED_PREFIX) and not request.internal:
            reason = f"found the key {key!r}; keys that begin with {RESERVED_PREFIX} are LSD's own"
            raise BadRequest("tags", reason)
    if request.namespace is None:
        return
    if not request.namespace:
        raise BadRequest("namespace", 'found ""; wanted a name, or no namespace')
    if request.namespace.startswith(RESERVED_PREFIX):
        reason = (
            f"found {request.namespace!r}; names that begin with {RESERVED_PREFIX} are LSD's own"
        )
        raise BadRequest("namespace", reason)


def _checked_episode(given: str, now_ms: int) -> str:
    try:
        episode_id = parse_id(given)
    except BadId as error:
        raise BadRequest("episode_id", str(error)) from None
    found = f"found {given!r}, which"
    if not is_version_7(episode_id):
        raise BadRequest(
            "episode_id", f"{found} is no UUID of version 7; leave it out for a new one"
        )
    time_ms = id_time_ms(episode_id)
    if time_ms // 1000 > now_ms // 1000:
        raise BadRequest(
            "episode_id", f"{found} has a time in the future; wanted an id given by LSD"
        )
    if time_ms < EARLIEST_EPISODE_MS:
        raise BadRequest("episode_id", f"{found} has a time too early; wanted an id given by LSD")
    return episode_id


def _target(request: InferenceRequest, prepared: Prepared) -> PreparedFunction:
    if request.model_name is None:
        if request.function_name is None:
            raise _not_one_target("neither")
        function = prepared.functions.get(request.function_name)
        if function is None:
            raise UnknownName("function_name", "function", request.function_name)
        return function
    if request.function_name is not None:
        raise _not_one_target("both")
    if request.variant_name is not None:
        raise BadRequest("variant_name", "found it with `model_name`, which has no variants")
    model = prepared.model(request.model_name)
    if model is None:
        problem = shorthand_problem(request.model_name)
        raise BadRequest("model_name", f"found {request.model_name!r}; {problem}")
    check_namespace("model_name", model.name, model.config.namespace, request.namespace)
    return model.function


def _not_one_target(found: str) -> BadRequest:
    reason = f"found {found}; wanted exactly one of them"
    return BadRequest("function_name, model_name", reason)


def _check_forced_json(request: InferenceRequest, function: PreparedFunction) -> None:
    """JSON by a forced tool, in a chat function, leaves no room for other tools."""
    config = function.config
    if not isinstance(config, ChatFunction):
        return
    where = "params.chat_completion.json_mode"
    if request.output_schema is None:
        raise BadRequest(where, 'found "tool" without `output_schema`; wanted both')
    given = [field for field in TOOL_FIELDS if getattr(request, field) is not None]
    given += ["provider_tools"] if request.provider_tools else []
    if given:
        raise BadRequest(where, f'found "tool" with `{given[0]}`; wanted one of them')
    if config.tools or config.tool_choice != "auto" or config.parallel_tool_calls is not None:
        reason = f'found "tool"; the function {function.name!r} has tool settings of its own'
        raise BadRequest(where, reason)


def _check_edit_targets(
    request: InferenceRequest, function: PreparedFunction, prepared: Prepared
) -> None:
    for field in ("extra_body", "extra_headers"):
        for place, entry in enumerate(getattr(request, field)):
            _check_edit_target(f"{field}[{place}]", entry.target, function, prepared)


def _check_edit_target(
    where: str, target: EditTarget, function: PreparedFunction, prepared: Prepared
) -> None:
    if target.variant_name is not None and target.variant_name not in function.variants:
        raise UnknownName(f"{where}.variant_name", "variant", target.variant_name)
    if target.model_name is None:
        return
    model = prepared.model(target.model_name)
    if model is None:
        reason = f"found {target.model_name!r}; wanted the name of a model"
        raise BadRequest(f"{where}.model_name", reason)
    names = [provider.name for provider in model.providers]
    if target.provider_name is not None and target.provider_name not in names:
        reason = f"found {target.provider_name!r}; wanted one of {', '.join(names)}"
        raise BadRequest(f"{where}.provider_name", reason)


def _tools(
    request: InferenceRequest, function: PreparedFunction, prepared: Prepared
) -> Toolbox | None:
    if not (
        function.has_tools
        or request.allowed_tools is not None
        or request.additional_tools is not None
        or request.tool_choice is not None
        or request.parallel_tool_calls is not None
        or request.provider_tools
    ):
        return None
    if isinstance(function.config, ChatFunction):
        return toolbox_for(function.config, prepared.loaded.config.tools, request, prepared.schemas)
    for field in TOOL_FIELDS:
        if getattr(request, field) is not None:
            raise BadRequest(field, "found it in a call of a json function, which takes no tools")
    return None


def _compiled(output_schema: Mapping[str, Any], prepared: Prepared) -> Schema:
    try:
        return prepared.schemas.compile(output_schema)
    except BadSchema as error:
        raise BadRequest("output_schema", str(error)) from None


def _final_tags(
    request: InferenceRequest, pinned: PreparedVariant | None, api_key_public_id: str | None
) -> dict[str, str]:
    tags = dict(request.tags) if request.tags else {}
    if request.internal:
        tags["lsd::internal"] = "true"
    if request.namespace is not None:
        tags["lsd::namespace"] = request.namespace
    if request.variant_name is not None and pinned is not None:
        tags["lsd::variant_pinned"] = pinned.name
    if api_key_public_id is not None:
        tags[API_KEY_TAG] = api_key_public_id
    return tags
