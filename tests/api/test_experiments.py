"""Experiments against a running gateway: draws, namespaces, and weights that follow feedback."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.asking import SAYING_HI, refusal, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

ECHO = """
    [models.m]
    routing = ["echo"]
    providers.echo = { type = "echo" }
    [models.ill]
    routing = ["echo"]
    providers.echo = { type = "echo", statuses = [503] }

    [metrics.good]
    type = "boolean"
    optimize = "max"
    level = "inference"
    [metrics.rated]
    type = "float"
    optimize = "max"
    level = "episode"
"""

STATIC = (
    ECHO
    + """
    [functions.halves]
    type = "chat"
    variants = { a.model = "m", b.model = "m" }
    [functions.halves.experimentation]
    type = "static"
    candidate_variants = ["a", "b"]
    [functions.halves.experimentation.namespaces.lab]
    type = "static"
    candidate_variants = ["b"]
"""
)


def adaptive(*candidates: str, more: str = "", metric: str = "good", period_s: int = 1) -> str:
    """A function `tried` with an adaptive experiment among these candidates."""
    variants = ", ".join(f'{name}.model = "m"' for name in candidates)
    listed = ", ".join(f'"{name}"' for name in candidates)
    return (
        ECHO
        + f"""
    [functions.tried]
    type = "chat"
    variants = {{ {variants}, spare.model = "m" }}
    [functions.tried.experimentation]
    type = "adaptive"
    metric = "{metric}"
    candidate_variants = [{listed}]
    fallback_variants = ["spare"]
    update_period_s = {period_s}
    {more}
