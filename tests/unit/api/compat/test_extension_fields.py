"""LSD's own fields in compatible bodies."""

from typing import Any

import orjson
import pytest

from lsd.api import Request
from lsd.api.compat.extension_fields import CompatibleBody, read_compatible_body
from lsd.conversation import Malformed
from lsd.inference import BadRequest


def read(body: Any, **headers: str) -> CompatibleBody:
    """What a request with this body says; header names with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    return read_compatible_body(Request(headers=named, body=text))


def test_the_two_kinds_of_fields_are_taken_apart() -> None:
    """The API's own keep their order; null is absent."""
    body = read({"z": 1, "lsd::dryrun": True, "a": None, "b": {"c": None}, "lsd::tags": None})

    assert list(body.fields.items()) == [("z", 1), ("b", {"c": None})]
    assert body.extensions.dryrun is True
    assert body.extensions.tags is None
    assert body.is_dryrun


def test_all_fields_are_read() -> None:
    """Their forms are those of /inference."""
    body = read(
        {
            "lsd::cache_options": {"enabled": "on", "max_age_s": 5},
            "lsd::credentials": {"key": "k"},
            "lsd::extra_body": [{"pointer": "/a", "value": 1}],
            "lsd::extra_headers": [{"name": "x-a", "value": "1"}],
            "lsd::deny_unknown_fields": True,
            "lsd::include_raw_response": True,
            "lsd::include_raw_usage": False,
        }
    )

    extensions = body.extensions
    assert extensions.cache_options is not None
    assert (extensions.cache_options.enabled, extensions.cache_options.max_age_s) == ("on", 5)
    assert extensions.credentials == {"key": "k"}
    assert [each.edit.pointer for each in extensions.extra_body or ()] == ["/a"]
    assert [each.edit.name for each in extensions.extra_headers or ()] == ["x-a"]
    assert extensions.deny_unknown_fields is True
    assert extensions.include_raw_response is True
    assert extensions.include_raw_usage is False


@pytest.mark.parametrize("name", ["episode_id", "variant_name", "function_name", "namespace"])
def test_what_only_inference_knows_is_refused(name: str) -> None:
    """Case 3: the error says where it works."""
    with pytest.raises(BadRequest, match=f"lsd::{name}: .*POST /inference"):
        read({f"lsd::{name}": "x"})


def test_an_unknown_field_of_lsds_is_refused() -> None:
    """It would have been meant for LSD, and can only be misspelt."""
    with pytest.raises(BadRequest, match="lsd::tag: unknown field; wanted one of lsd::cache_"):
        read({"lsd::tag": {}})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"lsd::tags": {"a": 1}}, '"lsd::tags".a: found 1; wanted a string'),
        ({"lsd::dryrun": "yes"}, '"lsd::dryrun": found "yes"; wanted true or false'),
        ({"lsd::cache_options": {"enabled": "sometimes"}}, '"lsd::cache_options".enabled'),
    ],
)
def test_their_types_are_exact(fields: dict[str, Any], told: str) -> None:
    """The path names the field."""
    with pytest.raises(Malformed) as malformed:
        read(fields)

    assert told in str(malformed.value)


@pytest.mark.parametrize("body", [b"[]", b"null", b"{} x", b'{"a":"\xff"}', b"", b"{"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """Case 41."""
    with pytest.raises(Malformed, match="the body is"):
        read(body)


def test_of_a_repeated_key_the_last_counts() -> None:
    """Case 41."""
    assert read(b'{"a":1,"a":2}').fields == {"a": 2}


def test_tags_have_an_order_of_precedence() -> None:
    """Case 53: LSD's field over the API's over the header."""
    body = read({"lsd::tags": {"c": "3"}}, x_lsd_tags="a=1,b=1,c=1")

    tags = body.tags("openai.chat_completions", {"b": "2", "c": "2"})

    assert tags == {"a": "1", "b": "2", "c": "3", "lsd::api": "openai.chat_completions"}


def test_tags_that_are_lsds_own_cannot_be_brought() -> None:
    """Wherever they come from."""
    for body in (
        read({"lsd::tags": {"lsd::api": "x"}}),
        read({}, x_lsd_tags="lsd::api=x"),
    ):
        with pytest.raises(BadRequest, match="keys that begin so are LSD's own"):
            body.tags("a", {})
    with pytest.raises(BadRequest, match="tags: found"):
        read({}).tags("a", {"lsd::x": "y"})


def test_unknown_fields_may_be_denied() -> None:
    """Case 18: all of them are listed."""
    known = frozenset({"a"})

    read({"a": 1, "c": 1, "b": 1}).check_known(known)
    with pytest.raises(BadRequest, match="found unknown fields: b, c;"):
        read({"a": 1, "c": 1, "b": 1, "lsd::deny_unknown_fields": True}).check_known(known)


def test_a_dry_run_by_header_counts_too() -> None:
    """For clients that cannot set fields."""
    assert read({}, x_lsd_dryrun="true").is_dryrun
    assert not read({}).is_dryrun
