"""How one inference uses the inference cache, whose unit is one call of one provider."""

from hashlib import sha256
from typing import Any

import attrs
import trio

from lsd.conversation import (
    ClientRequest,
    Edits,
    FunctionTool,
    JsonValue,
    LsdError,
    NotJson,
    SpecificTool,
    ToolCall,
    ToolSet,
    block_to_json,
    decode_json,
    encode_json_sorted,
    reread_json,
)
from lsd.inference.embedding_cache import EmbeddingCache
from lsd.inference.journal import ModelCall
from lsd.inference.masking import masked_json
from lsd.inference.outputs import has_valid_arguments
from lsd.inference.request import CacheOptions
from lsd.inference.toolbox import Toolbox
from lsd.store import InferenceCache
from lsd.telemetry import Clock, logger

log = logger(__name__)


_NOT_SHAPING = frozenset(
    {"model", "stream", "stream_options", "user", "metadata", "safety_identifier", "store"}
)
"""Fields of clients' own bodies that say who asks, or are told by the rest of the key."""


@attrs.frozen(kw_only=True)
class CallCache:
    """Reads and writes as a request has asked for it."""

    _cache: InferenceCache
    _clock: Clock
    _function_type: str
    _toolbox: Toolbox | None
    _fetches_all_files: bool
    _reads: bool
    _writes: bool
    _max_age_s: int | None
    _candidates: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        options: CacheOptions,
        *,
        cache: InferenceCache,
        clock: Clock,
        function_type: str,
        toolbox: Toolbox | None,
        fetches_all_files: bool,
        is_dryrun: bool,
    ) -> "CallCache | None":
        """None if the request does without; a dry run writes nothing."""
        reads = options.enabled in ("on", "read_only")
        writes = options.enabled in ("on", "write_only") and not is_dryrun
        if not reads and not writes:
            return None
        return cls(
            cache=cache,
            clock=clock,
            function_type=function_type,
            toolbox=toolbox,
            fetches_all_files=fetches_all_files,
            reads=reads,
            writes=writes,
            max_age_s=options.max_age_s,
        )

    def of_embeddings(self) -> EmbeddingCache:
        """The same use of the cache for the embeddings that the inference needs."""
        return EmbeddingCache(
            cache=self._cache,
            clock=self._clock,
            reads=self._reads,
            writes=self._writes,
            max_age_s=self._max_age_s,
        )

    def for_candidate(self, place: int) -> "CallCache":
        """That of a candidate, so that the same variant in two places gives two samples."""
        return attrs.evolve(self, candidates=(*self._candidates, f"candidate_{place}"))

    def for_json(self) -> "CallCache":
        """That of a call whose answer is read as JSON, whatever the function is."""
        return attrs.evolve(self, function_type="json", toolbox=None)

    def find(self, call: ModelCall, edits: Edits) -> Any:
        """The decoded entry for a call; None if there is none. A failing cache has none."""
        if not self._reads:
            return None
        try:
            entry = self._cache.get(
                self._key(call, edits), max_age_s=self._max_age_s, now_ms=self._clock.now_ms()
            )
            return None if entry is None else reread_json(entry)
        except LsdError as error:
            log.warning("inference cache not readable", reason=str(error))
            return None

    @property
    def writes(self) -> bool:
        """Whether answers are to be kept."""
        return self._writes

    def takes(self, call: ModelCall) -> bool:
        """Whether a whole answer may be kept: one with an unusable tool call is worth a new try."""
        return self._writes and all(
            self._is_usable(block) for block in call.answer.output if isinstance(block, ToolCall)
        )

    async def keep(self, call: ModelCall, edits: Edits, entry: bytes) -> None:
        """Stores an entry; the next request finds it. A failing cache is told in the log.

        An answer that repeats a credential of its call is not for others, and not kept.
        """
        if _repeats_a_credential(call):
            return
        key = self._key(call, edits)
        now_ms = self._clock.now_ms()
        try:
            await trio.to_thread.run_sync(lambda: self._cache.put(key, entry, now_ms=now_ms))
        except LsdError as error:
            log.warning("inference cache not writable", reason=str(error))

    def _is_usable(self, call: ToolCall) -> bool:
        if self._toolbox is not None:
            return has_valid_arguments(call, self._toolbox)
        try:
            decode_json(call.arguments)
        except NotJson:
            return False
        return True

    def _key(self, call: ModelCall, edits: Edits) -> bytes:
        """A hash of everything that shapes the answer: not of who asks, and not of credentials."""
        request = call.request
        asked = {
            "model": call.model_name,
            "provider": call.provider_name,
            "function_type": self._function_type,
            "stream": request.stream,
            "system": request.system,
            "messages": [
                [message.role, [block_to_json(block) for block in message.content]]
                for message in request.messages
            ],
            "tools": None if request.tools is None else _tools(request.tools),
            "params": request.params.set_values(),
            "json_mode": request.json_mode,
            "output_schema": request.output_schema,
            "is_schema_strict": request.is_schema_strict,
            "top_k": request.top_k,
            "fetches_all_files": self._fetches_all_files,
            "candidates": self._candidates,
            "extra_body": [[each.pointer, each.value, each.delete] for each in edits.body],
            "extra_headers": [[each.name, each.value, each.delete] for each in edits.headers],
        }
        if call.is_relayed and request.client is not None:
            asked["client"] = _relayed(request.client)
        return sha256(encode_json_sorted(asked)).digest()


def _repeats_a_credential(call: ModelCall) -> bool:
    output: JsonValue = [block_to_json(block) for block in call.answer.output]
    return masked_json(output, call.echoed) is not output


def _relayed(client: ClientRequest) -> list[Any]:
    body = {name: value for name, value in client.body.items() if name not in _NOT_SHAPING}
    return [dict(client.headers), body]


def _tools(tools: ToolSet) -> dict[str, Any]:
    choice = tools.choice
    return {
        "tools": [
            [each.name, each.description, each.parameters, each.strict]
            if isinstance(each, FunctionTool)
            else [each.name, each.description, each.format]
            for each in tools.tools
        ],
        "provider_tools": [each.tool for each in tools.provider_tools],
        "choice": ["specific", choice.name] if isinstance(choice, SpecificTool) else choice,
        "parallel": tools.parallel,
        "allowed": tools.allowed,
    }
