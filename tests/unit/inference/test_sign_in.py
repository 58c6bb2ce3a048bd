"""Credentials that are fetched: told to the dialect, never shown, and renewed when refused."""

from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from lsd.inference import InferenceFailed, prepare
from tests.unit.inference.fake_providers import fails, says, streams
from tests.unit.inference.gateway import PLAIN, Gateway, start_gateway


@attrs.define(eq=False)
class Tickets:
    """A way of signing in that gives numbered tickets; after a refused one comes the next."""

    number: int = 1

    async def credentials(self, dynamic: Mapping[str, str]) -> Mapping[str, str | None]:
        return {"api_key": f"ticket-{self.number}"}

    def forget(
        self, credentials: Mapping[str, str | None], status: int, headers: Mapping[str, str]
    ) -> bool:
        if status != 401 or credentials["api_key"] != f"ticket-{self.number}":
            return False
        self.number += 1
        return True


@pytest.fixture
async def gateway(tmp_path: Path) -> Gateway:
    """A gateway whose only provider is signed in to."""
    started = start_gateway(tmp_path, PLAIN)
    tickets = Tickets()
    started.service.prepared = prepare(started.loaded, started.providers.make, lambda _: tickets)
    return started


def shown_tickets(gateway: Gateway) -> list[str]:
    """What the provider was shown, request by request."""
    return [request.headers["Authorization"] for request in gateway["one"].requests]


async def test_what_signing_in_gives_goes_to_the_dialect(gateway: Gateway) -> None:
    """It takes the place of the configured key."""
    gateway["one"].will(says("Hello"))

    await gateway.infer()

    assert shown_tickets(gateway) == ["Bearer ticket-1"]


async def test_a_refused_credential_is_renewed_once(gateway: Gateway) -> None:
    """It costs the caller a moment, and is no failed attempt."""
    gateway["one"].will(fails(401), says("Hello"))

    answer = await gateway.infer()

    assert answer["content"] == [{"type": "text", "text": "Hello"}]
    assert shown_tickets(gateway) == ["Bearer ticket-1", "Bearer ticket-2"]
    assert gateway["one"].open_responses == 0


async def test_a_refused_stream_is_opened_again(gateway: Gateway) -> None:
    """The same holds when the answer is to be streamed."""
    gateway["one"].will(fails(401), streams("Hello"))

    events = await gateway.stream()

    assert events[0]["content"] == [{"type": "text", "id": "0", "text": "Hello"}]
    assert shown_tickets(gateway) == ["Bearer ticket-1", "Bearer ticket-2"]


async def test_a_second_refusal_counts(gateway: Gateway) -> None:
    """Whoever is not let in with a fresh credential will not be let in; nobody sees the ticket."""
    gateway["one"].will(fails(401, "not with ticket-2"))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer()

    assert shown_tickets(gateway) == ["Bearer ticket-1", "Bearer ticket-2"]
    assert "not with ***" in str(failed.value)


async def test_other_refusals_are_left_alone(gateway: Gateway) -> None:
    """A provider that is busy does not need another credential."""
    gateway["one"].will(fails(503), says("Hello"))

    with pytest.raises(InferenceFailed):
        await gateway.infer()

    assert shown_tickets(gateway) == ["Bearer ticket-1"]


async def test_most_providers_need_no_signing_in(tmp_path: Path) -> None:
    """Their locations hold all they need."""
    gateway = start_gateway(tmp_path, PLAIN)
    model = gateway.prepared.model("m")
    assert model is not None

    assert model.providers[0].sign_in is None
