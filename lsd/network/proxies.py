"""Which proxy leads to which server, as the environment says."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import attrs

_SCHEMES = ("http", "https")

_LOOPBACK_NAME = re.compile(r"(.+\.)?localhost\.?\Z", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Proxies:
    """Proxy addresses by the scheme of the request, and the servers that are reached without."""

    by_scheme: Mapping[str, str] = attrs.field(factory=dict)
    exceptions: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Proxies":
        """By `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

        Lower-case names count before upper-case ones; an empty value means no proxy.
        """
        every = _variable(environment, "all_proxy")
        found = {scheme: _variable(environment, f"{scheme}_proxy", every) for scheme in _SCHEMES}
        listed = _variable(environment, "no_proxy").split(",")
        return cls(
            by_scheme={scheme: _with_scheme(proxy) for scheme, proxy in found.items() if proxy},
            exceptions=tuple(entry for each in listed if (entry := each.strip().lower())),
        )

    def proxy_for(self, scheme: str, host: str, port: int) -> str | None:
        """The proxy's URL; None: the server is asked directly, as loopback always is."""
        proxy = self.by_scheme.get(scheme)
        if proxy is None or is_loopback(host):
            return None
        if any(_matches(entry, host.lower().rstrip("."), port) for entry in self.exceptions):
            return None
        return proxy


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an IP address, is this very machine."""
    if _LOOPBACK_NAME.match(host):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _variable(environment: Mapping[str, str], name: str, default: str = "") -> str:
    value = environment.get(name)
    return environment.get(name.upper(), default) if value is None else value


def _with_scheme(proxy: str) -> str:
    # `HTTPS_PROXY=proxy.example:3128` is what many machines have.
    return proxy if "://" in proxy else f"http://{proxy}"


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether one entry of NO_PROXY covers a server.

    An entry is `*`, a domain (it covers the names below it, too), an address or a network in
    CIDR form; domains and IPv4 addresses may end with `:port`.
    """
    if entry == "*":
        return True
    network = _network(entry)
    if network is not None:
        return _contains(network, host)
    name, _, wanted_port = entry.partition(":")
    if wanted_port and wanted_port != str(port):
        return False
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _contains(network: IPv4Network | IPv6Network, host: str) -> bool:
    try:
        return ip_address(host) in network
    except ValueError:
        return False
