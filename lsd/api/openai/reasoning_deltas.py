"""Pieces of thoughts as the deltas of a streamed chat completion."""

from typing import Any

import attrs

from lsd.conversation import ThoughtChunk


@attrs.define(eq=False)
class _Seen:
    """What has been said of one thought: clients join the texts of all pieces of one index."""

    index: int
    has_text: bool = False
    has_format: bool = False
    summary_ids: set[str] = attrs.field(factory=set)


@attrs.define(eq=False)
class ReasoningDeltas:
    """Words the thoughts of one answer, in the order of their first pieces."""

    _thoughts: dict[str, _Seen] = attrs.field(factory=dict, init=False)
    _has_said: str | None = attrs.field(default=None, init=False)

    def add(self, chunk: ThoughtChunk, delta: dict[str, Any], *, with_details: bool) -> None:
        """Adds a piece to a delta; `with_details`: its provider has not sent some of its own."""
        seen = self._thoughts.get(chunk.id)
        if seen is None:
            seen = self._thoughts[chunk.id] = _Seen(len(self._thoughts))
        visible = self._visible(chunk, seen)
        if visible:
            delta["reasoning_content"] = delta.get("reasoning_content", "") + visible
        if with_details:
            delta.setdefault("reasoning_details", []).extend(_details(chunk, seen))
            if not delta["reasoning_details"]:
                del delta["reasoning_details"]
        seen.has_text = seen.has_text or chunk.text is not None

    def _visible(self, chunk: ThoughtChunk, seen: _Seen) -> str:
        """What a piece adds to the text that all thoughts make up, a blank line between two."""
        part = str(seen.index)
        text = chunk.text
        if text is None and not seen.has_text and chunk.summary_text is not None:
            text, part = chunk.summary_text, f"{part}/{chunk.summary_id or ''}"
        if not text:
            return ""
        gap = "\n\n" if self._has_said not in (None, part) else ""
        self._has_said = part
        return gap + text


def _details(chunk: ThoughtChunk, seen: _Seen) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = []
    if chunk.text is not None:
        fields.append({"type": "reasoning.text", "text": chunk.text})
    if chunk.summary_text is not None:
        key = chunk.summary_id or ""
        gap = "\n\n" if seen.summary_ids - {key} and key not in seen.summary_ids else ""
        seen.summary_ids.add(key)
        fields.append({"type": "reasoning.summary", "summary": gap + chunk.summary_text})
    if chunk.signature is not None:
        signed = seen.has_text or chunk.text is not None
        fields.append(
            {"type": "reasoning.text", "signature": chunk.signature}
            if signed
            else {"type": "reasoning.encrypted", "data": chunk.signature}
        )
    made = [{**each, "index": seen.index} for each in fields]
    if made and not seen.has_format:
        seen.has_format = True
        made[0]["format"] = chunk.provider_type or "unknown"
    return made
