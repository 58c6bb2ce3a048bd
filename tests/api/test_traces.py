"""Traces, as a collector gets them."""

from collections.abc import Iterator

import orjson
import pytest

from tests.api.asking import SAYING_HI, saying, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.collector import FakeCollector

PARENT = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{PARENT}-b7ad6b7169203331-01"

CONFIG = """
    [gateway.export.otlp.traces]
    enabled = true
    extra_headers = { x-team = "search", x-place = "static" }
    MORE
    [models.m]
    routing = ["ill", "well"]
    providers.ill = { type = "echo", model_name = "e-1", statuses = [503] }
    [models.m.providers.well]
    type = "echo"
    model_name = "e-2"
    cost = [{ pointer = "/usage/input_tokens", cost_per_unit = 0.5 }]
    [metrics.solved]
    type = "boolean"
    optimize = "max"
    level = "inference"
    [functions.say]
    type = "chat"
    variants.plain = { model = "m" }
    [embedding_models.e]
    routing = ["box"]
    providers.box = { type = "echo", model_name = "e-3" }
    [[rate_limiting.rules]]
    always = true
    scope = { tag_key = "limited", tag_value = "lsd::each" }
    cost_per_day = 5
"""


@pytest.fixture(scope="module")
def collector() -> Iterator[FakeCollector]:
    """A collector that is up."""
    with FakeCollector().running() as running:
        yield running


@pytest.fixture(autouse=True)
def empty(collector: FakeCollector) -> None:
    """Each test sees what it causes."""
    collector.exports.clear()


def environment(collector: FakeCollector, **more: str) -> dict[str, str]:
    """What names the collector."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **more}


@pytest.fixture(scope="module")
def gateway(collector: FakeCollector, start_shared: StartGateway) -> Gateway:
    """Exports, with what was said."""
    text = CONFIG.replace("MORE", "include_content = true")
    return start_shared(text, environment=environment(collector))


def ask(gateway: Gateway, **headers: str) -> dict[str, object]:
    """The answer to an inference."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"function_name": "say", **SAYING_HI, "tags": {"customer": "7"}}
    response = gateway.client.post("/inference", json=body, headers=named)
    assert response.status_code == 200, response.text
    answer: dict[str, object] = response.json()
    return answer


def test_an_inference_is_a_tree_of_spans(gateway: Gateway, collector: FakeCollector) -> None:
    """From the request down to each call of a provider, the failed one included."""
    answer = ask(gateway)
    wait_for(lambda: collector.named("POST /inference"))

    (server,) = collector.named("POST /inference")
    (function,) = collector.named("function_inference")
    (variant,) = collector.named("variant_inference")
    (model,) = collector.named("model_inference")
    ill, well = collector.named("model_provider_inference")
    (write,) = collector.named("write_inference")
    chain = [server, function, variant, model, well]
    assert [each["parent_id"] for each in chain[1:]] == [each["span_id"] for each in chain[:-1]]
    assert {each["trace_id"] for each in collector.spans()} == {server["trace_id"]}
    assert server["parent_id"] == ""
    assert server["resource"] == {"service.name": "lsd"}
    assert server["attributes"]["http.response.status_code"] == 200
    assert server["attributes"]["http.route"] == server["attributes"]["url.path"] == "/inference"
    assert function["attributes"] == {
        "function_name": "say",
        "inference_id": answer["inference_id"],
        "episode_id": answer["episode_id"],
        "tags.customer": "7",
    }
    assert variant["attributes"]["variant_name"] == "plain"
    assert model["attributes"] == {"model_name": "m", "stream": False}
    assert write["parent_id"] == function["span_id"]
    assert "503" in str(ill["error"])
    assert well["error"] is None
    attributes = well["attributes"]
    assert (attributes["provider_name"], attributes["gen_ai.request.model"]) == ("well", "e-2")
    assert (attributes["gen_ai.system"], attributes["gen_ai.operation.name"]) == ("echo", "chat")
    assert attributes["gen_ai.agent.name"] == "say"
    assert attributes["gen_ai.usage.total_tokens"] == 2
    assert attributes["lsd.cost_usd"] == 0.5
    assert all(each["start_ns"] <= each["end_ns"] for each in collector.spans())
    assert server["start_ns"] <= function["start_ns"] <= well["start_ns"]


