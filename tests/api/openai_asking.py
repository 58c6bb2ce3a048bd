"""How tests of the OpenAI endpoints write configurations and requests, and read answers."""

from typing import Any

import httpx
import orjson

from tests.api.anthropic_asking import model
from tests.api.gateway import Gateway
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.provider_thread import FakeProviderThread

PATH = "/openai/v1/chat/completions"

HI: Any = [{"role": "user", "content": "Hi"}]

LANES = ("gpt", "claude")
"""A model that speaks the client's language, and one that does not."""

LOOK = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks",
        "parameters": {"type": "object", "properties": {"z": {}, "a": {}}},
    },
}


def post(gateway: Gateway, name: str, headers: Any = None, **more: Any) -> httpx.Response:
    """The response to a request."""
    body = {"model": name, "messages": HI, **more}
    return gateway.client.post(PATH, json=body, headers=headers)


def completion(gateway: Gateway, name: str, **more: Any) -> dict[str, Any]:
    """The body of a good answer."""
    response = post(gateway, name, **more)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def message(gateway: Gateway, name: str, **more: Any) -> dict[str, Any]:
    """Its message."""
    made: dict[str, Any] = completion(gateway, name, **more)["choices"][0]["message"]
    return made


def refusal(response: httpx.Response, status: int) -> dict[str, Any]:
    """What is wrong, in the words of this API: all four keys are always there."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def streamed(gateway: Gateway, name: str, **more: Any) -> list[dict[str, Any]]:
    """The chunks of a good stream."""
    response = post(gateway, name, stream=True, **more)
    assert response.status_code == 200, response.text
    *chunks, end = frames_in(response.text)
    assert end == "[DONE]"
    return chunks


def frames_in(text: str) -> list[Any]:
    """The frames of a stream, decoded: each is one line of data."""
    *lines, rest = text.split("\n\n")
    assert rest == ""
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    payloads = [line.removeprefix("data: ") for line in lines]
    return [each if each == "[DONE]" else orjson.loads(each) for each in payloads]


def added_up(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer that a stream tells, as clients put it together."""
    assert len({each["id"] for each in chunks}) == 1
    made: dict[str, Any] = {"reasons": [], "usage": None}
    roles = 0
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        if not chunk["choices"]:
            made["usage"] = chunk["usage"]
            continue
        (choice,) = chunk["choices"]
        delta = dict(choice["delta"])
        roles += "role" in delta
        if choice["finish_reason"] is not None:
            assert delta == {}
            made["reasons"].append(choice["finish_reason"])
        _add(made, delta)
    assert roles == 1
    assert len(made["reasons"]) == 1
    return made


def _add(made: dict[str, Any], delta: dict[str, Any]) -> None:
    for key, value in delta.items():
        if isinstance(value, str) and key != "type":
            made[key] = (made.get(key) or "") + value
        elif isinstance(value, list):
            items = made.setdefault(key, [])
            for each in value:
                assert each["index"] <= len(items)
                if each["index"] == len(items):
                    items.append({})
                _add(items[each["index"]], each)
        elif isinstance(value, dict):
            _add(made.setdefault(key, {}), value)
        else:
            made[key] = value


def sent(upstream: FakeProviderThread) -> Any:
    """The body of the only request."""
    (asked,) = upstream.requests
    return asked.json()


def call(identifier: str = "c1", name: str = "look", arguments: str = "{}") -> dict[str, Any]:
    """A call of a tool, as clients send it back."""
    function = {"name": name, "arguments": arguments}
    return {"id": identifier, "type": "function", "function": function}


def result(content: Any = "ok", identifier: str = "c1") -> dict[str, Any]:
    """What the tool gave back."""
    return {"role": "tool", "tool_call_id": identifier, "content": content}


def configuration(provider: FakeProviderThread) -> str:
    """Models of both lanes, alone and one behind the other."""
    url = provider.url
    tables = [
        model("gpt", ("one", "openai", url("gpt"))),
        model("claude", ("one", "anthropic", url("claude"))),
        model("vllm", ("one", "vllm", url("gpt"))),
        model("groq", ("one", "groq", url("gpt"))),
        model("mistral", ("one", "mistral", url("gpt"))),
        model("deepseek", ("one", "deepseek", url("gpt"))),
        model("two", ("a", "openai", url("gpt")), ("b", "openai", url("second"))),
        model("mixed", ("a", "openai", url("gpt")), ("b", "anthropic", url("claude"))),
        model("of/all", ("one", "openai", url("gpt"))),
        "[gateway]\nmax_request_bytes = 3000000\n",
        "[gateway.observability]\nasync_writes = false\n",
    ]
    return "\n".join(tables)


def at_rest(provider: FakeProviderThread) -> FakeProviderThread:
    """The providers of this configuration, saying "An old pond", with nothing asked of them yet."""
    provider.forget()
    for name in ("gpt", "second"):
        provider.will(name, openai_scripts.says("An old pond"))
    provider.will("claude", anthropic_scripts.says("An old pond"))
    return provider
