"""How tests of batches submit them, and wait for what becomes of them."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from tests.api.asking import Box, model, wait_for
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import completes, fails
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Script

FUNCTION = """
[functions.talk]
type = "chat"
variants.v = { type = "chat_completion", model = "m" }
"""


def configured(api_base: str, *more: str) -> str:
    """A function `talk` whose model `m` asks the box at `api_base`; then further tables."""
    return "".join([model("m", Box("box", api_base)), FUNCTION, *more])


def bounded(**keys: int) -> str:
    """The bounds of batches."""
    lines = [f"{key} = {value}" for key, value in keys.items()]
    return "\n".join(["[gateway.batch_inference]", *lines, ""])


def row(text: str, **fields: Any) -> dict[str, Any]:
    """An item of the function `talk`."""
    return {"function_name": "talk", "input": messages(text), **fields}


def messages(text: str) -> dict[str, Any]:
    """An input of one message."""
    return {"messages": [{"role": "user", "content": text}]}


def submitted(gateway: Gateway, body: Any) -> dict[str, Any]:
    """The ids of a batch, which must be accepted."""
    return _ok(gateway.post("/batch_inference", body))


def refused(gateway: Gateway, status: int, body: Any) -> str:
    """What is wrong with a batch, which must get this status."""
    response = gateway.post("/batch_inference", body)
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    told: str = response.json()["error"]
    return told


def polled(gateway: Gateway, batch_id: str) -> dict[str, Any]:
    """The batch as it stands."""
    return _ok(gateway.client.get(f"/batch_inference/{batch_id}"))


def polled_item(gateway: Gateway, batch_id: str, inference_id: str) -> dict[str, Any]:
    """One item as it stands."""
    return _ok(gateway.client.get(f"/batch_inference/{batch_id}/inference/{inference_id}"))


def cancelled(gateway: Gateway, batch_id: str) -> dict[str, Any]:
    """The batch after it was cancelled."""
    return _ok(gateway.post(f"/batch_inference/{batch_id}/cancel", {}))


def finished(gateway: Gateway, batch_id: str) -> dict[str, Any]:
    """The batch once all its items have ended."""
    return wait_for(lambda: _unless_pending(polled(gateway, batch_id)))


def done(gateway: Gateway, body: Any) -> dict[str, Any]:
    """A batch from its submission to its end."""
    return finished(gateway, submitted(gateway, body)["batch_id"])


def text_of_request(request: RecordedRequest) -> str:
    """The last message that a provider was sent."""
    content: str = request.json()["messages"][-1]["content"]
    return content


def by_text(**answers: Script) -> Callable[[RecordedRequest], Script]:
    """Answers by the first word of the last message; an echo of it if there is no such answer."""

    def answer(request: RecordedRequest) -> Script:
        text = text_of_request(request)
        script = answers.get(text.split()[0])
        return completes({"role": "assistant", "content": text}) if script is None else script

    return answer


def refusing(status: int = 400) -> Script:
    """An error of the provider."""
    return fails(status)


def texts(batch: Mapping[str, Any]) -> list[str]:
    """What the completed items of a batch have answered."""
    return [inference["content"][0]["text"] for inference in batch["inferences"]]


def _unless_pending(batch: dict[str, Any]) -> dict[str, Any]:
    counts = dict(batch["progress"])
    total, _ = counts.pop("total"), counts.pop("upstream", None)
    assert sum(counts.values()) == total
    return {} if batch["status"] == "pending" else batch


def _ok(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, f"{response.status_code}: {response.text}"
    answer: dict[str, Any] = response.json()
    return answer
