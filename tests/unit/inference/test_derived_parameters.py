"""What nobody has asked for is not the reason why a request fails."""

from typing import Any

import pytest

from lsd.conversation import (
    AttemptFailed,
    ChatCompletionParams,
    ClientRequest,
    ModelMessage,
    ModelRequest,
    Text,
)
from lsd.inference import DirectCall, InferenceFailed
from lsd.inference.derived_parameters import blamed_for, without
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import fails, says
from tests.unit.inference.gateway import PLAIN, Gateway

DERIVED = {"reasoning_effort": "thinking_budget_tokens"}
REFUSAL = "Unsupported parameter: 'reasoning_effort' is not supported with this model."
HI = (ModelMessage(role="user", content=(Text(text="Hi"),)),)


def asking(**params: Any) -> ModelRequest:
    """A request of a client that speaks another language than the provider."""
    client = ClientRequest(lane="anthropic", body={})
    return ModelRequest(messages=HI, params=ChatCompletionParams(**params), client=client)


@pytest.mark.parametrize(
    ("status", "text", "blamed"),
    [
        (400, REFUSAL, {"thinking_budget_tokens"}),
        (400, "reasoning_efforts are dear", set()),
        (400, "no such model", set()),
        (500, REFUSAL, set()),
        (None, REFUSAL, set()),
    ],
)
def test_a_stand_in_is_blamed_by_name(status: int | None, text: str, blamed: set[str]) -> None:
    """Only in a refusal of the request, and only by its whole name."""
    failure = AttemptFailed(kind="client_fault", status=status, text=text)

    assert blamed_for(failure, DERIVED) == blamed
    assert blamed_for(failure, {}) == set()


def test_what_a_request_did_not_have_is_not_missed() -> None:
    """Only what it had is told."""
    request = asking(temperature=1, thinking_budget_tokens=5)

    left, had = without(request, {"thinking_budget_tokens", "reasoning_effort"})

    assert left.params == ChatCompletionParams(temperature=1)
    assert had == ["thinking_budget_tokens"]
    assert without(request, ()) == (request, [])


def direct(gateway: Gateway, request: ModelRequest) -> DirectCall:
    """A call of the model `m`."""
    model = gateway.prepared.model("m")
    assert model is not None
    return DirectCall(model=model, request=request)


async def test_a_refused_stand_in_is_left_out_from_then_on(start: StartGateway) -> None:
    """Case 54: the provider is asked once more at once, and never again with it."""
    gateway = start(PLAIN)
    gateway["one"].will(fails(400, REFUSAL), says("Hello"), says("Again"))

    first = await gateway.service.call(direct(gateway, asking(thinking_budget_tokens=2048)))
    second = await gateway.service.call(direct(gateway, asking(thinking_budget_tokens=2048)))

    efforts = [request.get("reasoning_effort") for request in gateway["one"].bodies]
    assert efforts == ["low", None, None]
    for reply in (first, second):
        assert reply.call.left_out == ("thinking_budget_tokens",)
        assert [call.status for call in reply.run.journal.calls] == ["ok"]


async def test_what_was_asked_for_fails_if_it_is_refused(start: StartGateway) -> None:
    """Case 54: the client hears of it."""
    gateway = start(PLAIN)
    gateway["one"].will(fails(400, REFUSAL))

    with pytest.raises(InferenceFailed, match="not supported with this model"):
        await gateway.service.call(direct(gateway, asking(reasoning_effort="low")))
