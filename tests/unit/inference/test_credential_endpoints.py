"""Endpoints for credentials answer soon, in few bytes, or the attempt fails."""

import pytest
import trio
from trio.testing import MockClock

from lsd.conversation import AttemptFailed, WireRequest
from lsd.inference.credential_endpoints import ANSWER_BYTES_MAX, EndpointAnswer, ask_endpoint
from tests.unit.inference.fake_providers import FakeProvider, Script, answers, drops, hangs

ASKED = WireRequest(method="GET", url="http://box/token", headers={})


async def ask(endpoint: FakeProvider) -> EndpointAnswer:
    """What the endpoint answers within five seconds."""
    return await ask_endpoint(endpoint, ASKED, named="token endpoint", limit_s=5)


@pytest.mark.parametrize("status", [200, 403, 500])
async def test_what_was_answered(status: int) -> None:
    """Refusals, too: whoever has asked knows what they mean."""
    endpoint = FakeProvider()
    endpoint.will(answers(b"hello", status=status, headers={"x": "1"}))

    answer = await ask(endpoint)

    assert (answer.status, answer.body, answer.headers["x"]) == (status, b"hello", "1")
    assert endpoint.open_responses == 0


@pytest.mark.parametrize(
    ("ill", "kind", "told"),
    [
        (drops(), "transport", "the connection was reset"),
        (hangs(), "timeout", "no answer within 5 s"),
        (answers(b"x" * (ANSWER_BYTES_MAX + 1)), "transport", "found more than 65536 bytes"),
    ],
    ids=["dropped", "hanging", "endless"],
)
async def test_an_endpoint_that_is_ill(
    ill: Script, kind: str, told: str, autojump_clock: MockClock
) -> None:
    """The failure names it, may be repeated, and leaves nothing open."""
    endpoint = FakeProvider()
    endpoint.will(ill)
    started_at = trio.current_time()

    with pytest.raises(AttemptFailed) as failed:
        await ask(endpoint)

    assert failed.value.text.startswith("token endpoint http://box/token: ")
    assert told in failed.value.text
    assert (failed.value.kind, failed.value.transient) == (kind, True)
    assert trio.current_time() - started_at <= 5
    assert endpoint.open_responses == 0
