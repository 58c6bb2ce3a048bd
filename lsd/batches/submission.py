"""The body of a submission: row-wise or column-wise, made into a body of `/inference` per item."""

from collections.abc import Iterator
from typing import Any, Literal

import attrs

from lsd.batches.columns import read_rows
from lsd.batches.refusals import BadSubmission
from lsd.conversation import JsonValue, Malformed, NotJson, Problem, decode_json, describe_json
from lsd.inference import BadRequest, InferenceRequest

ROW_KEYS = ("requests", "inferences", "params")
"""Under any of these an object may hold the rows."""

SECRET_FIELDS = ("credentials", "extra_headers")
"""Never written anywhere."""

_WANTED = (
    "wanted an array of bodies of /inference, or an object with such an array as "
    "`requests`, or an object with `inputs` and an array for each other field"
)

_FORBIDDEN = (
    "stream",
    "dryrun",
    "include_original_response",
    "include_raw_response",
    "include_raw_usage",
    "include_aggregated_response",
)


@attrs.frozen(kw_only=True)
class Submission:
    """`rows` is a body of `/inference` for each item, unchecked."""

    shape: Literal["rows", "columns"]
    rows: list[JsonValue]


def read_submission(body: bytes, items_max: int) -> Submission:
    """What a body asks for. Raises Malformed and BadSubmission."""
    try:
        value = decode_json(body)
    except NotJson as error:
        raise Malformed((Problem("", f"the body is not JSON: {error}"),)) from None
    submission = _submission(value)
    count = len(submission.rows)
    if not count:
        raise BadSubmission("", f"the body: no inputs; {_WANTED}")
    if count > items_max:
        reason = (
            f"found {count} items; wanted at most gateway.batch_inference.max_items = {items_max}"
        )
        raise BadSubmission("the body", reason)
    return submission


def _submission(value: JsonValue) -> Submission:
    if isinstance(value, list):
        return Submission(shape="rows", rows=value)
    if not isinstance(value, dict):
        raise BadSubmission("", f"the body: found {describe_json(value)}; {_WANTED}")
    rows = {key: value[key] for key in ROW_KEYS if _holds_rows(key, value)}
    if "inputs" in value:
        if rows:
            keys = ", ".join(f"`{key}`" for key in ("inputs", *rows))
            raise BadSubmission("", f"the body: found {keys}; wanted only one of them")
        found = value["inputs"]
        if found == []:
            return Submission(shape="columns", rows=[])
        return Submission(shape="columns", rows=list(read_rows(value)))
    if not value:
        raise BadSubmission("", f"the body: no inputs; {_WANTED}")
    if len(rows) != 1 or not isinstance(next(iter(rows.values())), list):
        keys = ", ".join(f"`{key}`" for key in value)
        raise BadSubmission("", f"the body: found an object with {keys}; {_WANTED}")
    further = [key for key in value if key not in rows]
    if further:
        raise BadSubmission(further[0], f"unknown key beside `{next(iter(rows))}`")
    return Submission(shape="rows", rows=next(iter(rows.values())))


def _holds_rows(key: str, value: dict[str, JsonValue]) -> bool:
    """`params` as an object belongs to the column-wise shape."""
    return key in value and (key != "params" or isinstance(value[key], list))


def without_secrets(row: dict[str, Any]) -> dict[str, Any]:
    """What is stored of a row; the cache is written by default, and not read."""
    stored = {key: value for key, value in row.items() if key not in SECRET_FIELDS}
    options = stored.get("cache_options") or {}
    if options.get("enabled") is None:
        stored["cache_options"] = {**options, "enabled": "write_only"}
    return stored


def secrets_of(row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row that are kept in memory only; empty if there is nothing in them."""
    return {key: row[key] for key in SECRET_FIELDS if row.get(key)}


def check_fit(request: InferenceRequest) -> None:
    """Raises BadRequest for what an item of a batch cannot do."""
    for field in _forbidden_in(request):
        raise BadRequest(field, "found true; wanted it false, or not there, in a batch")
    if request.internal_dynamic_variant_config is not None:
        raise BadRequest("internal_dynamic_variant_config", "found it in a batch, which takes none")


def _forbidden_in(request: InferenceRequest) -> Iterator[str]:
    return (field for field in _FORBIDDEN if getattr(request, field))
