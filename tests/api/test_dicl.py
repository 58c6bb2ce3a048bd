"""Examples over HTTP, and the variants that show them, against a running gateway."""

from typing import Any

import pytest

from tests.api.asking import saying, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

CONFIG = """
    [models.m]
    routing = ["echo"]
    providers.echo = { type = "echo", reply = "{{ text }}" }

    [functions.chat]
    type = "chat"
    [functions.chat.variants.near]
    type = "dicl"
    embedding_model = "echo::x"
    model = "m"
    k = 2
    max_distance = 0
    [functions.chat.variants.plain]
    model = "m"

    [functions.only]
    type = "chat"
    variants.near = { type = "dicl", embedding_model = "echo::x", model = "m", k = 2 }
"""

EXAMPLES = "/internal/functions/chat/variants/near/dicl_examples"
OUTPUT = [{"type": "text", "text": "out"}]


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """A gateway with a dicl variant on the offline provider."""
    return start_shared(CONFIG)


@pytest.fixture(autouse=True)
def without_examples(gateway: Gateway) -> None:
    """Every test begins with none."""
    gateway.client.delete(EXAMPLES)


def example(text: str) -> dict[str, Any]:
    """An example whose input says `text`."""
    return {**saying(text), "output": OUTPUT}


def sent(gateway: Gateway, answer: dict[str, Any]) -> list[Any]:
    """The messages that the model was sent."""
    _, generation = gateway.calls(answer["inference_id"])
    messages: list[Any] = generation["input_messages"]
    return messages


def test_an_example_is_shown_by_the_very_next_request(gateway: Gateway) -> None:
    """And no longer once it is deleted; at distance 0 lies only the same input."""
    before = gateway.infer(function_name="chat", variant_name="near", **saying("a"))
    stored = gateway.post(EXAMPLES, {"examples": [example("a"), example("b")]})
    near = gateway.infer(function_name="chat", variant_name="near", **saying("a"))
    far = gateway.infer(function_name="chat", variant_name="near", **saying("c"))
    deleted = gateway.client.delete(EXAMPLES)
    after = gateway.infer(function_name="chat", variant_name="near", **saying("a"))

    assert stored.status_code == 200
    assert len(stored.json()["ids"]) == 2
    assert deleted.json() == {"deleted": 2}
    assert [len(sent(gateway, each)) for each in (before, near, far, after)] == [1, 3, 1, 1]
    assert text_of(near).startswith('{"messages":')
    assert [call["model_name"] for call in gateway.calls(near["inference_id"])] == ["echo::x", "m"]


def test_examples_are_listed_in_pages(gateway: Gateway) -> None:
    """Newest first, and then those before a known one."""
    ids = gateway.post(EXAMPLES, {"examples": [example(each) for each in "abc"]}).json()["ids"]

    first = gateway.client.get(EXAMPLES, params={"limit": 2}).json()["examples"]
    second = gateway.client.get(EXAMPLES, params={"before": first[-1]["id"]}).json()["examples"]

    assert [each["id"] for each in first + second] == ids[::-1]
    assert second[0]["input"]["messages"][0]["content"] == [{"type": "text", "text": "a"}]
    assert second[0]["output"] == OUTPUT
    assert second[0]["created_at"].endswith("Z")


def test_examples_survive_a_restart(start_gateway: StartGateway) -> None:
    """They are in the store."""
    gateway = start_gateway(CONFIG)
    gateway.post(EXAMPLES, {"examples": [example("a")]})
    gateway.stop()
    gateway.start()

    answer = gateway.infer(function_name="chat", variant_name="near", **saying("a"))

    assert len(sent(gateway, answer)) == 3


@pytest.mark.parametrize("pinned", [{"variant_name": "near"}, {}], ids=["pinned", "alone"])
def test_case_12_an_image_is_refused(gateway: Gateway, pinned: dict[str, str]) -> None:
    """With 400 that names the block: no variant could take it."""
    image = {"type": "image", "url": "http://127.0.0.1:1/a.png", "mime_type": "image/png"}
    body = {"input": {"messages": [{"role": "user", "content": [image]}]}}

    response = gateway.post("/inference", {"function_name": "only", **pinned, **body})

    assert response.status_code == 400
    assert "'file'" in response.json()["error"]
    assert "dicl" in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (EXAMPLES, {"examples": []}, 400),
        (EXAMPLES, {"examples": [{**saying("a"), "output": []}]}, 400),
        (EXAMPLES, {"examples": [{**saying("a"), "outptu": []}]}, 400),
        (EXAMPLES.replace("near", "plain"), {"examples": [example("a")]}, 400),
        (EXAMPLES.replace("near", "absent"), {"examples": [example("a")]}, 404),
        (EXAMPLES.replace("chat", "absent"), {"examples": [example("a")]}, 404),
    ],
    ids=["none", "no output", "unknown key", "other type", "unknown variant", "unknown function"],
)
def test_what_cannot_be_stored_is_refused(
    gateway: Gateway, path: str, body: Any, status: int
) -> None:
    """Nothing of it is."""
    response = gateway.post(path, body)

    assert response.status_code == status, response.text
    assert gateway.client.get(EXAMPLES).json() == {"examples": []}


def test_part_1_case_14_a_dry_run(gateway: Gateway) -> None:
    """The same answer, and no record."""
    answer = gateway.infer(function_name="chat", variant_name="near", dryrun=True, **saying("a"))

    assert text_of(answer) == "a"
    assert gateway.stored(answer["inference_id"]) is None
    assert gateway.calls(answer["inference_id"]) == []
