"""What feedback says of variants, over HTTP."""

from typing import Any

import pytest

from lsd.api import MetricStatistics, Reading
from lsd.api.metric_statistics import confidence_margin
from lsd.store import Moments, Store
from lsd.store.moments import ExactSum
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import Maker, given, stored

HAIKU = "/internal/functions/write_haiku"
SERIES = "/internal/feedback/timeseries?function_name=write_haiku&metric_name=cost"


@pytest.fixture
def app(reading: Reading) -> Any:
    """The application with the routes of statistics of metrics."""
    return quart_of(*MetricStatistics(reading).endpoints())


def cost(store: Store, make: Maker, target: str, value: float) -> None:
    """A value of the metric of inferences."""
    given(store, make.feedback(target, kind="float", metric_name="cost", value=value))


def resolved(store: Store, make: Maker, episode: str, *, value: bool) -> None:
    """A value of the metric of episodes."""
    given(store, make.feedback(episode, target_type="episode", value=value))


async def test_entries_are_counted_by_metric(app: Any, store: Store, make: Maker) -> None:
    """1.10, 18 and 19: every entry; no comments; what is no longer configured has no type."""
    record = stored(store, make.inference())
    other = stored(store, make.inference(variant_name="warm"))
    for value in (1.0, 2.0):
        cost(store, make, record.inference_id, value)
    cost(store, make, other.inference_id, 1.0)
    given(store, make.feedback(record.inference_id, metric_name="old"))
    for kind in ("comment", "demonstration"):
        given(store, make.feedback(record.inference_id, kind=kind, metric_name=kind, value="[]"))

    def shown(metric: str, count: int, **more: str) -> dict[str, Any]:
        fields = {"function_name": "write_haiku", "metric_name": metric, "feedback_count": count}
        return fields | more

    assert (await get(app, f"{HAIKU}/metrics"))["metrics"] == [
        shown("cost", 3, metric_type="float"),
        shown("demonstration", 1, metric_type="demonstration"),
        shown("old", 1),
    ]
    of_warm = await get(app, f"{HAIKU}/metrics?variant_name=warm")
    assert of_warm["metrics"] == [shown("cost", 1, metric_type="float")]
    assert await get(app, f"{HAIKU}/metrics?variant_name=ghost") == {"metrics": []}
    assert (await ask(app, "GET", "/internal/functions/ghost/metrics")).status == 404


async def by_variant(app: Any, query: str) -> dict[str, Any]:
    """What is shown of each variant."""
    found = await get(app, f"{HAIKU}/feedback_by_variant?{query}")
    return {each.pop("variant_name"): each for each in found["data"]}


async def test_the_latest_values_are_averaged(app: Any, store: Store, make: Maker) -> None:
    """4.13, 16 and 17: two entries for one target count once, with the later value."""
    first, second, third = (stored(store, make.inference()).inference_id for _ in range(3))
    tagged = make.inference(variant_name="warm", tags={"lsd::namespace": "blue"})
    warm = stored(store, tagged).inference_id
    for target, value in ((first, 9.0), (first, 1.0), (second, 2.0), (third, 4.5), (warm, 3.0)):
        cost(store, make, target, value)

    terse = {"mean": 2.5, "variance": 3.25, "count": 3}
    alone = {"mean": 3.0, "variance": None, "count": 1}
    assert await by_variant(app, "metric_name=cost") == {"terse": terse, "warm": alone}
    assert await by_variant(app, "metric_name=cost&variant_names=warm") == {"warm": alone}
    assert await by_variant(app, "metric_name=cost&variant_names=") == {}
    assert await by_variant(app, "metric_name=cost&namespace=blue") == {"warm": alone}
    assert await by_variant(app, "metric_name=cost&namespace=ghost") == {}
    newest = await by_variant(app, "metric_name=cost&max_samples_per_variant=2")
    assert newest["terse"] == {"mean": 3.25, "variance": 3.125, "count": 2}
    assert await by_variant(app, "metric_name=cost&max_samples_per_variant=0") == {}


