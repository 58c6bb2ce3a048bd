"""Where the daemon listens."""

from ipaddress import ip_address
from typing import Annotated

import attrs

from lsd.config.kinds import TextForm

PORT_MAX = 65535


@attrs.frozen
class Address:
    """An IP address and a port; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ip_address(self.host).is_loopback


def parse_address(text: str) -> Address:
    """The address that `ip:port` names. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    try:
        is_well_formed = bool(colon) and bracketed == (ip_address(host).version == 6)
    except ValueError:
        is_well_formed = False
    if not is_well_formed or not (port.isascii() and port.isdigit() and int(port) <= PORT_MAX):
        raise ValueError(f'found "{text}"; wanted "ip:port", such as 127.0.0.1:3000 or [::]:3000')
    return Address(host, int(port))


DEFAULT_ADDRESS = Address("127.0.0.1", 3000)

BindAddress = Annotated[
    Address,
    TextForm(kind='"ip:port"', parse=parse_address, show=str, placeholder=DEFAULT_ADDRESS),
]
