"""A process's life: the store, the listening socket, signals, draining, the end.

`run_daemon` serves until a signal ends it, as one process or as the main one of several; each of
those is a `run_worker`. `StartRefused` says why it cannot.
"""

from lsd.server.refusals import StartRefused
from lsd.server.starting import run_daemon
from lsd.server.worker import run_worker

__all__ = ["StartRefused", "run_daemon", "run_worker"]
