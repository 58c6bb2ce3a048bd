"""LSD, the LLM Service Daemon: one file between an application and its models.

The house has floors; a room knows only what lies below it, through the face of that room.

====== ============================================== ========================================
floor  rooms                                          what lives there
====== ============================================== ========================================
6      ``cli``                                        the command line
5      ``server``                                     a process's life: listener, signals,
                                                      drain, workers, reload
4      ``api``                                        routes; HTTP and its errors end here
3      ``batches``                                    many inferences at once, in the
                                                      background; may know those below
3      ``datasets``                                   examples, kept as versions; may know
                                                      the two below
3      ``inference``, ``feedback``                    what happens to one inference, to one
                                                      feedback
3      ``access``                                     who may call, and how much
2      ``providers``, ``experiments``, ``store``,     dialects; choice of variant; LMDB;
       ``network``                                    bytes on sockets. They do not know
                                                      each other.
1      ``config``                                     ``lsd.toml``, checked before the start
0      ``conversation``, ``telemetry``                the neutral vocabulary; clock, logs,
                                                      metrics
====== ============================================== ========================================

One request: ``server`` reads it, ``api`` turns bytes into an ``InferenceRequest``, ``inference``
draws a variant, renders it into a ``ModelRequest`` and makes attempts: a dialect of ``providers``
encodes, ``network`` sends, the dialect decodes. The answer goes back up; the records go to the
writer of ``store``.

Where to put a new thing: a provider is a module in ``providers``; a route is a module in ``api``
that calls a service on floor 3; a stored thing has its keys in ``store.layout``; a configuration
key has its class in ``config``.
"""

__version__ = "0.1.0"
