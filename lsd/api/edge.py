"""What is decided about a request before its body is read: where it comes from and goes to."""

import ipaddress
import re
from collections.abc import Collection, Mapping

import attrs

from lsd.api.errors import Refused

_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})


_USUAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?")
"""What nearly all clients of this machine send, known at once; the whole rule takes longer."""


@attrs.frozen(kw_only=True)
class Edge:
    """The rules of the listening address.

    A browser page of another site must not reach the daemon: by its `Origin`, or by a name of its
    own that it has made resolve to the loopback address. Clients that are no browsers send no
    `Origin` and never notice.
    """

    bound_host: str
    allow_origins: Collection[str] = ()
    checks_host: bool

    @classmethod
    def of(cls, host: str, *, allow_origins: Collection[str], auth_is_on: bool) -> "Edge":
        """The edge of a daemon bound to `host`."""
        return cls(
            bound_host=host,
            allow_origins=allow_origins,
            checks_host=not auth_is_on and is_loopback(host),
        )

    def check(self, headers: Mapping[str, str], scheme: str) -> None:
        """Raises Refused, naming what is foreign."""
        host = headers.get("host")
        if (
            self.checks_host
            and host is not None
            and not _USUAL_HOST.fullmatch(host)
            and not self._is_own_host(host)
        ):
            text = (
                f"host: found {host!r}; wanted a loopback name, an IP address or"
                f" {self.bound_host} (gateway.bind_address)"
            )
            raise Refused(403, text)
        if "origin" not in headers:
            return
        origin = headers["origin"]
        if "*" in self.allow_origins or origin in self.allow_origins:
            return
        if host is None or origin.lower() != f"{scheme}://{host.lower()}":
            text = f"origin: found {origin!r}; wanted one listed in gateway.cors.allow_origins"
            raise Refused(403, text)

    def _is_own_host(self, host: str) -> bool:
        name = _without_port(host).lower().rstrip(".")
        return (
            name in _LOOPBACK_NAMES
            or name.endswith(".localhost")
            or name == self.bound_host.lower()
            or _is_ip(name)
        )


def _without_port(host: str) -> str:
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name if rest == "" or rest.startswith(":") else host
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    return host in _LOOPBACK_NAMES or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)
