"""An answer that is no stream is collected up to a bound, then decoded once."""

import pytest

from lsd.conversation import AttemptFailed, ModelChunk, StreamEvent
from lsd.providers._whole_body import ERROR_BYTES_MAX, WholeBody, failing


def test_a_body_is_decoded_when_it_is_complete() -> None:
    """Pieces are joined; the decoder is told that the body is whole."""
    heard: list[tuple[bytes, bool]] = []

    def decode(body: bytes, whole: bool) -> list[StreamEvent]:
        heard.append((body, whole))
        return [ModelChunk(raw="x")]

    body = WholeBody(decode, 100)

    assert body.feed(b"ab") == body.feed(b"") == body.feed(b"c") == []
    assert not body.ended
    assert body.finish(cut=False) == [ModelChunk(raw="x")]
    assert heard == [(b"abc", True)]


@pytest.mark.parametrize(("pieces", "cut"), [([b"abcdefgh"], False), ([b"ab"], True)])
def test_a_cut_or_overlong_body_is_not_whole(pieces: list[bytes], cut: bool) -> None:
    """Beyond the bound nothing is kept, and reading may stop."""
    heard: list[tuple[bytes, bool]] = []

    def decode(body: bytes, whole: bool) -> list[StreamEvent]:
        heard.append((body, whole))
        return []

    body = WholeBody(decode, 5)
    for piece in pieces:
        body.feed(piece)
    body.finish(cut=cut)

    assert heard == [(b"".join(pieces)[:5], False)]
    assert body.ended is not cut


def test_an_error_is_raised_when_its_body_ends() -> None:
    """An error's body is bounded, and becomes the failure of the attempt."""
    body = failing(lambda said: AttemptFailed(kind="server", text=str(len(said))))

    body.feed(b"x" * (ERROR_BYTES_MAX + 1))

    with pytest.raises(AttemptFailed, match=str(ERROR_BYTES_MAX)):
        body.finish(cut=True)
