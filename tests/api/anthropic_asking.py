"""How tests of the Anthropic endpoints write configurations and requests, and read answers."""

from typing import Any

import httpx
import orjson

from tests.api.gateway import Gateway
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.provider_thread import FakeProviderThread

PATH = "/anthropic/v1/messages"


HI: Any = [{"role": "user", "content": "Hi"}]


LOOK = {"name": "look", "description": "Looks", "input_schema": {"type": "object"}}


SEARCH = {"type": "web_search_20250305", "name": "web_search"}


LANES = ("claude", "gpt")


def entry(model: str, name: str, kind: str, api_base: str, more: str = "") -> str:
    """The table of one provider of a model."""
    return (
        f'[models."{model}".providers.{name}]\ntype = "{kind}"\nmodel_name = "{model}-{name}"\n'
        f'api_key_location = "none"\napi_base = "{api_base}"\n{more}\n'
    )


def model(name: str, *entries: tuple[str, str, str], more: str = "") -> str:
    """A model whose providers are asked in this order: name, type and address of each."""
    routing = ", ".join(f'"{each[0]}"' for each in entries)
    tables = [entry(name, *each, more) for each in entries]
    return f'[models."{name}"]\nrouting = [{routing}]\n' + "".join(tables)


def request(name: str, **more: Any) -> dict[str, Any]:
    """The body of a request."""
    return {"model": name, "max_tokens": 64, "messages": HI, **more}


def post(gateway: Gateway, name: str, headers: Any = None, **more: Any) -> httpx.Response:
    """The response to a request."""
    return gateway.client.post(PATH, json=request(name, **more), headers=headers)


def answer(gateway: Gateway, name: str, **more: Any) -> dict[str, Any]:
    """The message that a request gets."""
    response = post(gateway, name, **more)
    assert response.status_code == 200, response.text
    message: dict[str, Any] = response.json()
    return message


def refusal(response: httpx.Response, status: int) -> str:
    """What is wrong, in the words of this API."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["type"] == "error"
    message: str = body["error"]["message"]
    return message


def streamed(gateway: Gateway, name: str, **more: Any) -> list[dict[str, Any]]:
    """The events of a stream, pings left out."""
    response = post(gateway, name, stream=True, **more)
    assert response.status_code == 200, response.text
    return events_in(response.text)


def events_in(text: str) -> list[dict[str, Any]]:
    """The events of a stream: each has a name, and one line of data."""
    found = []
    for frame in text.split("\n\n")[:-1]:
        name, data = frame.split("\n")
        document = orjson.loads(data.removeprefix("data: "))
        assert name == f"event: {document['type']}"
        found.append(document)
    return [each for each in found if each["type"] != "ping"]


def added_up(stream: list[dict[str, Any]]) -> dict[str, Any]:
    """The message that a stream tells."""
    start, *middle, delta, stop = stream
    assert (start["type"], delta["type"], stop["type"]) == (
        "message_start",
        "message_delta",
        "message_stop",
    )
    message = {**start["message"], **delta["delta"], "content": []}
    message["usage"] = {**message["usage"], **delta["usage"]}
    content: list[dict[str, Any]] = message["content"]
    inputs: dict[int, str] = {}
    open_index: int | None = None
    for each in middle:
        index = each["index"]
        if each["type"] == "content_block_start":
            assert (open_index, index) == (None, len(content))
            open_index = index
            content.append(dict(each["content_block"]))
            continue
        assert index == open_index
        if each["type"] == "content_block_stop":
            if index in inputs:
                content[index]["input"] = orjson.loads(inputs[index])
            open_index = None
            continue
        match each["delta"]:
            case {"type": "text_delta", "text": text}:
                content[index]["text"] += text
            case {"type": "thinking_delta", "thinking": text}:
                content[index]["thinking"] += text
            case {"type": "signature_delta", "signature": text}:
                content[index]["signature"] += text
            case {"type": "input_json_delta", "partial_json": text}:
                inputs[index] = inputs.get(index, "") + text
    assert open_index is None
    return message


def same(message: dict[str, Any]) -> dict[str, Any]:
    """A message without its id, which each request has its own of."""
    return {key: value for key, value in message.items() if key != "id"}


def sent(upstream: FakeProviderThread) -> Any:
    """The body of the only request."""
    (asked,) = upstream.requests
    return asked.json()


def conversation(*contents: Any) -> list[dict[str, Any]]:
    """Turns that begin with the user's."""
    roles = ("user", "assistant")
    return [
        {"role": roles[place % 2], "content": content} for place, content in enumerate(contents)
    ]


CALL = {"type": "tool_use", "id": "c1", "name": "look", "input": {"b": 1, "a": 2}}


def result(content: Any, **more: Any) -> dict[str, Any]:
    """What the tool gave back."""
    return {"type": "tool_result", "tool_use_id": "c1", "content": content, **more}


def configuration(provider: FakeProviderThread) -> str:
    """Models of both lanes, alone and one behind the other."""
    url = provider.url
    tables = [
        model("claude", ("one", "anthropic", url("claude"))),
        model("gpt", ("one", "openai", url("gpt"))),
        model("vllm", ("one", "vllm", url("gpt"))),
        model("deepseek", ("one", "deepseek", url("gpt"))),
        model("mixed", ("a", "openai", url("gpt")), ("b", "anthropic", url("claude"))),
        model("two", ("a", "anthropic", url("claude")), ("b", "anthropic", url("second"))),
        model("bare", ("one", "anthropic", url("claude")), more="forward_anthropic_beta = false"),
        model("of/all", ("one", "openai", url("gpt"))),
        "[gateway]\nmax_request_bytes = 3000000\n",
        "[gateway.observability]\nasync_writes = false\n",
    ]
    return "\n".join(tables)


def at_rest(provider: FakeProviderThread) -> FakeProviderThread:
    """The providers of this configuration, saying "An old pond", with nothing asked of them yet."""
    provider.forget()
    for name in ("claude", "second"):
        provider.will(name, anthropic_scripts.says("An old pond"))
    provider.will("gpt", openai_scripts.says("An old pond"))
    return provider
