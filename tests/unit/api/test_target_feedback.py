"""What was said about a target, over HTTP."""

from typing import Any

import pytest

from lsd.api import Reading, TargetFeedback
from lsd.store import Store, Writer
from lsd.telemetry import rfc3339_ms
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import Maker, given, stored

NOWHERE = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@pytest.fixture
def app(reading: Reading) -> Any:
    """The application with the routes of feedback."""
    return quart_of(*TargetFeedback(reading).endpoints())


async def test_what_was_answered_before_is_visible(
    app: Any, store: Store, writer: Writer, make: Maker
) -> None:
    """A read waits for what is queued."""
    target = stored(store, make.inference()).inference_id

    writer.queue_nowait(store.feedback.record(make.feedback(target)))

    assert await get(app, f"/internal/feedback/{target}/count") == {"count": 1}


async def test_an_unknown_target_has_nothing(app: Any) -> None:
    """Empty answers, no 404."""
    path = f"/internal/feedback/{NOWHERE}"
    kinds = ("boolean", "float", "comment", "demonstration")

    assert await get(app, path) == {"feedback": []}
    assert await get(app, f"{path}/count") == {"count": 0}
    assert await get(app, f"{path}/bounds") == {"by_type": {kind: {} for kind in kinds}}
    assert await get(app, f"{path}/latest_id_by_metric") == {"feedback_id_by_metric": {}}
    assert await get(app, f"{path}/demonstrations") == {"feedback": []}


async def test_entries_are_summed_up(app: Any, store: Store, make: Maker) -> None:
    """The first, the last and, of metrics, the latest; what is said of an episode is apart."""
    record = stored(store, make.inference())
    target = record.inference_id
    a, b = (given(store, make.feedback(target, value=value)).id for value in (False, True))
    c = given(store, make.feedback(target, kind="comment", metric_name="comment", value="x")).id
    fields = {"kind": "demonstration", "metric_name": "demonstration"}
    d, e = (given(store, make.feedback(target, value="[]", **fields)).id for _ in range(2))
    given(store, make.feedback(record.episode_id, target_type="episode"))
    path = f"/internal/feedback/{target}"

    assert await get(app, f"{path}/count") == {"count": 5}
    assert await get(app, f"{path}/bounds") == {
        "first_id": a,
        "last_id": e,
        "by_type": {
            "boolean": {"first_id": a, "last_id": b},
            "float": {},
            "comment": {"first_id": c, "last_id": c},
            "demonstration": {"first_id": d, "last_id": e},
        },
    }
    assert await get(app, f"{path}/latest_id_by_metric") == {
        "feedback_id_by_metric": {"resolved": b}
    }
    shown = (await get(app, f"{path}/demonstrations?limit=1"))["feedback"]
    assert [each["id"] for each in shown] == [e]
    assert shown[0]["inference_id"] == target
    assert "type" not in shown[0]
    assert (await get(app, f"/internal/feedback/{record.episode_id}/count")) == {"count": 1}


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/internal/feedback/x", "target_id: found 'x'; wanted a UUID"),
        (f"/internal/feedback/{NOWHERE}?before=x", "before: found 'x'; wanted a UUID"),
        (f"/internal/feedback/{NOWHERE}?after=", "after: found ''; wanted a UUID"),
        (
            f"/internal/feedback/{NOWHERE}?before={NOWHERE}&after={NOWHERE}",
            "before, after: found both; wanted at most one of them",
        ),
        (f"/internal/feedback/{NOWHERE}?limit=-1", "limit: found '-1'; wanted an integer"),
        (f"/internal/feedback/{NOWHERE}?limit=1.5", "limit: found '1.5'"),
        (f"/internal/feedback/{NOWHERE}?limit=", "limit: found ''"),
        (f"/internal/feedback/{NOWHERE}?limit=²", "limit: found '²'"),
    ],
)
async def test_a_wrong_parameter_is_told(app: Any, target: str, told: str) -> None:
    """400, with its name and what would be right."""
    asked = await ask(app, "GET", target)

    assert asked.status == 400
    assert asked.error().replace('"', "'").startswith(told)


