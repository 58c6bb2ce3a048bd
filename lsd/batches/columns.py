"""The column-wise shape of a submission: one function, and for each field an array of values."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from lsd.batches.refusals import BadSubmission
from lsd.conversation import ChatCompletionParams, JsonValue, Structurer

Values = tuple[Any, ...] | None
"""A value for each item; None, and any value that is null: as if it were not there."""


@attrs.frozen(kw_only=True)
class ParamColumns:
    """Sampling parameters by type of variant; other types than this one are nobody's business."""

    chat_completion: Mapping[str, Values] | None = None


@attrs.frozen(kw_only=True)
class Columns:
    """The body."""

    inputs: tuple[Any, ...]
    function_name: str | None = None
    model_name: str | None = None
    variant_name: str | None = None
    episode_ids: Values = None
    tags: Values = None
    params: ParamColumns | None = None
    allowed_tools: Values = None
    additional_tools: Values = None
    tool_choice: Values = None
    parallel_tool_calls: Values = None
    provider_tools: Values = None
    output_schemas: Values = None
    credentials: Mapping[str, str] | None = attrs.field(default=None, repr=False)


_FIELDS = {
    "inputs": "input",
    "episode_ids": "episode_id",
    "tags": "tags",
    "allowed_tools": "allowed_tools",
    "additional_tools": "additional_tools",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "provider_tools": "provider_tools",
    "output_schemas": "output_schema",
}
"""Columns by what the field is called in the body of `/inference`."""

_ONE_FOR_ALL = ("function_name", "model_name", "variant_name", "credentials")

_PARAMS = frozenset(field.name for field in attrs.fields(ChatCompletionParams))

_STRUCTURER = Structurer()
_STRUCTURER.table(ParamColumns, unknown_keys="ignored")


def read_rows(body: JsonValue) -> list[dict[str, JsonValue]]:
    """The bodies of `/inference` that a column-wise one stands for.

    Raises Malformed, and BadSubmission for an array of another length than `inputs`.
    """
    columns = _STRUCTURER.structure(body, Columns)
    count = len(columns.inputs)
    given = dict(_given(columns))
    params = dict(_given_params(columns))
    for column, values in given.items():
        _check_length(column, values, count)
    for name, values in params.items():
        _check_length(f"params.chat_completion.{name}", values, count)
    shared = {name: value for name in _ONE_FOR_ALL if (value := getattr(columns, name)) is not None}
    return [_row(index, shared, given, params) for index in range(count)]


def _given(columns: Columns) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for column in _FIELDS:
        values = getattr(columns, column)
        if values is not None:
            yield column, values


def _given_params(columns: Columns) -> Iterator[tuple[str, tuple[Any, ...]]]:
    params = columns.params and columns.params.chat_completion
    for name, values in (params or {}).items():
        if name not in _PARAMS:
            reason = f"unknown parameter; wanted one of {', '.join(sorted(_PARAMS))}"
            raise BadSubmission(f"params.chat_completion.{name}", reason)
        if values is not None:
            yield name, values


def _check_length(where: str, values: tuple[Any, ...], count: int) -> None:
    if len(values) != count:
        reason = f"found {len(values)} elements; wanted {count}, as many as `inputs` has"
        raise BadSubmission(where, reason)


def _row(
    index: int,
    shared: Mapping[str, Any],
    given: Mapping[str, tuple[Any, ...]],
    params: Mapping[str, tuple[Any, ...]],
) -> dict[str, JsonValue]:
    row = dict(shared)
    for column, values in given.items():
        if values[index] is not None:
            row[_FIELDS[column]] = values[index]
    of_item = {name: values[index] for name, values in params.items() if values[index] is not None}
    if of_item:
        row["params"] = {"chat_completion": of_item}
    return row
