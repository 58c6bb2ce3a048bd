"""Headers of the compatible endpoints: what is read of a request's, what every answer has."""

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from lsd.api.compat.troubles import MediaTypeUnknown
from lsd.api.exchange import EVENT_STREAM, JSON, Headers
from lsd.conversation import Lane, Malformed, Problem
from lsd.inference import Reply
from lsd.telemetry import CURRENT_REQUEST, logger

log = logger(__name__)

TAGS_HEADER = "x-lsd-tags"
DRYRUN_HEADER = "x-lsd-dryrun"

STREAM_HEADERS: Headers = (
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-cache"),
    # Or nginx gathers events before it passes them on.
    (b"x-accel-buffering", b"no"),
)

_REQUEST_ID_NAMES: dict[Lane, bytes] = {"openai": b"x-request-id", "anthropic": b"request-id"}


def check_media_type(headers: Mapping[str, str]) -> None:
    """Raises MediaTypeUnknown for a body that is said to be anything but JSON."""
    found = headers.get("content-type", JSON)
    if found == JSON:
        return
    kind = found.partition(";")[0].strip().lower()
    if kind in ("", JSON):
        return
    if not (kind.startswith("application/") and kind.endswith("+json")):
        raise MediaTypeUnknown(found)


def header_tags(headers: Mapping[str, str]) -> dict[str, str]:
    """The tags of `x-lsd-tags: k=v,k2=v2`, whose values are percent-encoded. Raises Malformed."""
    tags: dict[str, str] = {}
    if TAGS_HEADER not in headers:
        return tags
    for part in headers[TAGS_HEADER].split(","):
        if not part.strip():
            continue
        key, equals, value = part.strip().partition("=")
        if not equals or not key:
            reason = f"found {part.strip()[:40]!r}; wanted key=value, several separated by commas"
            raise Malformed((Problem(TAGS_HEADER, reason),))
        tags[unquote(key)] = unquote(value)
    return tags


def wants_dryrun(headers: Mapping[str, str]) -> bool:
    """Whether `x-lsd-dryrun: true` was sent."""
    return DRYRUN_HEADER in headers and headers[DRYRUN_HEADER].strip().lower() == "true"


def request_id_of(inference_id: str | None) -> str:
    """What the client's library shows as the id of its request: the record's if there is one."""
    identifier = inference_id
    if identifier is None:
        context = CURRENT_REQUEST.get()
        assert context is not None, "every request is served within its context"
        identifier = context.request_id
    return f"req_{identifier.replace('-', '')}"


def identity_headers(lane: Lane, inference_id: str | None) -> Headers:
    """The headers that say which request, and which record, an answer belongs to."""
    request_id = (_REQUEST_ID_NAMES[lane], request_id_of(inference_id).encode())
    if inference_id is None:
        return (request_id,)
    return (request_id, (b"x-lsd-inference-id", inference_id.encode()))


def reply_headers(lane: Lane, reply: Reply, ignored: Sequence[str]) -> Headers:
    """The headers of a good answer; `ignored` are fields of the request that were not sent on."""
    call = reply.call
    headers = answer_headers(lane, reply.run.inference_id, call.provider_name, call.cached)
    if not ignored:
        return headers
    names = b",".join(map(_plain, ignored))
    log.warning("fields of the request ignored", provider=call.provider_name, fields=names.decode())
    return (*headers, (b"x-lsd-ignored", names))


def answer_headers(lane: Lane, inference_id: str, provider_name: str, is_cached: bool) -> Headers:
    """The same for an answer of which no field was left out."""
    shown = inference_id.encode()
    headers = (
        (_REQUEST_ID_NAMES[lane], b"req_" + shown.replace(b"-", b"")),  # as in identity_headers
        (b"x-lsd-inference-id", shown),
        (b"x-lsd-provider", _plain(provider_name)),
    )
    return (*headers, (b"x-lsd-cache", b"hit")) if is_cached else headers


def _plain(name: str) -> bytes:
    """A name in a header: what is not ASCII there would be read in many ways."""
    if name.isascii() and name.isprintable():
        return name.encode()
    return "".join(char if " " <= char <= "~" else "?" for char in name).encode()
