"""What pages of other origins are allowed."""

from typing import Any

import pytest

from lsd.api import Cors, Edge, Front
from tests.unit.api.endpoints import endpoint, failing, front_of, repeating, streaming
from tests.unit.api.in_memory import ask

PAGE = "https://app.example.com"

PREFLIGHT = {
    "origin": PAGE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, content-type, x-stainless-os",
}


def front(*origins: str, **options: Any) -> Front:
    """A gateway that lists these origins."""
    endpoints = (
        endpoint(repeating, is_hot=True),
        endpoint(repeating, "GET", "/work"),
        endpoint(streaming, path="/stream"),
        endpoint(failing(RuntimeError("a bug")), path="/broken"),
    )
    paths = {"/work": ["GET", "HEAD", "POST"]}
    return front_of(
        *endpoints,
        cors=Cors(origins, lambda path: paths.get(path, ())),
        edge=Edge.of("127.0.0.1", allow_origins=origins, auth_is_on=False),
        **options,
    )


def told(headers: Any) -> dict[str, str]:
    """What of the headers is about pages of other origins."""
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


async def test_off_is_the_default() -> None:
    """OPTIONS is 204 all the same, and allows nothing."""
    asked = await ask(front(), "OPTIONS", "/work", headers=PREFLIGHT)

    assert (asked.status, told(asked.headers)) == (204, {})


async def test_a_listed_page_may_ask() -> None:
    """With the methods of the route, and the headers that it wants to send."""
    asked = await ask(front(PAGE), "OPTIONS", "/work", headers=PREFLIGHT)

    shown = told(asked.headers)
    assert asked.status == 204
    assert shown["access-control-allow-origin"] == PAGE
    assert shown["access-control-allow-methods"] == "GET, HEAD, POST"
    assert shown["access-control-allow-headers"] == PREFLIGHT["access-control-request-headers"]
    assert asked.headers["vary"] == "Origin, Access-Control-Request-Headers"


async def test_the_methods_are_told_to_who_does_not_ask_for_one() -> None:
    """And no headers, for none were asked for."""
    asked = await ask(front(PAGE), "OPTIONS", "/work", headers={"origin": PAGE})

    assert told(asked.headers)["access-control-allow-methods"] == "GET, HEAD, POST"
    assert "access-control-allow-headers" not in asked.headers


async def test_another_page_may_not() -> None:
    """Neither before a request, nor with one."""
    other = {**PREFLIGHT, "origin": "https://evil.example.com"}

    before = await ask(front(PAGE), "OPTIONS", "/work", headers=other)
    with_one = await ask(front(PAGE), "POST", "/work", b"hi", headers=other)

    assert (before.status, told(before.headers)) == (204, {})
    assert (with_one.status, told(with_one.headers)) == (403, {})


async def test_a_star_is_everybody_without_credentials() -> None:
    """Cookies are never allowed, with a list neither."""
    asked = await ask(front("*"), "OPTIONS", "/work", headers=PREFLIGHT)
    listed = await ask(front(PAGE), "POST", "/work", b"hi", headers={"origin": PAGE})

    assert told(asked.headers)["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in {**asked.headers, **listed.headers}


async def test_a_path_that_does_not_exist_reflects_the_method() -> None:
    """The request itself is told 404; the page can read that."""
    before = await ask(front(PAGE), "OPTIONS", "/nothing", headers=PREFLIGHT)
    with_one = await ask(front(PAGE), "POST", "/nothing", b"hi", headers={"origin": PAGE})

    assert told(before.headers)["access-control-allow-methods"] == "POST"
    assert with_one.status == 404
    assert told(with_one.headers)["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("path", ["/work", "/stream", "/broken"])
async def test_every_answer_may_be_read_with_its_headers(path: str) -> None:
    """Streams and errors, too."""
    asked = await ask(front(PAGE), "POST", path, b"hi", headers={"origin": PAGE})

    shown = told(asked.headers)
    assert shown["access-control-allow-origin"] == PAGE
    assert "x-lsd-inference-id" in shown["access-control-expose-headers"]
    assert "retry-after" in shown["access-control-expose-headers"]


async def test_who_sends_no_origin_is_told_nothing() -> None:
    """Clients that are no browsers have no use for it."""
    asked = await ask(front(PAGE), "POST", "/work", b"hi")

    assert (asked.status, told(asked.headers)) == (200, {})


@pytest.mark.parametrize("value", ["x\r\nset-cookie: a", "a\x00b", "schlüssel", ""])
async def test_nothing_strange_is_reflected(value: str) -> None:
    """What is no list of names is not given back."""
    strange = {
        **PREFLIGHT,
        "access-control-request-headers": value,
        "access-control-request-method": value,
    }

    asked = await ask(front(PAGE), "OPTIONS", "/nothing", headers=strange)

    assert told(asked.headers).keys() == {
        "access-control-allow-origin",
        "access-control-expose-headers",
    }


async def test_the_base_path_is_left_off() -> None:
    """Routes are looked up below it."""
    asked = await ask(front(PAGE, base_path="/llm"), "OPTIONS", "/llm/work", headers=PREFLIGHT)

    assert told(asked.headers)["access-control-allow-methods"] == "GET, HEAD, POST"
