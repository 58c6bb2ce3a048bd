"""Where requests may come from: origins of pages, hosts of rebound names."""

import pytest

from lsd.api import Edge
from lsd.api.edge import is_loopback
from lsd.api.errors import Refused

LOOPBACK = Edge.of("127.0.0.1", allow_origins=(), auth_is_on=False)
ANYWHERE = Edge.of("0.0.0.0", allow_origins=(), auth_is_on=False)
WITH_KEYS = Edge.of("127.0.0.1", allow_origins=(), auth_is_on=True)
IPV6 = Edge.of("::1", allow_origins=(), auth_is_on=False)


def refusal(edge: Edge, headers: dict[str, str], scheme: str = "http") -> str:
    """Why a request with these headers may not enter; empty if it may."""
    try:
        edge.check(headers, scheme)
    except Refused as refused:
        return f"{refused.status} {refused}"
    return ""


def test_clients_that_are_no_browsers_never_notice() -> None:
    """Neither header, no question."""
    assert refusal(LOOPBACK, {}) == ""
    assert refusal(LOOPBACK, {"host": "localhost:3000"}) == ""


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:3000",
        "localhost.",
        "localhost.:3000",
        "lsd.localhost:3000",
        "ip6-localhost",
        "ip6-loopback:80",
        "127.0.0.1",
        "127.0.0.1:3000",
        "127.8.8.8:1",
        "10.1.2.3",
        "192.168.0.7:8080",
        "[::1]",
        "[::1]:3000",
        "[fe80::1]:3000",
        "::1",
    ],
)
def test_a_host_of_this_machine_is_let_in(host: str) -> None:
    """Loopback names and addresses cannot have been rebound by a page."""
    assert refusal(LOOPBACK, {"host": host}) == ""


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.1.evil.example:3000",
        "[::1].evil.example",
        "1270.0.1",
        "0x7f.1",
        "",
        ":3000",
        "localhost evil",
    ],
)
def test_a_name_that_was_rebound_is_refused(host: str) -> None:
    """A page cannot reach the daemon by a name of its own that resolves to this machine."""
    told = refusal(LOOPBACK, {"host": host})

    assert told == (
        f"403 host: found {host!r}; wanted a loopback name, an IP address or 127.0.0.1"
        " (gateway.bind_address)"
    )


@pytest.mark.parametrize("edge", [ANYWHERE, WITH_KEYS], ids=["bound elsewhere", "keys are needed"])
def test_other_names_are_fine_where_others_may_ask(edge: Edge) -> None:
    """A daemon for other machines has names of its own; one that wants keys is safe from pages."""
    assert refusal(edge, {"host": "llm.corp.example"}) == ""


@pytest.mark.parametrize(
    ("edge", "headers", "scheme"),
    [
        (LOOPBACK, {"host": "localhost:3000", "origin": "http://localhost:3000"}, "http"),
        (LOOPBACK, {"host": "LOCALHOST:3000", "origin": "http://localhost:3000"}, "http"),
        (LOOPBACK, {"host": "localhost:3000", "origin": "HTTP://LocalHost:3000"}, "http"),
        (LOOPBACK, {"host": "127.0.0.1", "origin": "http://127.0.0.1"}, "http"),
        (IPV6, {"host": "[::1]:3000", "origin": "http://[::1]:3000"}, "http"),
        (ANYWHERE, {"host": "llm.corp.example", "origin": "https://llm.corp.example"}, "https"),
    ],
)
def test_a_page_of_the_daemon_itself_may_call(
    edge: Edge, headers: dict[str, str], scheme: str
) -> None:
    """Scheme, host and port are those of the request."""
    assert refusal(edge, headers, scheme) == ""


@pytest.mark.parametrize(
    ("edge", "headers", "scheme"),
    [
        (LOOPBACK, {"host": "localhost:3000", "origin": "https://evil.example"}, "http"),
        (LOOPBACK, {"host": "localhost:3000", "origin": "null"}, "http"),
        (LOOPBACK, {"host": "localhost:3000", "origin": ""}, "http"),
        (LOOPBACK, {"host": "localhost:3000", "origin": "http://localhost:4000"}, "http"),
        (LOOPBACK, {"host": "localhost:3000", "origin": "http://localhost"}, "http"),
        (LOOPBACK, {"host": "localhost:3000", "origin": "https://localhost:3000"}, "http"),
        (LOOPBACK, {"host": "localhost:3000", "origin": "http://localhost:3000/"}, "http"),
        (LOOPBACK, {"origin": "http://localhost:3000"}, "http"),
        (ANYWHERE, {"host": "llm.example", "origin": "https://llm.example.evil.example"}, "https"),
        (WITH_KEYS, {"host": "localhost:3000", "origin": "https://evil.example"}, "http"),
    ],
)
def test_a_page_of_another_site_is_refused(
    edge: Edge, headers: dict[str, str], scheme: str
) -> None:
    """The refusal names the origin, and the key that would let it in."""
    told = refusal(edge, headers, scheme)

    origin = headers["origin"]
    assert told == (
        f"403 origin: found {origin!r}; wanted one listed in gateway.cors.allow_origins"
    )


def test_listed_origins_may_call() -> None:
    """Exactly those that are listed, wherever they come from."""
    edge = Edge.of("127.0.0.1", allow_origins=["https://app.example"], auth_is_on=False)
    host = {"host": "localhost:3000"}

    assert refusal(edge, {**host, "origin": "https://app.example"}) == ""
    assert refusal(edge, {**host, "origin": "http://app.example"}) != ""
    assert refusal(edge, {**host, "origin": "https://app.example:8443"}) != ""


def test_a_star_lists_all_origins_and_no_host() -> None:
    """Every page may call, but still not by a rebound name."""
    edge = Edge.of("127.0.0.1", allow_origins=["*"], auth_is_on=False)

    assert refusal(edge, {"host": "localhost", "origin": "https://any.example"}) == ""
    assert refusal(edge, {"host": "any.example", "origin": "https://any.example"}) != ""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    """All of 127/8, ::1, and their names."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example", "", "128.0.0.1"])
def test_other_addresses_are_no_loopback(host: str) -> None:
    """Other machines may reach them."""
    assert not is_loopback(host)
