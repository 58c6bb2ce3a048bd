"""How requests for embeddings use the inference cache, whose unit is one call of one provider."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256

import attrs
import trio

from lsd.conversation import (
    Embedding,
    EmbeddingRequest,
    LsdError,
    ModelResponse,
    Usage,
    encode_json,
    encode_json_sorted,
    reread_json,
)
from lsd.inference.journal import ModelCall
from lsd.inference.request import CacheOptions
from lsd.store import InferenceCache
from lsd.telemetry import Clock, logger

log = logger(__name__)


@attrs.frozen(kw_only=True)
class EmbeddingCache:
    """Reads and writes as a request has asked for it."""

    _cache: InferenceCache
    _clock: Clock
    _reads: bool
    _writes: bool
    _max_age_s: int | None

    @classmethod
    def of(
        cls, options: CacheOptions, *, cache: InferenceCache | None, clock: Clock, is_dryrun: bool
    ) -> "EmbeddingCache | None":
        """None if the request does without; a dry run writes nothing."""
        reads = options.enabled in ("on", "read_only")
        writes = options.enabled in ("on", "write_only") and not is_dryrun
        if cache is None or not (reads or writes):
            return None
        return cls(
            cache=cache, clock=clock, reads=reads, writes=writes, max_age_s=options.max_age_s
        )

    def find(self, call: ModelCall, request: EmbeddingRequest) -> tuple[Embedding, ...] | None:
        """The vectors of an earlier call, which `call` is filled with; None if there are none.

        A failing cache has none.
        """
        if not self._reads:
            return None
        key = _key(call, request)
        try:
            found = self._cache.get(key, max_age_s=self._max_age_s, now_ms=self._clock.now_ms())
            if found is None:
                return None
            entry = reread_json(found)
        except LsdError as error:
            log.warning("inference cache not readable", reason=str(error))
            return None
        call.cached = True
        call.cost = Decimal(0)
        call.raw_request = entry["raw_request"]
        call.answer = ModelResponse((), Usage(**entry["usage"]))
        return tuple(entry["embeddings"])

    async def keep(
        self, call: ModelCall, request: EmbeddingRequest, embeddings: Sequence[Embedding]
    ) -> None:
        """Stores an answer, if that is wanted; a failing cache is told in the log.

        The raw text of the answer is left out: it is the vectors once more.
        """
        if not self._writes:
            return
        key = _key(call, request)
        entry = encode_json(
            {
                "raw_request": call.raw_request,
                "usage": attrs.asdict(call.answer.usage),
                "embeddings": embeddings,
            }
        )
        now_ms = self._clock.now_ms()
        try:
            await trio.to_thread.run_sync(lambda: self._cache.put(key, entry, now_ms=now_ms))
        except LsdError as error:
            log.warning("inference cache not writable", reason=str(error))


def _key(call: ModelCall, request: EmbeddingRequest) -> bytes:
    """A hash of everything that shapes the vectors: not of who asks, nor of the form asked for."""
    asked = {
        "embeddings_of": request.inputs,
        "model": call.model_name,
        "provider": call.provider_name,
        "dimensions": request.dimensions,
        "further": request.further,
    }
    return sha256(encode_json_sorted(asked)).digest()
