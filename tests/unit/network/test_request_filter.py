"""Requests on their way to another server: what passes, in which form, and what does not."""

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.network import HEAD_BYTES_MAX, RequestFilter, RequestRefused, refusal_answer

GET = b"GET /a?b=c HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    b"3;ext=1\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OFFER = b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n"


def passed(*pieces: bytes, may_upgrade: bool = False) -> bytes:
    """What comes out of a filter."""
    requests = RequestFilter(may_upgrade)
    return b"".join(requests.feed(piece) for piece in pieces)


def refused(*pieces: bytes, may_upgrade: bool = False) -> RequestRefused:
    """Why the last of these pieces is refused."""
    requests = RequestFilter(may_upgrade)
    *before, last = pieces
    for piece in before:
        requests.feed(piece)
    with pytest.raises(RequestRefused) as caught:
        requests.feed(last)
    return caught.value


@pytest.mark.parametrize("request_", [GET, POST, CHUNKED], ids=["no body", "length", "chunks"])
def test_what_is_plain_passes_as_it_is(request_: bytes) -> None:
    """One request after the other, in one piece or in many."""
    assert passed(request_ * 3) == request_ * 3


@given(places=st.lists(st.integers(0, len(GET + POST + CHUNKED + GET)), max_size=20))
def test_where_the_network_cuts_does_not_matter(places: list[int]) -> None:
    """The same comes out, and no byte of it is late at the end."""
    whole = GET + POST + CHUNKED + GET
    ends = [0, *sorted(places), len(whole)]

    assert passed(*(whole[start:end] for start, end in pairwise(ends))) == whole


def test_a_head_is_put_into_its_plainest_form() -> None:
    """Names in lower case, no spaces around values, the host of the target."""
    strange = b"\r\nGET http://real.example/a HTTP/1.1\r\nHOST:   other\r\nX-A:\tb  \r\n\r\n"

    assert passed(strange) == b"GET /a HTTP/1.1\r\nhost: real.example\r\nx-a: b\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nhost: x\n\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\n", 400),
        (CHUNKED.replace(b"host: x", b"host: x\r\ncontent-length: 5"), 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx : y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", 400),
        (b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n", 501),
        (b"GET / HTTP/3.0\r\nhost: x\r\n\r\n", 505),
        (PREFACE, 505),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * HEAD_BYTES_MAX + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * HEAD_BYTES_MAX, 431),
    ],
)
def test_what_two_servers_could_read_in_two_ways_does_not_pass(sent: bytes, status: int) -> None:
    """It is refused by the rules of LSD's own server."""
    assert refused(sent).status == status


def test_what_came_before_a_bad_request_was_passed_on() -> None:
    """It was a good one."""
    requests = RequestFilter()

    assert requests.feed(GET) == GET
    with pytest.raises(RequestRefused):
        requests.feed(b"hello\r\n\r\n")


def test_a_good_request_before_a_bad_one_in_the_same_bytes_passes_first() -> None:
    """The refusal comes when more is asked for."""
    requests = RequestFilter()

    assert requests.feed(GET + b"hello\r\n\r\n") == GET
    with pytest.raises(RequestRefused):
        requests.feed(b"")


def test_broken_chunks_do_not_pass() -> None:
    """While the body is on its way."""
    requests = RequestFilter()
    head, _, _ = CHUNKED.partition(b"3;")
    requests.feed(head)

    assert requests.is_in_body
    with pytest.raises(RequestRefused) as caught:
        requests.feed(b"zz\r\n")
    assert (caught.value.status, caught.value.where) == (400, "body")


def test_it_is_known_what_a_client_owes() -> None:
    """Nothing, the rest of a head, or the rest of a body."""
    requests = RequestFilter()
    seen = []
    for piece in (b"", POST[:10], POST[10:-2], POST[-2:]):
        requests.feed(piece)
        seen.append((requests.is_in_head, requests.is_in_body))

    assert seen == [(False, False), (True, False), (False, True), (False, False)]


def test_who_owes_something_for_too_long_is_told_what() -> None:
    """With the time that there was for it."""
    requests = RequestFilter()
    requests.feed(POST[:10])
    late_head = requests.too_late()
    requests.feed(POST[10:-2])
    late_body = requests.too_late()

    assert (late_head.status, str(late_head)) == (
        408,
        "head: found no end in time; wanted it within 10 s",
    )
    assert (late_body.status, str(late_body)) == (
        408,
        "body: found no end in time; wanted pauses of at most 75 s",
    )


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "h2c, websocket"])
def test_offers_of_another_protocol_are_left_out(protocol: str) -> None:
    """They may be ignored, and the server behind does not get to hear of them."""
    offer = b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: %b\r\n\r\n" % protocol.encode()

    assert passed(offer) == b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def test_where_http2_is_spoken_a_client_may_go_over_to_it() -> None:
    """By its first words, or by an offer; whatever comes then is not HTTP/1.1."""
    frames = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"

    assert passed(PREFACE + frames, frames, may_upgrade=True) == PREFACE + frames + frames
    assert passed(*(PREFACE[at : at + 1] for at in range(len(PREFACE))), may_upgrade=True) == (
        PREFACE
    )
    assert passed(OFFER, PREFACE, frames, may_upgrade=True) == OFFER + PREFACE + frames


def test_an_offer_with_a_body_is_none() -> None:
    """Nobody could say in which protocol the body is."""
    offer = OFFER.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\ncontent-length: 1\r\n\r\nx")

    sent = passed(offer, may_upgrade=True)

    assert b"upgrade" not in sent
    assert refused(offer, b"hello\r\n\r\n", may_upgrade=True).status == 400


@pytest.mark.parametrize("sent", [GET, POST])
def test_where_http2_is_spoken_http1_still_is(sent: bytes) -> None:
    """Also for methods that begin like HTTP/2."""
    assert passed(sent, sent, may_upgrade=True) == sent + sent


def test_a_refusal_is_an_answer_in_json() -> None:
    """After which the connection is closed."""
    answer = refusal_answer(RequestRefused(431, "head", "more", "less"), 1_770_000_000_000)

    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(answer)
    head, body, end = client.next_event(), client.next_event(), client.next_event()
    assert isinstance(head, h11.Response)
    assert isinstance(body, h11.Data)
    assert isinstance(end, h11.EndOfMessage)
    headers = dict(head.headers)
    assert head.status_code == 431
    assert body.data == b'{"error":"head: found more; wanted less"}'
    assert headers[b"connection"] == b"close"
    assert headers[b"date"] == b"Mon, 02 Feb 2026 02:40:00 GMT"
    assert b"x-lsd-gateway-version" in headers
