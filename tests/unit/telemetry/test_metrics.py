"""`/metrics`: names, labels and values that a Prometheus server reads."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lsd.telemetry import CONTENT_TYPE, Metrics, StoreReadings
from lsd.telemetry.metrics import OTHER_NAMES, REQUESTED_NAME_LENGTH_MAX, REQUESTED_NAMES_MAX

BUCKETS = (0.001, 0.01, 0.1)
READINGS = StoreReadings(
    rows_waiting=3, rows_dropped=2, write_errors=1, bytes_by_environment={"data": 4096, "state": 64}
)

Series = dict[str, list[tuple[dict[str, str], float]]]


def scraped(metrics: Metrics) -> Series:
    """The samples by name."""
    found: Series = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def names_and_kinds(metrics: Metrics) -> list[str]:
    """The `# TYPE` lines, sorted."""
    lines = metrics.text().decode().splitlines()
    return sorted(line.removeprefix("# TYPE ") for line in lines if line.startswith("# TYPE "))


def values_of(found: Series, name: str, label: str) -> Iterable[str | None]:
    """What a label says in each series of a name."""
    return [labels.get(label) for labels, _ in found[name]]


def test_all_metrics_have_the_names_that_are_documented() -> None:
    """Dashboards rely on names and kinds; nothing else, such as creation times, is shown."""
    metrics = Metrics(BUCKETS)
    metrics.watch_store(lambda: READINGS)

    assert names_and_kinds(metrics) == [
        "lsd_config_reloads_total counter",
        "lsd_cost_dollars_total counter",
        "lsd_inference_latency_overhead_seconds histogram",
        "lsd_inferences_total counter",
        "lsd_input_tokens_total counter",
        "lsd_output_tokens_total counter",
        "lsd_rate_limited_total counter",
        "lsd_requests_total counter",
        "lsd_store_bytes gauge",
        "lsd_store_commit_seconds histogram",
        "lsd_store_write_errors_total counter",
        "lsd_workers gauge",
        "lsd_write_queue_dropped_total counter",
        "lsd_write_queue_rows gauge",
    ]
    assert "_created" not in metrics.text().decode()
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_every_metric_is_explained() -> None:
    """There is a `# HELP` line for each `# TYPE` line."""
    metrics = Metrics(BUCKETS)
    metrics.watch_store(lambda: READINGS)

    lines = metrics.text().decode().splitlines()

    explained = [line.split()[2] for line in lines if line.startswith("# HELP ")]
    assert explained == [line.split()[2] for line in lines if line.startswith("# TYPE ")]


def test_an_inference_is_a_request_with_its_function() -> None:
    """The model is told only for requests that named one."""
    metrics = Metrics(BUCKETS)

    metrics.count_inference("triage", None)
    metrics.count_inference("triage", None)
    metrics.count_inference("lsd::default", "openai::gpt-4.1")

    expected = [
        ({"endpoint": "inference", "function_name": "triage"}, 2.0),
        (
            {
                "endpoint": "inference",
                "function_name": "lsd::default",
                "model_name": "openai::gpt-4.1",
            },
            1.0,
        ),
    ]
    found = scraped(metrics)
    assert found["lsd_requests_total"] == expected
    assert found["lsd_inferences_total"] == expected


def test_each_input_of_embeddings_is_an_inference() -> None:
    """The request is one, whatever it holds."""
    metrics = Metrics(BUCKETS)

    metrics.count_embeddings("emb", 3)
    metrics.count_embeddings("emb", 1)

    labels = {"endpoint": "embeddings", "model_name": "emb"}
    found = scraped(metrics)
    assert found["lsd_requests_total"] == [(labels, 2.0)]
    assert found["lsd_inferences_total"] == [(labels, 4.0)]


def test_feedback_is_a_request_with_its_metric_and_no_inference() -> None:
    """A feedback request is told apart by the metric that it is about."""
    metrics = Metrics(BUCKETS)

    metrics.count_feedback("solved")

    found = scraped(metrics)
    assert found["lsd_requests_total"] == [({"endpoint": "feedback", "metric_name": "solved"}, 1.0)]
    assert "lsd_inferences_total" not in found


def test_refused_calls_are_counted_by_resource() -> None:
    """As often as a limit of it has refused one."""
    metrics = Metrics(())
    for resource in ("token", "cost", "token"):
        metrics.count_rate_limited(resource)

    text = metrics.text().decode()

    assert 'lsd_rate_limited_total{resource="token"} 2.0' in text
    assert 'lsd_rate_limited_total{resource="cost"} 1.0' in text


def test_tokens_and_cost_are_sums_over_calls() -> None:
    """What a provider did not report adds nothing, and the tiniest cost is not lost."""
    metrics = Metrics(BUCKETS)
    before = scraped(metrics)

    metrics.count_call(10, 3, Decimal("0.000000001"))
    metrics.count_call(None, None, None)
    metrics.count_call(5, 0, Decimal(0))

    found = scraped(metrics)
    names = ["lsd_input_tokens_total", "lsd_output_tokens_total", "lsd_cost_dollars_total"]
    assert [before[name] for name in names] == [[({}, 0.0)]] * 3
    assert [found[name] for name in names] == [[({}, 15.0)], [({}, 3.0)], [({}, 1e-09)]]


def test_overhead_is_told_by_function_and_variant() -> None:
    """The variant is left out when several were tried."""
    metrics = Metrics(BUCKETS)

    metrics.observe_overhead("triage", "plain", 0.002)
    metrics.observe_overhead("triage", None, 0.2)

    found = scraped(metrics)
    name = "lsd_inference_latency_overhead_seconds"
    assert found[f"{name}_sum"] == [
        ({"function_name": "triage", "variant_name": "plain"}, 0.002),
        ({"function_name": "triage"}, 0.2),
    ]
    of_plain = [
        (labels["le"], count)
        for labels, count in found[f"{name}_bucket"]
        if labels.get("variant_name") == "plain"
    ]
    assert of_plain == [("0.001", 0.0), ("0.01", 1.0), ("0.1", 1.0), ("+Inf", 1.0)]


def test_without_buckets_there_is_no_overhead() -> None:
    """An empty list of buckets turns the histogram off; observing stays harmless."""
    metrics = Metrics([])

    metrics.observe_overhead("triage", "plain", 0.002)

    assert "overhead" not in metrics.text().decode()


def test_commits_are_timed_from_the_start() -> None:
    """The histogram of commits is there before the first of them."""
    metrics = Metrics(BUCKETS)
    before = scraped(metrics)["lsd_store_commit_seconds_count"]

    metrics.observe_commit(0.0007)

    found = scraped(metrics)
    assert before == [({}, 0.0)]
    assert found["lsd_store_commit_seconds_count"] == [({}, 1.0)]
    assert found["lsd_store_commit_seconds_sum"] == [({}, 0.0007)]


def test_the_store_is_asked_at_each_scrape() -> None:
    """The store's figures are those of the moment, and absent where there is no store."""
    metrics = Metrics(BUCKETS)
    without = scraped(metrics)
    waiting = iter([3, 5])
    metrics.watch_store(
        lambda: StoreReadings(
            rows_waiting=next(waiting),
            rows_dropped=2,
            write_errors=1,
            bytes_by_environment={"data": 4096, "state": 64},
        )
    )

    first, second = scraped(metrics), scraped(metrics)

    assert "lsd_write_queue_rows" not in without
    assert first["lsd_write_queue_rows"] == [({}, 3.0)]
    assert second["lsd_write_queue_rows"] == [({}, 5.0)]
    assert second["lsd_write_queue_dropped_total"] == [({}, 2.0)]
    assert second["lsd_store_write_errors_total"] == [({}, 1.0)]
    assert second["lsd_store_bytes"] == [
        ({"environment": "data"}, 4096.0),
        ({"environment": "state"}, 64.0),
    ]


