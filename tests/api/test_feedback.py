"""`POST /feedback`, asked of a real daemon."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.asking import SAYING_HI
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

CONFIG = """
[models.demo]
routing = ["echo"]
providers.echo = { type = "echo" }

[functions.talk]
type = "chat"
variants.v.model = "demo"

[metrics.good]
type = "boolean"
optimize = "max"
level = "inference"

[metrics.rating]
type = "float"
optimize = "max"
level = "episode"
"""

NOWHERE = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """A daemon with a metric of each type and level."""
    return start_shared(CONFIG)


@pytest.fixture(scope="module")
def talk(gateway: Gateway) -> dict[str, Any]:
    """An inference to speak of."""
    return gateway.infer(function_name="talk", **SAYING_HI)


def told(gateway: Gateway, status: int, body: Any) -> str:
    """What is wrong with a request that must get this status."""
    response = gateway.post("/feedback", body)
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    error: str = response.json()["error"]
    return error


@pytest.mark.parametrize(
    ("metric", "value", "level"),
    [
        ("good", True, "inference_id"),
        ("rating", 3, "episode_id"),
        ("comment", "", "inference_id"),
        ("comment", "well done", "episode_id"),
        ("demonstration", "hello", "inference_id"),
    ],
)
def test_all_kinds_of_value_are_taken(
    gateway: Gateway, talk: dict[str, Any], metric: str, value: Any, level: str
) -> None:
    """Booleans, numbers, comments on both levels, and demonstrations are stored and read back."""
    given = gateway.feedback(metric_name=metric, value=value, **{level: talk[level]})

    listed = gateway.client.get(f"/internal/feedback/{talk[level]}").json()["feedback"]
    assert given["feedback_id"] in [entry["id"] for entry in listed]


@pytest.mark.parametrize(
    ("status", "body", "texts"),
    [
        (
            400,
            {"metric_name": "good", "value": True, "inference_id": NOWHERE},
            ["Inference", NOWHERE],
        ),
        (400, {"metric_name": "rating", "value": 1, "episode_id": NOWHERE}, ["Episode", NOWHERE]),
        (404, {"metric_name": "absent", "value": True, "inference_id": NOWHERE}, ["absent"]),
        (
            400,
            {
                "metric_name": "absent",
                "value": True,
                "inference_id": NOWHERE,
                "episode_id": NOWHERE,
            },
            ["both"],
        ),
        (400, {"metric_name": "good", "value": True}, ["inference"]),
        (400, {"metric_name": "rating", "value": 1}, ["episode"]),
        (400, {"metric_name": "comment", "value": "x"}, ["exactly one"]),
        (400, {"metric_name": "demonstration", "value": "x"}, ["inference"]),
        (404, {"metric_name": "absent", "value": True}, ["absent"]),
        (400, {"metric_name": "good", "value": True, "inference_id": "x"}, ["inference_id"]),
        (400, {"metric_name": "good", "inference_id": NOWHERE}, ["value"]),
        (400, {"metric_name": "good", "value": True, "extra": 1}, ["extra"]),
        (400, {"metric_name": "good", "value": True, "tags": {"n": 1}}, ["tags.n"]),
        (400, {"metric_name": "good", "value": True, "tags": {"lsd::x": "1"}}, ["lsd::x"]),
    ],
)
def test_a_request_that_cannot_be_stored_says_why(
    gateway: Gateway, status: int, body: dict[str, Any], texts: list[str]
) -> None:
    """The status, and a text that names the place and what would be right."""
    error = told(gateway, status, body)

    assert all(text in error for text in texts), error


@pytest.mark.parametrize("value", [1, "true", None, {}, []])
def test_a_value_of_another_type_is_refused(
    gateway: Gateway, talk: dict[str, Any], value: Any
) -> None:
    """The metric and its type are named."""
    body = {"metric_name": "good", "value": value, "inference_id": talk["inference_id"]}

    error = told(gateway, 400, body)

    assert "good" in error
    assert "true or false" in error or "boolean" in error


def test_feedback_sent_with_the_answer_never_comes_too_early(gateway: Gateway) -> None:
    """However many ask and answer at once, every inference is known when its answer is there."""

    def ask_and_rate(_: int) -> str:
        inference_id = gateway.infer(function_name="talk", **SAYING_HI)["inference_id"]
        given = gateway.feedback(metric_name="good", value=True, inference_id=inference_id)
        return str(given["feedback_id"])

    with ThreadPoolExecutor(16) as callers:
        given = list(callers.map(ask_and_rate, range(400)))

    assert len(set(given)) == 400


def test_a_dry_run_stores_nothing(gateway: Gateway) -> None:
    """Its id names nothing."""
    answer = gateway.infer(function_name="talk", **SAYING_HI)

    gateway.feedback(
        metric_name="good", value=True, inference_id=answer["inference_id"], dryrun=True
    )

    listed = gateway.client.get(f"/internal/feedback/{answer['inference_id']}")
    assert listed.json() == {"feedback": []}