"""
    )


@pytest.fixture(scope="module")
def static(start_shared: StartGateway) -> Gateway:
    """A gateway with a function of two equal variants."""
    return start_shared(STATIC)


def infer(gateway: Gateway, function: str = "tried", **fields: Any) -> dict[str, Any]:
    """The answer of a function."""
    return gateway.infer(function_name=function, **SAYING_HI, **fields)


def drawn(gateway: Gateway, count: int, function: str = "tried") -> Counter[str]:
    """How often each variant is drawn by so many new episodes."""
    return Counter(infer(gateway, function)["variant_name"] for _ in range(count))


def sampling(gateway: Gateway, **query: str) -> Any:
    """How likely each variant is, and how the experiment stands."""
    path = "/internal/functions/tried/variant_sampling_probabilities"
    response = gateway.client.get(path, params=query)
    assert response.status_code == 200
    return response.json()


def feed(gateway: Gateway, counts: Iterable[tuple[str, int, int]], **fields: Any) -> None:
    """Feedback on new inferences of each variant: so many good ones among so many."""
    for variant, good, count in counts:
        for place in range(count):
            answer = infer(gateway, variant_name=variant, **fields)
            gateway.feedback(
                metric_name="good",
                inference_id=answer["inference_id"],
                value=place < good,
            )


def wait_for_counts(gateway: Gateway, **counts: int) -> Any:
    """How things stand once an update has seen so many values."""

    def look() -> Any:
        shown = sampling(gateway)
        found = {arm["variant"]: arm["count"] for arm in shown["experiment"]["arms"]}
        return shown if {name: found[name] for name in counts} == counts else None

    return wait_for(look)


def test_case_2_an_episode_draws_one_variant(static: Gateway) -> None:
    """However often it is asked."""
    episode_id = infer(static, "halves")["episode_id"]

    names = {infer(static, "halves", episode_id=episode_id)["variant_name"] for _ in range(20)}

    assert len(names) == 1


def test_case_3_two_thousand_episodes_split_in_halves(static: Gateway) -> None:
    """Each within 50 ± 5 of a hundred."""
    with ThreadPoolExecutor(8) as pool:
        names = Counter(pool.map(lambda _: infer(static, "halves")["variant_name"], range(2_000)))

    assert all(900 <= names[name] <= 1_100 for name in "ab")


def test_case_5_namespaces_choose_the_experiment(static: Gateway) -> None:
    """An unknown one is as good as none; "" and reserved ones are refused."""
    lab = {infer(static, "halves", namespace="lab")["variant_name"] for _ in range(8)}
    elsewhere = {infer(static, "halves", namespace="other")["variant_name"] for _ in range(30)}

    assert lab == {"b"}
    assert elsewhere == {"a", "b"}
    for name in ("", "lsd::x"):
        body = {"function_name": "halves", "namespace": name, **SAYING_HI}
        assert "namespace" in refusal(static, 400, body)


def test_case_7_the_nursery_is_exact_across_a_restart(start_gateway: StartGateway) -> None:
    """Thirty new episodes, ten for each; requests in old episodes shift nothing."""
    gateway = start_gateway(adaptive("a", "b", "c"))
    first = [infer(gateway) for _ in range(17)]
    for answer in first:
        again = infer(gateway, episode_id=answer["episode_id"])
        assert again["variant_name"] == answer["variant_name"]
    gateway.stop()
    gateway.start()

    later = drawn(gateway, 13)

    names = Counter(answer["variant_name"] for answer in first)
    assert names + later == {"a": 10, "b": 10, "c": 10}


def test_cases_8_to_10_feedback_decides(start_gateway: StartGateway) -> None:
    """Phases and probabilities as worked out by hand; a winner; a restart; a newcomer."""
    gateway = start_gateway(adaptive("a", "b"))
    assert sampling(gateway)["probabilities"] == {"a": 0.5, "b": 0.5, "spare": 0.0}
    assert sampling(gateway)["experiment"]["phase"] == "nursery_only"
    old = [infer(gateway) for _ in range(4)]

    feed(gateway, [("a", 24, 30), ("b", 12, 30)])
    shown = wait_for_counts(gateway, a=30, b=30)

    assert shown["probabilities"] == {"a": 1.0, "b": 0.0, "spare": 0.0}
    assert (shown["experiment"]["phase"], shown["experiment"]["winner"]) == ("stopped", "a")
    first, _ = shown["experiment"]["arms"]
    assert (first["variant"], first["mean"]) == ("a", 0.8)
    assert first["variance"] == pytest.approx(0.165517, abs=1e-6)
    assert drawn(gateway, 100) == {"a": 100}
    for answer in old:
        again = infer(gateway, episode_id=answer["episode_id"])
        assert again["variant_name"] == answer["variant_name"]
    assert {answer["variant_name"] for answer in old} == {"a", "b"}

    gateway.stop()
    gateway.start()
    assert infer(gateway)["variant_name"] == "a"

    feed(gateway, [("a", 2, 10), ("b", 4, 10)])
    shown = wait_for_counts(gateway, a=40, b=40)
    assert shown["experiment"]["phase"] == "bandits_only"
    assert {name: round(share, 4) for name, share in shown["probabilities"].items()} == {
        "a": 0.4933,
        "b": 0.5067,
        "spare": 0.0,
    }

    feed(gateway, [("a", 60, 60)])
    wait_for_counts(gateway, a=100)
    gateway.stop()
    gateway.configure(adaptive("a", "b", "c"))
    gateway.start()
    assert sampling(gateway)["probabilities"] == {"a": 0.5, "b": 0.0, "c": 0.5, "spare": 0.0}
    assert drawn(gateway, 30).keys() == {"a", "c"}
    winners = gateway.log_records("experiment has a winner")
    assert [each["winner"] for each in winners] == ["a", "a", "a"]


def test_case_11_what_counts(start_gateway: StartGateway) -> None:
    """Episodes with two variants do not; corrected feedback counts once, with its newest value."""
    gateway = start_gateway(adaptive("a", "b", metric="rated"))
    mixed = infer(gateway, variant_name="a")["episode_id"]
    infer(gateway, variant_name="b", episode_id=mixed)
    corrected = infer(gateway, variant_name="a")["episode_id"]
    plain = infer(gateway, variant_name="a")["episode_id"]
    for episode_id, value in ((mixed, 9), (corrected, 9), (plain, 3), (corrected, 1)):
        gateway.feedback(metric_name="rated", episode_id=episode_id, value=value)

    shown = wait_for_counts(gateway, a=2, b=0)

    first, second = shown["experiment"]["arms"]
    assert (first["mean"], first["variance"]) == (2.0, 2.0)
    assert (second["mean"], second["variance"]) == (None, None)


def test_namespaces_have_experiments_of_their_own(start_gateway: StartGateway) -> None:
    """They count only what carries their tag; the base one counts everything."""
    lab = """
    [functions.tried.experimentation.namespaces.lab]
    type = "adaptive"
    metric = "good"
    candidate_variants = ["b", "a"]
    update_period_s = 1
    """
    gateway = start_gateway(adaptive("a", "b", more=lab))
    feed(gateway, [("a", 1, 2)])
    feed(gateway, [("a", 1, 1), ("b", 1, 1)], namespace="lab")

    wait_for_counts(gateway, a=3, b=1)
    shown = sampling(gateway, namespace="lab")

    assert {arm["variant"]: arm["count"] for arm in shown["experiment"]["arms"]} == {"a": 1, "b": 1}
    assert infer(gateway, namespace="lab")["variant_name"] == "b"
    assert infer(gateway)["variant_name"] == "a"


def test_case_4_failing_candidates_give_way_to_fallbacks(start_gateway: StartGateway) -> None:
    """The response names the one that worked; the episode keeps its candidate."""
    gateway = start_gateway(
        adaptive("a", "b")
        .replace('a.model = "m"', 'a.model = "ill"')
        .replace('b.model = "m"', 'b.model = "ill"')
    )

    answer = infer(gateway)

    assert answer["variant_name"] == "spare"
    calls = gateway.calls(answer["inference_id"])
    assert [call["status"] for call in calls] == ["error", "error", "ok"]


def test_cases_12_and_13_first_requests_at_the_same_time_and_dry_runs(
    start_gateway: StartGateway,
) -> None:
    """Fifty of one episode have one variant; a dry run leaves no assignment."""
    gateway = start_gateway(adaptive("a", "b", "c"))
    episode_id = infer(gateway, variant_name="spare")["episode_id"]
    dry = infer(gateway, dryrun=True)

    with ThreadPoolExecutor(50) as pool:
        names = set(
            pool.map(lambda _: infer(gateway, episode_id=episode_id)["variant_name"], range(50))
        )

    assert names == {"a"}
    assert dry["variant_name"] == "a"
    assert infer(gateway, episode_id=dry["episode_id"])["variant_name"] == "b"