async def test_an_episode_speaks_for_the_only_variant_in_it(
    app: Any, store: Store, make: Maker
) -> None:
    """4.13, 14 and 15: when another one joins, it speaks for none of that function any more."""
    episode = make.id()
    stored(store, make.inference(episode_id=episode))
    stored(store, make.inference(episode_id=episode, function_name="other"))
    resolved(store, make, episode, value=True)
    alone = {"mean": 1.0, "variance": None, "count": 1}
    assert await by_variant(app, "metric_name=resolved") == {"terse": alone}

    stored(store, make.inference(episode_id=episode, variant_name="warm"))

    assert await by_variant(app, "metric_name=resolved") == {}
    assert (await get(app, f"{HAIKU}/metrics"))["metrics"] == []
    other = "/internal/functions/other/feedback_by_variant?metric_name=resolved"
    assert [each["count"] for each in (await get(app, other))["data"]] == [1]
    window = "metric_name=resolved&time_window=cumulative"
    shown = (await get(app, f"{HAIKU}/variant_performances?{window}"))["performances"]
    assert [(each["variant_name"], each["count"]) for each in shown] == [("terse", 1), ("warm", 1)]


async def test_performances_go_by_the_time_of_inferences(
    app: Any, store: Store, make: Maker
) -> None:
    """4.13, 16, 17 and 20: the latest value of each target, in the period of its inference."""
    make.clock.milliseconds += 21 * 3_600_000 + 19 * 60_000 + 59_999  # 23:59:59.999
    first, second = (stored(store, make.inference()).inference_id for _ in range(2))
    make.clock.milliseconds += 1
    for target, value in ((first, 9.0), (first, 1.0), (second, 0.0)):
        cost(store, make, target, value)
    late = stored(store, make.inference()).inference_id
    cost(store, make, late, 5.0)
    query = f"{HAIKU}/variant_performances?metric_name=cost&time_window=day"

    shown = (await get(app, query))["performances"]

    assert shown == [
        {
            "period_start": "2026-02-02T00:00:00.000Z",
            "variant_name": "terse",
            "count": 2,
            "avg_metric": 0.5,
            "stdev": pytest.approx(0.5**0.5),
            "ci_error": pytest.approx(1.96 * 0.5**0.5 / 2**0.5),
        },
        {
            "period_start": "2026-02-03T00:00:00.000Z",
            "variant_name": "terse",
            "count": 1,
            "avg_metric": 5.0,
        },
    ]
    assert (await get(app, f"{query}&variant_name=terse"))["performances"] == shown
    series = (await get(app, f"{SERIES}&time_window=day"))["timeseries"]
    assert [(each["period_end"], each["count"]) for each in series] == [
        ("2026-02-04T00:00:00.000Z", 4)
    ]


async def test_a_spread_beyond_all_numbers_is_not_shown(
    app: Any, store: Store, make: Maker
) -> None:
    """The variance of the greatest values is no number, so there is no deviation; the mean is."""
    for value in (1e308, -1e308):
        cost(store, make, stored(store, make.inference()).inference_id, value)

    query = f"{HAIKU}/variant_performances?metric_name=cost&time_window=cumulative"
    (shown,) = (await get(app, query))["performances"]

    assert shown == {
        "period_start": "1970-01-01T00:00:00.000Z",
        "variant_name": "terse",
        "count": 2,
        "avg_metric": 0.0,
    }


async def test_a_series_is_cumulative(app: Any, store: Store, make: Maker) -> None:
    """With what was before the window, and one point for whoever has nothing in it."""
    warm = stored(store, make.inference(variant_name="warm")).inference_id
    target = stored(store, make.inference()).inference_id
    cost(store, make, warm, 7.0)
    for value in (1.0, 2.0, 3.0):
        cost(store, make, target, value)
        make.clock.advance_s(86_400)

    async def points(query: str) -> list[tuple[str, str, float, int]]:
        shown = (await get(app, f"{SERIES}&time_window=day{query}"))["timeseries"]
        assert all(each["alpha"] == 0.05 for each in shown)
        return [
            (each["period_end"][:10], each["variant_name"], each["mean"], each["count"])
            for each in shown
        ]

    assert await points("") == [
        ("2026-02-03", "terse", 1.0, 1),
        ("2026-02-03", "warm", 7.0, 1),
        ("2026-02-04", "terse", 1.5, 2),
        ("2026-02-05", "terse", 2.0, 3),
    ]
    assert await points("&max_periods=0") == [
        ("2026-02-05", "terse", 2.0, 3),
        ("2026-02-05", "warm", 7.0, 1),
    ]
    assert await points("&max_periods=0&variant_names=warm") == [("2026-02-03", "warm", 7.0, 1)]
    assert await points("&variant_names=") == []


