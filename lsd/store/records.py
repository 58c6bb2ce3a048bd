"""The records: what is stored about an inference, its calls to models, feedback, and datapoints.

A record's *head* (ids, names, tags, times) and its *body* (everything long) are separate values:
lists touch heads only, and bodies can expire first. JSON-valued fields hold JSON-ready Python
values (dict, list, str …) or, on the way in, text already encoded, as `Fragment`. The order of the
fields is that of the stored JSON.
"""

from decimal import Decimal
from typing import Literal

import attrs

from lsd.conversation import FinishReason, JsonValue, frozen

InferenceStatus = Literal["ok", "interrupted"]
ModelInferenceStatus = Literal["ok", "interrupted", "error"]
FunctionType = Literal["chat", "json"]
TargetType = Literal["inference", "episode"]
FeedbackKind = Literal["boolean", "float", "comment", "demonstration"]

Tags = dict[str, str]


@frozen(kw_only=True)
class InferenceBody:
    """The long part of an inference."""

    input: JsonValue
    output: JsonValue
    """Chat: list of content blocks; json: `{"raw": …, "parsed": …}`."""
    inference_params: JsonValue = attrs.field(factory=dict)
    extra_body: JsonValue = attrs.field(factory=list)
    additional_tools: JsonValue = None
    allowed_tools: JsonValue = None
    tool_choice: JsonValue = None
    parallel_tool_calls: bool | None = None
    provider_tools: JsonValue = None
    output_schema: JsonValue = None
    auxiliary_content: JsonValue = None


@frozen(kw_only=True)
class InferenceRecord:
    """One inference that succeeded or was interrupted. Its time is the one in its id."""

    inference_id: str
    function_type: FunctionType
    function_name: str
    variant_name: str
    episode_id: str
    status: InferenceStatus = "ok"
    tags: Tags = attrs.field(factory=dict)
    processing_time_ms: int | None = None
    ttft_ms: int | None = None
    snapshot_hash: str | None = None
    body: InferenceBody | None = None
    """None: expired, or not read."""


@frozen(kw_only=True)
class ModelInferenceBody:
    """The long part of a model inference."""

    raw_request: str | None = None
    raw_response: str | None = None
    system: JsonValue = None
    input_messages: JsonValue = None
    output: JsonValue = None


@frozen(kw_only=True)
class ModelInferenceRecord:
    """One call to one provider."""

    id: str
    inference_id: str
    function_name: str | None = None
    variant_name: str | None = None
    """None in calls of an embedding inference, in both; a function's own calls have both."""
    model_name: str
    model_provider_name: str
    status: ModelInferenceStatus = "ok"
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    """A reported 0 is stored as None, in both."""
    provider_cache_read_input_tokens: int | None = None
    provider_cache_write_input_tokens: int | None = None
    """None: the provider does not report it; 0 is a value. In both."""
    response_time_ms: int | None = None
    ttft_ms: int | None = None
    cached: bool = False
    cost: Decimal | None = None
    """Dollars, rounded to the nearest billionth; None: not known."""
    finish_reason: FinishReason | None = None
    snapshot_hash: str | None = None
    episode_id: str | None = None
    """Set by the store in attempts of an inference that failed as a whole, and only there."""
    body: ModelInferenceBody | None = None
    """None: expired, or not read."""


@frozen(kw_only=True)
class EmbeddingRecord:
    """One request for embeddings, whose calls are model inferences beside it.

    It belongs to no function and no episode. `dimensions` is the length of its vectors, None if
    there are none.
    """

    id: str
    model_name: str
    status: ModelInferenceStatus = "ok"
    input_count: int
    dimensions: int | None = None
    tags: Tags = attrs.field(factory=dict)
    processing_time_ms: int | None = None
    snapshot_hash: str | None = None


@frozen(kw_only=True)
class DatapointBody:
    """The long part of a datapoint. Tools and `output_schema` as an inference would be given them.

    A chat's datapoint has tools, with `tool_choice` and `parallel_tool_calls` as they resulted; a
    json function's has a schema, always.
    """

    input: JsonValue
    output: JsonValue = None
    """As an inference's. None: there is no reference output; an empty list is one."""
    output_schema: JsonValue = None
    additional_tools: JsonValue = None
    allowed_tools: JsonValue = None
    tool_choice: JsonValue = None
    parallel_tool_calls: bool | None = None
    provider_tools: JsonValue = None


@frozen(kw_only=True)
class Datapoint:
    """One version of an example in a dataset. Its content never changes.

    Only `name` and the two times do, in microseconds since 1970; the store sets them. It is *live*
    until it is deleted or another version takes its place.
    """

    id: str
    dataset_name: str
    function_name: str
    function_type: FunctionType
    episode_id: str | None = None
    tags: Tags = attrs.field(factory=dict)
    name: str | None = None
    is_custom: bool = True
    source_inference_id: str | None = None
    snapshot_hash: str | None = None
    updated_at_us: int = 0
    staled_at_us: int | None = None
    body: DatapointBody | None = None
    """None: not read."""


@frozen(kw_only=True)
class FeedbackRecord:
    """One feedback entry on an inference or an episode."""

    id: str
    kind: FeedbackKind
    target_id: str
    target_type: TargetType
    metric_name: str
    """The metric; `comment` or `demonstration` for these kinds."""
    value: bool | float | str
    """A demonstration: the JSON text of its stored form."""
    tags: Tags = attrs.field(factory=dict)
    snapshot_hash: str | None = None


@frozen(kw_only=True)
class Judgement:
    """A person's verdict in place of an evaluator's, about one output for one datapoint."""

    metric_name: str
    datapoint_id: str
    evaluator_inference_id: str
    value: bool | float
    feedback_id: str
