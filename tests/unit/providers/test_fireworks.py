"""Fireworks tells what it had cached in a header."""

from lsd.conversation import ModelChunk, Usage, encode_json
from tests.unit.providers.recorded import make_dialect

HEADER = {"fireworks-cached-prompt-tokens": "96"}
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 64},
}


def test_the_header_counts_before_the_body() -> None:
    """Cached tokens come from the header, else from the usage object, else are not known."""
    answer = encode_json({"choices": [{"message": {"content": "Hi"}}], "usage": USAGE})

    cached = [
        make_dialect("fireworks").decode(200, headers, answer).usage
        for headers in (HEADER, {}, {"fireworks-cached-prompt-tokens": "many"})
    ]

    assert [each.provider_cache_read_input_tokens for each in cached] == [96, 64, 64]
    assert cached[0] == Usage(
        input_tokens=100, output_tokens=5, provider_cache_read_input_tokens=96
    )


def test_the_header_counts_for_streams_too() -> None:
    """It comes with the stream's first bytes and is told with its usage."""
    headers = {"content-type": "text/event-stream", **HEADER}
    decoder = make_dialect("fireworks").stream_decoder(200, headers)

    (chunk,) = decoder.feed(b"data: " + encode_json({"choices": [], "usage": USAGE}) + b"\n\n")

    assert isinstance(chunk, ModelChunk)
    assert chunk.usage is not None
    assert chunk.usage.provider_cache_read_input_tokens == 96