def test_what_was_said_is_shown_where_it_is_wanted(
    gateway: Gateway, collector: FakeCollector
) -> None:
    """As JSON texts."""
    ask(gateway)
    wait_for(lambda: collector.named("POST /inference"))

    attributes = collector.named("model_provider_inference")[-1]["attributes"]
    assert orjson.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]}
    ]
    (output,) = orjson.loads(attributes["gen_ai.output.messages"])
    assert output["parts"] == [{"type": "text", "content": "hi"}]


def test_a_trace_of_the_caller_goes_on(gateway: Gateway, collector: FakeCollector) -> None:
    """Case 67: with its id and its state; a caller that wants no trace gets none."""
    ask(gateway, traceparent=TRACEPARENT, tracestate="vendor=1")
    ask(gateway, traceparent=TRACEPARENT[:-2] + "00")
    wait_for(lambda: collector.named("POST /inference"))

    (server,) = collector.named("POST /inference")
    assert (server["trace_id"], server["parent_id"]) == (PARENT, "b7ad6b7169203331")
    assert server["state"] == "vendor=1"


def test_a_stream_and_feedback_leave_spans(gateway: Gateway, collector: FakeCollector) -> None:
    """The time to the first chunk, and what the feedback is about."""
    events = gateway.stream(function_name="say", **saying("a b c"))
    target = events[-1]["inference_id"]
    gateway.feedback(metric_name="solved", value=True, inference_id=target, tags={"who": "me"})
    wait_for(lambda: collector.named("feedback"))

    call = collector.named("model_provider_inference")[-1]
    (feedback,) = collector.named("feedback")
    assert call["attributes"]["stream"] is True
    assert call["attributes"]["time_to_first_token"] > 0
    assert feedback["attributes"]["metric_name"] == "solved"
    assert feedback["attributes"]["inference_id"] == target
    assert feedback["attributes"]["tags.who"] == "me"


def test_rate_limits_are_steps_of_a_call(gateway: Gateway, collector: FakeCollector) -> None:
    """Each attempt reserves; the one that has answered is settled."""
    gateway.infer(function_name="say", **SAYING_HI, tags={"limited": "yes"})
    wait_for(lambda: collector.named("POST /inference"))

    ill, well = collector.named("model_provider_inference")
    reserved = collector.named("rate_limiting_reserve")
    (settled,) = collector.named("rate_limiting_settle")
    assert [each["parent_id"] for each in reserved] == [ill["span_id"], well["span_id"]]
    assert settled["parent_id"] == well["span_id"]
    assert reserved[0]["attributes"] == {
        "estimated_usage.model_inferences": 1,
        "estimated_usage.cost": 1.0,
        "scope_info.tags.limited": "yes",
    }
    assert settled["attributes"] == {
        "actual_usage.model_inferences": 1,
        "actual_usage.tokens": 2,
        "actual_usage.cost": 0.5,
        "underestimate": False,
    }


def test_embeddings_leave_spans(gateway: Gateway, collector: FakeCollector) -> None:
    """Of their model, of its provider, and of what is recorded."""
    response = gateway.post("/openai/v1/embeddings", {"model": "e", "input": "a"})
    assert response.status_code == 200, response.text
    wait_for(lambda: collector.named("POST /openai/v1/embeddings"))

    (server,) = collector.named("POST /openai/v1/embeddings")
    (model,) = collector.named("model_inference")
    (call,) = collector.named("model_provider_inference")
    (write,) = collector.named("write_inference")
    assert model["parent_id"] == server["span_id"]
    assert call["parent_id"] == write["parent_id"] == model["span_id"]
    assert call["attributes"]["gen_ai.operation.name"] == "embeddings"
    assert call["attributes"]["gen_ai.request.model"] == "e-3"


def test_items_of_a_batch_have_traces_of_their_own(
    gateway: Gateway, collector: FakeCollector
) -> None:
    """They are run when nobody waits for them."""
    body = {"function_name": "say", "inputs": [SAYING_HI["input"]] * 2}
    answer = gateway.post("/batch_inference", body).json()
    wait_for(lambda: len(collector.named("function_inference")) == 2)

    items = collector.named("function_inference")
    assert {each["attributes"]["inference_id"] for each in items} == set(answer["inference_ids"])
    assert [each["parent_id"] for each in items] == ["", ""]
    (submission,) = collector.named("POST /batch_inference")
    assert len({each["trace_id"] for each in (*items, submission)}) == 3


