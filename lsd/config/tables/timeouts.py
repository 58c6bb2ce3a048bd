"""The `timeouts` table of models, providers and variants."""

import attrs

from lsd.config.kinds import Milliseconds


@attrs.frozen(kw_only=True)
class NonStreamingTimeouts:
    """Bounds on an answer that comes as a whole."""

    total_ms: Milliseconds | None = None


@attrs.frozen(kw_only=True)
class StreamingTimeouts:
    """Bounds on a stream: up to its first chunk, between chunks, up to its last one."""

    ttft_ms: Milliseconds | None = None
    idle_ms: Milliseconds | None = None
    total_ms: Milliseconds | None = None


@attrs.frozen(kw_only=True)
class Timeouts:
    """What a model, provider or variant may take; None is unbounded here."""

    non_streaming: NonStreamingTimeouts = NonStreamingTimeouts()
    streaming: StreamingTimeouts = StreamingTimeouts()


NO_TIMEOUTS = Timeouts()
