"""LSD's own fields in the body of a compatible request, all named `lsd::…`, and the rest of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from lsd.api.compat.headers import (
    DRYRUN_HEADER,
    TAGS_HEADER,
    check_media_type,
    header_tags,
    wants_dryrun,
)
from lsd.api.exchange import Request
from lsd.conversation import (
    METADATA_KEY,
    JsonValue,
    Malformed,
    NotJson,
    Problem,
    Structurer,
    decode_json,
    describe_json,
    frozen,
)
from lsd.inference import (
    NO_CACHE,
    NO_OPTIONS,
    BadRequest,
    CacheOptions,
    CallOptions,
    TargetedBodyEdit,
    TargetedHeaderEdit,
    register_cache_options,
    register_edits,
)

PREFIX = "lsd::"
_API_TAG = f"{PREFIX}api"

_ELSEWHERE = ("episode_id", "variant_name", "function_name", "namespace")
"""What only `POST /inference` knows."""


def _as(name: str) -> dict[str, Any]:
    return {METADATA_KEY: PREFIX + name}


@attrs.frozen(kw_only=True)
class Extensions:
    """What a client asks of LSD itself; what is not set is None, empty or off."""

    tags: Mapping[str, str] | None = attrs.field(default=None, metadata=_as("tags"))
    dryrun: bool | None = attrs.field(default=None, metadata=_as("dryrun"))
    cache_options: CacheOptions | None = attrs.field(default=None, metadata=_as("cache_options"))
    credentials: Mapping[str, str] | None = attrs.field(
        default=None, metadata=_as("credentials"), repr=False
    )
    extra_body: tuple[TargetedBodyEdit, ...] | None = attrs.field(
        default=None, metadata=_as("extra_body")
    )
    extra_headers: tuple[TargetedHeaderEdit, ...] | None = attrs.field(
        default=None, metadata=_as("extra_headers"), repr=False
    )
    deny_unknown_fields: bool | None = attrs.field(
        default=None, metadata=_as("deny_unknown_fields")
    )
    include_raw_response: bool | None = attrs.field(
        default=None, metadata=_as("include_raw_response")
    )
    include_raw_usage: bool | None = attrs.field(default=None, metadata=_as("include_raw_usage"))


NOTHING_ASKED = Extensions()


@frozen
class CompatibleBody:
    """A body taken apart: the API's own `fields` in their order, without nulls, and LSD's.

    `header_tags` are those that came in a header; `is_dryrun` counts both ways of asking for it.
    """

    fields: dict[str, JsonValue]
    extensions: Extensions = NOTHING_ASKED
    header_tags: Mapping[str, str] = MappingProxyType({})
    is_dryrun: bool = False

    def tags(self, api: str, own: Mapping[str, str]) -> dict[str, str]:
        """All tags of the record; `own` are those in fields of the API. Raises BadRequest.

        What says more about the one request counts: LSD's field, then the API's, then the header.
        """
        asked = self.extensions.tags or {}
        if not (asked or own or self.header_tags):
            return {_API_TAG: api}
        tags = {**self.header_tags, **own, **asked}
        for key in tags:
            if key.startswith(PREFIX):
                where = f"{PREFIX}tags" if key in asked else "tags"
                raise BadRequest(where, f"found the key {key!r}; keys that begin so are LSD's own")
        tags[_API_TAG] = api
        return tags

    @property
    def options(self) -> CallOptions:
        """What the call of a model is to be beside its answer."""
        extensions = self.extensions
        if extensions is NOTHING_ASKED and not self.is_dryrun:
            return NO_OPTIONS
        return CallOptions(
            dryrun=self.is_dryrun,
            cache_options=extensions.cache_options or NO_CACHE,
            credentials=extensions.credentials or {},
            extra_body=extensions.extra_body or (),
            extra_headers=extensions.extra_headers or (),
            include_raw_response=bool(extensions.include_raw_response),
            include_raw_usage=bool(extensions.include_raw_usage),
        )

    def check_known(self, known: frozenset[str]) -> None:
        """Raises BadRequest if unknown fields are denied and there are any."""
        if not self.extensions.deny_unknown_fields:
            return
        unknown = sorted(name for name in self.fields if name not in known)
        if unknown:
            raise BadRequest(
                unknown[0], f"found unknown fields: {', '.join(unknown)}; wanted none of these"
            )


def read_compatible_body(request: Request) -> CompatibleBody:
    """The body of a compatible request. Raises MediaTypeUnknown, Malformed and BadRequest."""
    headers = request.headers
    check_media_type(headers)
    fields, extensions = _object_in(request.body), NOTHING_ASKED
    # Nearly no body has either, and a look at each name takes longer.
    if PREFIX in " ".join(fields) or None in fields.values():
        fields, extensions = _taken_apart(fields)
    if not (extensions is not NOTHING_ASKED or TAGS_HEADER in headers or DRYRUN_HEADER in headers):
        return CompatibleBody(fields)
    is_dryrun = bool(extensions.dryrun) or wants_dryrun(headers)
    return CompatibleBody(fields, extensions, header_tags(headers), is_dryrun)


def _taken_apart(document: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], Extensions]:
    own: dict[str, JsonValue] = {}
    fields: dict[str, JsonValue] = {}
    for name, value in document.items():
        if name.startswith(PREFIX):
            _check_name(name)
            own[name] = value
        elif value is not None:
            fields[name] = value
    return fields, _STRUCTURER.structure(own, Extensions) if own else NOTHING_ASKED


def _object_in(body: bytes) -> dict[str, JsonValue]:
    try:
        document = decode_json(body)
    except NotJson as error:
        raise Malformed((Problem("", f"the body is not JSON: {error}"),)) from None
    if not isinstance(document, dict):
        reason = f"the body is {describe_json(document)}; wanted an object"
        raise Malformed((Problem("", reason),))
    return document


def _check_name(name: str) -> None:
    bare = name.removeprefix(PREFIX)
    if bare in _ELSEWHERE:
        raise BadRequest(name, "found it in a call of a model; use POST /inference for it")
    if bare not in _NAMES:
        known = ", ".join(f"{PREFIX}{each}" for each in sorted(_NAMES))
        raise BadRequest(name, f"unknown field; wanted one of {known}")


def _extension_structurer() -> Structurer:
    structurer = Structurer()
    register_edits(structurer)
    register_cache_options(structurer)
    return structurer


_NAMES = frozenset(field.name for field in attrs.fields(Extensions))
_STRUCTURER = _extension_structurer()