def test_errors_are_told(gateway: Gateway, collector: FakeCollector) -> None:
    """On the span of the request, in the words of the answer."""
    response = gateway.post("/inference", {"function_name": "absent", **SAYING_HI})
    wait_for(lambda: collector.named("POST /inference"))

    (server,) = collector.named("POST /inference")
    assert server["error"] == response.json()["error"]
    assert server["attributes"]["http.response.status_code"] == 404


def test_callers_may_add_to_their_traces(gateway: Gateway, collector: FakeCollector) -> None:
    """Headers beat those of the configuration."""
    ask(
        gateway,
        lsd_otlp_traces_extra_header_x_place="caller",
        lsd_otlp_traces_extra_resource_region="eu",
        lsd_otlp_traces_extra_attribute_flag="true",
        lsd_otlp_traces_extra_attribute_name='"n"',
    )
    wait_for(lambda: collector.named("POST /inference"))

    (export,) = collector.exports
    assert (export.headers["x-team"], export.headers["x-place"]) == ("search", "caller")
    assert export.path == "/v1/traces"
    assert all(span["resource"]["region"] == "eu" for span in export.spans())
    assert all(span["attributes"]["flag"] is True for span in export.spans())
    assert all(span["attributes"]["name"] == "n" for span in export.spans())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attribute-n", "1"),
        ("attribute-n", "null"),
        ("attribute-n", "bare"),
        ("attribute-", '"x"'),
        ("nonsense-n", "x"),
        ("header-content-length", "3"),
    ],
)
def test_headers_that_mean_nothing_are_refused(gateway: Gateway, name: str, value: str) -> None:
    """Case 67: on every route."""
    headers = {f"lsd-otlp-traces-extra-{name}": value}

    for path in ("/status", "/internal/config"):
        response = gateway.client.get(path, headers=headers)
        assert response.status_code == 400
        assert f"lsd-otlp-traces-extra-{name}" in response.json()["error"]


def test_what_is_not_about_inferences_is_not_traced(
    gateway: Gateway, collector: FakeCollector
) -> None:
    """Looks at the daemon's health would drown the rest."""
    gateway.client.get("/health")
    ask(gateway)
    wait_for(lambda: collector.named("POST /inference"))

    assert {each["name"] for each in collector.spans() if not each["parent_id"]} == {
        "POST /inference"
    }


def test_json_and_another_format(collector: FakeCollector, start_gateway: StartGateway) -> None:
    """As the environment and the configuration say; a stop sends what waits."""
    more = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        "OTEL_SERVICE_NAME": "llm",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=edge",
    }
    gateway = start_gateway(
        CONFIG.replace("MORE", 'format = "openinference"'),
        environment=environment(collector, **more),
    )
    ask(gateway)
    gateway.stop()

    (export,) = collector.exports
    call = collector.named("model_provider_inference")[-1]
    (function,) = collector.named("function_inference")
    assert export.headers["content-type"] == "application/json"
    assert function["attributes"]["openinference.span.kind"] == "CHAIN"
    assert call["resource"] == {
        "service.name": "llm",
        "deployment.environment.name": "edge",
    }
    assert call["attributes"]["openinference.span.kind"] == "LLM"
    assert call["attributes"]["llm.model_name"] == "e-2"
    assert call["attributes"]["llm.token_count.total"] == 2
    assert call["attributes"]["lsd.cost_usd"] == 0.5
    assert "hi" in call["attributes"]["input.value"]
    assert not any(name.startswith("gen_ai.") for name in call["attributes"])


def test_a_collector_that_is_down_disturbs_nobody(start_gateway: StartGateway) -> None:
    """Case 67: requests are answered, the log tells once, and a stop does not wait for long."""
    nowhere = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}
    gateway = start_gateway(CONFIG.replace("MORE", ""), environment=nowhere)
    for _ in range(3):
        ask(gateway)
    wait_for(lambda: gateway.log_records("traces not exported"))

    assert gateway.stop() == 0
    assert len(gateway.log_records("traces not exported")) == 1
