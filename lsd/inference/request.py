"""The body of `POST /inference`, from bytes to a checked shape."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs
from cattrs import Converter

from lsd.conversation import (
    UNSET_PARAMS,
    ChatCompletionParams,
    Hook,
    Input,
    JsonMode,
    JsonValue,
    Mismatch,
    ProviderTool,
    ServiceTier,
    Structurer,
    Tool,
    ToolChoice,
    at,
    frozen,
    register_input,
)
from lsd.inference.requested_tools import register_tools
from lsd.inference.targeted_edits import TargetedBodyEdit, TargetedHeaderEdit, register_edits

UNSIGNED_32_MAX = 2**32 - 1
SIGNED_32_MAX = 2**31 - 1

CacheMode = Literal["off", "on", "read_only", "write_only"]


@frozen(kw_only=True)
class CacheOptions:
    """How this request uses the inference cache."""

    enabled: CacheMode = "off"
    max_age_s: int | None = None


NO_CACHE = CacheOptions()


@frozen
class Params:
    """Sampling parameters by type of variant; there is one type."""

    chat_completion: ChatCompletionParams = UNSET_PARAMS


_NONE: Mapping[str, str] = MappingProxyType({})


@frozen
class InferenceRequest:
    """What a caller asks for, by keywords. Flags that may be null are off then."""

    # Defaults of fields that might be given by place cost a third less.

    function_name: str | None = None
    model_name: str | None = None
    input: Input = attrs.field(kw_only=True)
    episode_id: str | None = None
    variant_name: str | None = None
    stream: bool | None = None
    dryrun: bool | None = None
    tags: Mapping[str, str] = _NONE
    namespace: str | None = None
    params: Params = Params()
    allowed_tools: tuple[str, ...] | None = None
    additional_tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    provider_tools: tuple[ProviderTool, ...] = ()
    output_schema: Mapping[str, Any] | None = None
    cache_options: CacheOptions = NO_CACHE
    credentials: Mapping[str, str] = attrs.field(default=_NONE, repr=False)
    extra_body: tuple[TargetedBodyEdit, ...] = ()
    extra_headers: tuple[TargetedHeaderEdit, ...] = attrs.field(default=(), repr=False)
    include_raw_response: bool = False
    include_raw_usage: bool = False
    include_aggregated_response: bool = False
    include_original_response: bool = False
    internal: bool = False
    internal_dynamic_variant_config: Mapping[str, Any] | None = None


def read_inference_request(body: bytes) -> InferenceRequest:
    """The request that `body` holds. Raises Malformed with every problem and its path."""
    return _STRUCTURER.read(body, InferenceRequest)


def structure_inference_request(value: JsonValue) -> InferenceRequest:
    """The request that a decoded body is. Raises Malformed with every problem and its path."""
    return _STRUCTURER.structure(value, InferenceRequest)


@frozen(kw_only=True)
class _Params:
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop_sequences: tuple[str, ...] | None = None
    json_mode: Literal["off", "on", "strict", "tool", "implicit_tool"] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    service_tier: ServiceTier | None = None
    thinking_budget_tokens: int | None = None


@frozen(kw_only=True)
class _CacheOptions:
    enabled: CacheMode | None = None
    max_age_s: int | None = None


def register_cache_options(structurer: Structurer) -> None:
    """Teaches `structurer` to make `CacheOptions`."""
    structurer.converting_hook(CacheOptions, _cache_options_hook)


def _inference_structurer() -> Structurer:
    structurer = Structurer()
    register_input(structurer)
    structurer.converting_hook(ChatCompletionParams, _params_hook)
    register_tools(structurer)
    register_edits(structurer)
    register_cache_options(structurer)
    return structurer


def _params_hook(converter: Converter) -> Hook:
    bounds = {
        "max_tokens": (0, UNSIGNED_32_MAX),
        "seed": (0, UNSIGNED_32_MAX),
        "thinking_budget_tokens": (-SIGNED_32_MAX - 1, SIGNED_32_MAX),
    }

    def structure(value: Any, _: Any) -> ChatCompletionParams:
        made = converter.structure(value, _Params)
        for name, (least, most) in bounds.items():
            number = getattr(made, name)
            if number is not None and not least <= number <= most:
                raise at(name, Mismatch(str(number), f"an integer from {least} to {most}"))
        fields = attrs.asdict(made, recurse=False)
        json_mode: JsonMode | None = made.json_mode if made.json_mode != "implicit_tool" else "tool"
        return ChatCompletionParams(**{**fields, "json_mode": json_mode})

    return structure


def _cache_options_hook(converter: Converter) -> Hook:
    def structure(value: Any, _: Any) -> CacheOptions:
        fields = converter.structure(value, _CacheOptions)
        if fields.max_age_s is not None and fields.max_age_s < 0:
            raise at("max_age_s", Mismatch(str(fields.max_age_s), "an integer ≥ 0"))
        return CacheOptions(enabled=fields.enabled or "off", max_age_s=fields.max_age_s)

    return structure


_STRUCTURER = _inference_structurer()
