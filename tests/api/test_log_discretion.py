"""What no log line may show, whatever goes wrong."""

from typing import Any

from tests.api.asking import SAYING_HI, reloaded, saying
from tests.api.conftest import StartGateway
from tests.api.test_api_keys import new_key

SAID, CREDENTIAL, TENANT = "prompt-4711-prompt", "sk-static-0123456789", "sk-tenant-0123456789"

CONFIG = """
    [gateway]
    auth.enabled = true
    max_request_bytes = 100000
    [models.down]
    routing = ["p", "q"]
    providers.p = { type = "echo", statuses = [503, 0] }
    [models.down.providers.q]
    type = "openai"
    model_name = "x"
    api_base = "http://127.0.0.1:9/v1"
    api_key_location = "env::STATIC_KEY"
    [models.locked]
    routing = ["p"]
    [models.locked.providers.p]
    type = "openai"
    model_name = "x"
    api_base = "http://127.0.0.1:9/v1"
    api_key_location = "dynamic::tenant"
    [[rate_limiting.rules]]
    scope = { tag_key = "none", tag_value = "x" }
    always = true
    model_inferences_per_day = 0
"""

INFERENCES: list[tuple[dict[str, Any], int]] = [
    ({"model_name": "echo::x"}, 200),
    ({"model_name": "echo::x", "stream": True}, 200),
    ({"model_name": "down"}, 502),
    ({"model_name": "down", "stream": True}, 502),
    ({"model_name": "locked"}, 502),
    ({"model_name": "locked", "credentials": {"tenant": TENANT}}, 502),
    ({"model_name": "ghost"}, 400),
    ({"model_name": "echo::x", "tags": {"none": "x"}}, 429),
    ({"model_name": "echo::x", "output_schema": SAID}, 400),
    ({"model_name": "echo::x", "params": {"chat_completion": {"seed": SAID}}}, 400),
    ({"model_name": "echo::x", "input": {"messages": [{"role": SAID, "content": SAID}]}}, 400),
    ({"model_name": "echo::x", **saying(SAID * 10000)}, 413),
]

SAYING = [{"role": "user", "content": SAID}]

OTHERS: list[tuple[str, dict[str, Any], int]] = [
    ("/feedback", {"metric_name": "ghost", "value": SAID, "episode_id": SAID}, 400),
    ("/feedback", {"metric_name": "comment", "value": {"x": SAID}}, 400),
    ("/batch_inference", {"function_name": "ghost", "inputs": [saying(SAID)["input"]]}, 404),
    ("/openai/v1/chat/completions", {"model": "down", "messages": SAYING}, 502),
    ("/openai/v1/chat/completions", {"model": "echo::x", "messages": [{"role": SAID}]}, 400),
    ("/openai/v1/embeddings", {"model": "ghost", "input": SAID}, 404),
    ("/anthropic/v1/messages", {"model": "down", "max_tokens": 9, "messages": SAYING}, 502),
    ("/anthropic/v1/messages", {"model": "echo::x", "max_tokens": SAID, "messages": SAYING}, 400),
    ("/nothing", {"x": SAID}, 404),
]

CALLS = [("/inference", {**saying(SAID), **body}, status) for body, status in INFERENCES] + OTHERS


def test_no_prompt_and_no_key_is_in_any_log_line(start_gateway: StartGateway) -> None:
    """Case 68: of answers and of errors, also at the level that tells most."""
    gateway = start_gateway(CONFIG, "--log-level", "debug", environment={"STATIC_KEY": CREDENTIAL})
    key = new_key(gateway)
    wrong = f"{key[:20]}{'0' * 48}"
    headers = {"authorization": f"Bearer {key}"}

    client = gateway.client
    statuses = [
        client.post(path, json=body, headers=headers).status_code for path, body, _ in CALLS
    ]
    broken = client.post("/inference", content=f'{{"{SAID}', headers=headers)
    refused = client.post(
        "/inference", json=SAYING_HI, headers={"authorization": f"Bearer {wrong}"}
    )
    gateway.configure(CONFIG.replace("env::STATIC_KEY", CREDENTIAL))
    told = reloaded(gateway)
    gateway.stop()

    assert statuses == [status for _, _, status in CALLS]
    assert (broken.status_code, refused.status_code, told["level"]) == (400, 401, "error")
    assert len(gateway.log_records("request finished")) >= len(CALLS)
    log = gateway.log_text()
    secrets = (SAID, CREDENTIAL, TENANT, key[20:], wrong[20:])
    assert [secret for secret in secrets if secret in log] == []
