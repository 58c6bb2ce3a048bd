"""The vectors in an answer to a request for embeddings, checked and in the order of the inputs."""

from array import array
from collections.abc import Mapping

from lsd.conversation import (
    Embedding,
    EmbeddingResponse,
    JsonValue,
    Usage,
    embedding_numbers,
)
from lsd.providers._http_errors import failed_inside, object_in, undecodable
from lsd.providers._openai_family import Received
from lsd.providers._token_counts import count_of


class _BadVectors(Exception):
    """What is wrong with an answer, for the failure that it becomes."""


def read_vectors(
    provider_type: str, headers: Mapping[str, str], body: bytes, count: int
) -> EmbeddingResponse:
    """The answer to a request with `count` inputs. Raises AttemptFailed."""
    raw = body.decode(errors="replace")
    document = object_in(provider_type, headers, body)
    if document.get("error") and not document.get("data"):
        raise failed_inside(provider_type, document, headers, raw)
    try:
        embeddings = _in_order(document.get("data"), count)
    except _BadVectors as bad:
        raise undecodable(provider_type, str(bad), headers, raw) from None
    usage = document.get("usage")
    if not isinstance(usage, dict) or not usage:
        return EmbeddingResponse(embeddings=tuple(embeddings), document=document)
    return EmbeddingResponse(
        embeddings=tuple(embeddings), usage=_usage_of(usage), raw_usage=usage, document=document
    )


def _in_order(data: JsonValue, count: int) -> list[Embedding]:
    """Each vector at its index, or where it stands if it has none."""
    if not isinstance(data, list):
        raise _BadVectors("found no array of embeddings")
    if len(data) != count:
        raise _BadVectors(f"found {len(data)} embeddings; wanted {count}, one for each input")
    placed: dict[int, Embedding] = {}
    for position, item in enumerate(data):
        if not isinstance(item, dict):
            raise _BadVectors(f"found an embedding at {position} that is no object")
        index = item.get("index")
        place = position if index is None else index
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < count:
            raise _BadVectors(f"found the index {place!r}; wanted one below {count}")
        if place in placed:
            raise _BadVectors(f"found two embeddings of index {place}")
        placed[place] = _checked(item.get("embedding"), place)
    return [placed[place] for place in range(count)]


def _checked(vector: JsonValue, place: int) -> Embedding:
    """The vector, if it is one. Whole arrays are checked at once, not number by number."""
    try:
        if isinstance(vector, str) and embedding_numbers(vector):
            return vector
        if isinstance(vector, list) and array("d", vector):
            return vector
    except (ValueError, TypeError):
        pass
    raise _BadVectors(f"found no numbers and no base64 of binary32 at index {place}")


def _usage_of(usage: Received) -> Usage:
    """Nothing is written by such a model, so that its output is none rather than unknown."""
    return Usage(input_tokens=count_of(usage.get("prompt_tokens")), output_tokens=0)