async def test_feedback_is_shown_by_its_kind(app: Any, store: Store, make: Maker) -> None:
    """Each kind has its fields; newest first."""
    target = stored(store, make.inference()).inference_id
    kinds: list[dict[str, Any]] = [
        {"kind": "boolean", "metric_name": "resolved", "value": True},
        {"kind": "float", "metric_name": "rating", "value": 4.5},
        {"kind": "comment", "metric_name": "comment", "value": "fine"},
        {"kind": "demonstration", "metric_name": "demonstration", "value": '[{"type":"text"}]'},
    ]
    entries = [given(store, make.feedback(target, tags={"by": "me"}, **each)) for each in kinds]

    shown = (await get(app, f"/internal/feedback/{target}"))["feedback"]

    common = [
        {"id": each.id, "tags": {"by": "me"}, "timestamp": rfc3339_ms(make.clock.now_ms())}
        for each in entries
    ]
    assert shown[::-1] == [
        common[0]
        | {"type": "boolean", "target_id": target, "metric_name": "resolved", "value": True},
        common[1] | {"type": "float", "target_id": target, "metric_name": "rating", "value": 4.5},
        common[2]
        | {"type": "comment", "target_id": target, "target_type": "inference", "value": "fine"},
        common[3] | {"type": "demonstration", "inference_id": target, "value": '[{"type":"text"}]'},
    ]


async def test_feedback_is_read_in_pages(app: Any, store: Store, make: Maker) -> None:
    """The page lies next to its cursor, which may be given in any form of an id."""
    target = stored(store, make.inference()).inference_id
    a, b, c, d = (given(store, make.feedback(target, value=bool(n % 2))).id for n in range(4))

    async def page(query: str) -> list[str]:
        shown = await get(app, f"/internal/feedback/{target}{query}")
        return [each["id"] for each in shown["feedback"]]

    assert await page("") == [d, c, b, a]
    assert await page("?limit=0") == []
    assert await page("?limit=2") == [d, c]
    assert await page(f"?limit=2&before={c}") == [b, a]
    assert await page(f"?limit=2&after={a}") == [c, b]
    assert await page(f"?before={a}") == []
    assert await page(f"?before=msg_{c.replace('-', '')}") == [b, a]


async def test_a_page_of_feedback_may_be_longer_than_one_of_episodes(
    app: Any, store: Store, make: Maker
) -> None:
    """4.13, 22: 101 rows for whoever asks for them, 100 for whoever asks for no number."""
    target = stored(store, make.inference()).inference_id
    for _ in range(102):
        given(store, make.feedback(target))

    async def rows(query: str) -> int:
        return len((await get(app, f"/internal/feedback/{target}{query}"))["feedback"])

    assert await rows("?limit=101") == 101
    assert await rows("") == 100


@pytest.mark.parametrize("limit", ["9" * 18, "9" * 19, "9" * 30, "9" * 5000, "0005"])
async def test_there_is_no_greatest_limit(app: Any, store: Store, make: Maker, limit: str) -> None:
    """Whoever asks for more than there is gets all."""
    target = stored(store, make.inference()).inference_id
    given(store, make.feedback(target))

    shown = await get(app, f"/internal/feedback/{target}?limit={limit}")

    assert len(shown["feedback"]) == 1


async def test_a_page_holds_a_hundred_entries_unless_told(
    app: Any, store: Store, make: Maker
) -> None:
    """A limit above it is kept, too."""
    target = stored(store, make.inference()).inference_id
    for _ in range(102):
        given(store, make.feedback(target))

    usual = await get(app, f"/internal/feedback/{target}")
    more = await get(app, f"/internal/feedback/{target}?limit=101")

    assert (len(usual["feedback"]), len(more["feedback"])) == (100, 101)