def test_there_is_one_worker() -> None:
    """One process serves."""
    assert scraped(Metrics(BUCKETS))["lsd_workers"] == [({}, 1.0)]


@pytest.mark.parametrize("count", ["models", "variants"])
def test_callers_cannot_fill_the_memory_with_names(count: str) -> None:
    """Beyond a bound all names that requests make up share one series."""
    metrics = Metrics(BUCKETS)

    for number in range(REQUESTED_NAMES_MAX + 3):
        if count == "models":
            metrics.count_inference("lsd::default", f"openai::{number}")
        else:
            metrics.observe_overhead("lsd::default", f"openai::{number}", 0.1)

    found = scraped(metrics)
    name, label = {
        "models": ("lsd_requests_total", "model_name"),
        "variants": ("lsd_inference_latency_overhead_seconds_count", "variant_name"),
    }[count]
    assert len(found[name]) == REQUESTED_NAMES_MAX + 1
    assert [value for labels, value in found[name] if labels[label] == OTHER_NAMES] == [3.0]


def test_an_endless_name_is_not_shown() -> None:
    """A name longer than any in a configuration would be in every scrape from then on."""
    metrics = Metrics(BUCKETS)

    metrics.count_inference("lsd::default", "openai::" + "x" * REQUESTED_NAME_LENGTH_MAX)

    assert values_of(scraped(metrics), "lsd_requests_total", "model_name") == [OTHER_NAMES]


def test_the_sums_of_all_processes_are_shown() -> None:
    """Each process counts for itself; the size of the store is one for all."""
    own, other = Metrics(BUCKETS), Metrics(BUCKETS)
    for metrics in (own, other):
        metrics.watch_store(lambda: READINGS)
        metrics.count_inference("f", None)
        metrics.observe_overhead("f", "v", 0.005)
    own.watch_workers(lambda: 2, lambda: [other.snapshot()])

    found = scraped(own)

    assert found["lsd_requests_total"][0][1] == 2
    assert found["lsd_inference_latency_overhead_seconds_count"][0][1] == 2
    assert found["lsd_workers"] == [({}, 2.0)]
    assert found["lsd_write_queue_rows"] == [({}, 6.0)]
    assert found["lsd_write_queue_dropped_total"] == [({}, 4.0)]
    assert found["lsd_store_bytes"] == [
        ({"environment": "data"}, 4096),
        ({"environment": "state"}, 64),
    ]


def test_a_process_goes_on_where_another_has_ended() -> None:
    """Its own snapshot then holds the counts of both."""
    dead, successor = Metrics(BUCKETS), Metrics(BUCKETS)
    dead.count_inference("f", None)
    successor.take_in(dead.snapshot())
    successor.count_inference("f", None)

    assert scraped(successor)["lsd_inferences_total"][0][1] == 2
    assert successor.snapshot().series["lsd_inferences"][0][1] == 2
