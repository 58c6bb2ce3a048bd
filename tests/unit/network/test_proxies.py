"""Proxies out of the environment, and which servers are asked without."""

import pytest

from lsd.network.proxies import Proxies, is_loopback

BOTH = {"HTTP_PROXY": "http://plain:3128", "HTTPS_PROXY": "http://tunnel:3128"}


@pytest.mark.parametrize(
    ("environment", "scheme", "expected"),
    [
        ({}, "https", None),
        (BOTH, "http", "http://plain:3128"),
        (BOTH, "https", "http://tunnel:3128"),
        ({"ALL_PROXY": "http://every:1"}, "http", "http://every:1"),
        ({**BOTH, "ALL_PROXY": "http://every:1"}, "https", "http://tunnel:3128"),
        ({"HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:1"}, "https", "http://lower:1"),
        ({"HTTPS_PROXY": "http://upper:1", "https_proxy": ""}, "https", None),
        ({"HTTPS_PROXY": ""}, "https", None),
        ({"HTTPS_PROXY": "bare.example:3128"}, "https", "http://bare.example:3128"),
    ],
)  # fmt: skip
def test_the_scheme_of_the_request_chooses_the_proxy(
    environment: dict[str, str], scheme: str, expected: str | None
) -> None:
    """The scheme's own variable counts before `ALL_PROXY`, lower case before upper case."""
    proxies = Proxies.from_environment(environment)

    assert proxies.proxy_for(scheme, "api.example.com", 443) == expected


@pytest.mark.parametrize(
    ("exceptions", "host", "port", "is_direct"),
    [
        ("*", "api.example.com", 443, True),
        ("example.com", "api.example.com", 443, True),
        (".example.com", "api.example.com", 443, True),
        ("*.example.com", "api.example.com", 443, True),
        ("example.com", "EXAMPLE.com.", 443, True),
        ("example.com", "notexample.com", 443, False),
        ("a.test, example.com ,b.test", "example.com", 443, True),
        ("example.com:8443", "example.com", 8443, True),
        ("example.com:8443", "example.com", 443, False),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, False),
        ("10.0.0.0/8", "ten.example.com", 80, False),
        ("192.168.1.7", "192.168.1.7", 80, True),
        ("192.168.1.7:81", "192.168.1.7", 81, True),
        ("[fd00::1]", "fd00::1", 80, True),
        ("fd00::/8", "fd12::1", 80, True),
        (" , ", "example.com", 443, False),
        (".", "example.com", 443, False),
    ],
)
def test_listed_servers_are_asked_directly(
    exceptions: str, host: str, port: int, is_direct: bool
) -> None:
    """`NO_PROXY` takes domains with all below them, ports, addresses and networks."""
    proxies = Proxies.from_environment({"ALL_PROXY": "http://every:1", "NO_PROXY": exceptions})

    assert (proxies.proxy_for("http", host, port) is None) == is_direct


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "ollama.localhost", "127.0.0.1", "127.8.8.8", "::1"]
)
def test_this_machine_is_never_asked_through_a_proxy(host: str) -> None:
    """Loopback bypasses proxies, whatever `NO_PROXY` says."""
    proxies = Proxies.from_environment({"ALL_PROXY": "http://every:1", "NO_PROXY": ""})

    assert is_loopback(host)
    assert proxies.proxy_for("http", host, 80) is None


@pytest.mark.parametrize("host", ["localhost.example.com", "128.0.0.1", "mylocalhost", "::2"])
def test_other_machines_are_not_loopback(host: str) -> None:
    """A name that only looks local is not."""
    assert not is_loopback(host)
