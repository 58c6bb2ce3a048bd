"""The provider that needs no network: every kind of answer, twice the same, and its scripts."""

import re
from typing import Any

import pytest

from tests.api.asking import SAYING_HI, saying
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

NOWHERE = "http://127.0.0.1:9"

CONFIG = """
    [models.twice]
    routing = ["p"]
    providers.p = { type = "echo", statuses = [429, 200] }
    [functions.retried]
    type = "chat"
    variants.v = { model = "twice", retries = { num_retries = 1, max_delay_s = 0.01 } }
    [functions.extract]
    type = "json"
    output_schema = "number.json"
    variants.v = { model = "echo::x", json_mode = "strict" }
"""

NUMBER = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'

TOOL = {"name": "page", "description": "d", "strict": False, "parameters": {"type": "object"}}

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("/inference", {"model_name": "echo::x", **SAYING_HI}),
    "stream": ("/inference", {"model_name": "echo::x", **SAYING_HI, "stream": True}),
    "tool call": (
        "/inference",
        {"model_name": "echo::x", **saying("call page {}"), "additional_tools": [TOOL]},
    ),
    "json": ("/inference", {"function_name": "extract", **SAYING_HI}),
    "embedding": ("/openai/v1/embeddings", {"model": "echo::x", "input": "hi"}),
}


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """Whatever it would send to others ends at a closed port."""
    proxies = {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE}
    return start_shared(CONFIG, environment=proxies, files={"number.json": NUMBER})


@pytest.mark.parametrize("kind", ASKED)
def test_every_kind_of_answer_comes_without_a_network(gateway: Gateway, kind: str) -> None:
    """Case 71: twice the same bytes, apart from ids and times."""
    path, body = ASKED[kind]

    responses = [gateway.post(path, body) for _ in range(2)]

    assert [each.status_code for each in responses] == [200, 200]
    first, again = (
        re.sub(r'[0-9a-f]{8}-[0-9a-f-]{27}|"created":\d+', "ID", each.text) for each in responses
    )
    assert first == again
    expected = {"tool call": '"tool_call"', "json": '{"n":0}', "embedding": '"embedding"'}
    assert expected.get(kind, '"text":"hi"') in first.replace("\\", "").replace(": ", ":")


def test_a_scripted_failure_is_retried(gateway: Gateway) -> None:
    """Case 71: 429 once, then 200, after two calls."""
    answer = gateway.infer(function_name="retried", **SAYING_HI)

    assert len(gateway.calls(answer["inference_id"])) == 2