async def test_one_value_has_no_confidence(app: Any, store: Store, make: Maker) -> None:
    """4.13, 17: two have some."""
    target = stored(store, make.inference()).inference_id
    cost(store, make, target, 1.0)
    (alone,) = (await get(app, f"{SERIES}&time_window=hour"))["timeseries"]
    cost(store, make, target, 2.0)
    (both,) = (await get(app, f"{SERIES}&time_window=hour"))["timeseries"]

    assert (alone["variance"], alone["cs_lower"], alone["cs_upper"]) == (None, None, None)
    assert both["variance"] == 0.5
    assert both["cs_lower"] == pytest.approx(1.5 - 4.337628, abs=1e-6)
    assert both["cs_upper"] == pytest.approx(1.5 + 4.337628, abs=1e-6)


def test_the_margin_shrinks_with_the_values() -> None:
    """A hundred values of variance 0.25."""
    n, mean, variance = 100, 0.5, 0.25
    squares = ExactSum.of(variance * (n - 1) + n * mean**2)
    moments = Moments(n, ExactSum.of(n * mean), squares)

    assert moments.variance == 0.25
    assert confidence_margin(moments) == pytest.approx(0.161333, abs=1e-6)


async def test_good_inferences_are_counted(app: Any, store: Store, make: Maker) -> None:
    """Beyond the threshold, in the metric's direction; an episode speaks for all its inferences."""
    episode = make.id()
    a, b, _ = (
        stored(store, make.inference(episode_id=episode, variant_name=name)).inference_id
        for name in ("terse", "terse", "warm")
    )
    stored(store, make.inference(episode_id=episode, function_name="other"))
    cost(store, make, a, 0.0)
    cost(store, make, b, -2.5)
    resolved(store, make, episode, value=True)
    given(store, make.feedback(a, kind="demonstration", metric_name="demonstration", value="[]"))

    async def counts(path: str) -> tuple[int, int]:
        found = await get(app, f"{HAIKU}/inference_count/{path}")
        return found["feedback_count"], found["inference_count"]

    assert await counts("cost") == (2, 1)
    assert await counts("cost?threshold=-2.5") == (2, 0)
    assert await counts("cost?threshold=1e1") == (2, 2)
    assert await counts("resolved") == (3, 3)
    assert await counts("demonstration") == (1, 1)
    resolved(store, make, episode, value=False)
    assert await counts("resolved") == (3, 0)


@pytest.mark.parametrize(
    ("status", "target"),
    [
        (400, f"{HAIKU}/feedback_by_variant"),
        (400, f"{HAIKU}/feedback_by_variant?metric_name=cost&max_samples_per_variant=x"),
        (404, f"{HAIKU}/feedback_by_variant?metric_name=ghost"),
        (404, "/internal/functions/ghost/feedback_by_variant?metric_name=cost"),
        (400, f"{HAIKU}/variant_performances?metric_name=cost"),
        (400, f"{HAIKU}/variant_performances?metric_name=cost&time_window=year"),
        (400, f"{HAIKU}/variant_performances?time_window=day"),
        (404, f"{HAIKU}/variant_performances?metric_name=comment&time_window=day"),
        (404, f"{HAIKU}/variant_performances?metric_name=demonstration&time_window=day"),
        (404, f"{HAIKU}/variant_performances?metric_name=cost&time_window=day&variant_name=ghost"),
        (404, "/internal/functions/ghost/variant_performances?metric_name=cost&time_window=day"),
        (400, f"{SERIES}&time_window=cumulative"),
        (400, SERIES),
        (400, "/internal/feedback/timeseries?metric_name=cost&time_window=day"),
        (404, f"{HAIKU}/inference_count/ghost"),
        (404, "/internal/functions/ghost/inference_count/cost"),
        (400, f"{HAIKU}/inference_count/cost?threshold=much"),
        (400, f"{HAIKU}/inference_count/cost?threshold=nan"),
    ],
)
async def test_a_wrong_question_is_told(app: Any, status: int, target: str) -> None:
    """400 for a parameter, 404 for a name."""
    assert (await ask(app, "GET", target)).status == status


async def test_an_unknown_series_is_empty(app: Any) -> None:
    """4.13, 21: the path is no target's; unknown names have no points."""
    for names in (
        "function_name=ghost&metric_name=cost",
        "function_name=write_haiku&metric_name=x",
    ):
        path = f"/internal/feedback/timeseries?{names}&time_window=day"
        assert await get(app, path) == {"timeseries": []}
