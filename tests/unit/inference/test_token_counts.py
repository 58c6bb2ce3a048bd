"""Tokens of a request, counted by whoever would read them."""

import attrs
from structlog.testing import capture_logs

from lsd.conversation import ClientRequest, ModelMessage, ModelRequest, Text
from lsd.inference import NO_OPTIONS, CallOptions, DirectCall
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import answers, fails
from tests.unit.inference.gateway import Gateway, Shelf

CONFIG = """
[models.m]
routing = ["chat", "one", "two"]
[models.m.providers]
chat = { type = "openai", model_name = "gpt-1" }
one = { type = "anthropic", model_name = "claude-1", api_key_location = "dynamic::key" }
two = { type = "anthropic", model_name = "claude-2", api_key_location = "none" }

[models.plain]
routing = ["chat"]
providers.chat = { type = "openai", model_name = "gpt-1" }
"""
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
REQUEST = ModelRequest(
    messages=(ModelMessage(role="user", content=(Text(text="Hi"),)),),
    client=ClientRequest(lane="anthropic", body=BODY),
)


def call(gateway: Gateway, name: str = "m") -> DirectCall:
    """A call whose tokens are to be counted."""
    model = gateway.prepared.model(name)
    assert model is not None
    return DirectCall(model, REQUEST, options=CallOptions(credentials={"key": "sk-1"}))


async def test_the_first_provider_that_counts_is_asked(start: StartGateway) -> None:
    """It is asked in the client's words, and nobody is asked for an answer."""
    gateway = start(CONFIG)
    gateway["one"].will(answers(b'{"input_tokens":12}'))

    assert await gateway.service.count_tokens(call(gateway)) == 12

    (request,) = gateway["one"].requests
    assert request.url.endswith("/v1/messages/count_tokens")
    assert request.headers["x-api-key"] == "sk-1"
    assert gateway["one"].bodies == [{**BODY, "model": "claude-1"}]
    assert gateway["chat"].requests == []


async def test_the_next_provider_counts_where_one_fails(start: StartGateway) -> None:
    """Also where a credential is missing; no log shows one."""
    gateway = start(CONFIG)
    gateway["one"].will(fails(529, "sk-1 is overloaded"))
    gateway["two"].will(answers(b'{"input_tokens":13}'), answers(b'{"input_tokens":14}'))

    with capture_logs() as logs:
        counts = [
            await gateway.service.count_tokens(each)
            for each in (call(gateway), attrs.evolve(call(gateway), options=NO_OPTIONS))
        ]

    assert counts == [13, 14]
    assert [each["provider"] for each in logs] == ["one", "one"]
    assert "sk-1" not in str(logs)


async def test_nobody_counts(start: StartGateway, shelf: Shelf) -> None:
    """Case 45: then nobody is asked; and in no case is anything recorded."""
    gateway = start(CONFIG, shelf=shelf)
    gateway["one"].will(fails(500, "no"))
    gateway["two"].will(answers(b"{}"))

    assert await gateway.service.count_tokens(call(gateway)) is None
    assert await gateway.service.count_tokens(call(gateway, "plain")) is None
    assert gateway["chat"].requests == []
    assert await gateway.all_stored() == []
