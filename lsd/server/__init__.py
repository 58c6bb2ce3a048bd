"""A process's life: the store, the listening socket, signals, draining, the end.

`run_daemon` serves one configuration until a signal ends it; `StartRefused` says why it cannot.
"""

from lsd.server.daemon import run_daemon
from lsd.server.refusals import StartRefused

__all__ = ["StartRefused", "run_daemon"]
