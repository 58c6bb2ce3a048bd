"""Episodes over HTTP."""

from typing import Any

import pytest

from lsd.api import Episodes, Reading
from lsd.store import Store
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get, post
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import Maker, given, stored

PATH = "/internal/episodes"
NOWHERE = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@pytest.fixture
def app(reading: Reading) -> Any:
    """The application with the routes of episodes."""
    return quart_of(*Episodes(reading).endpoints())


async def filtered(app: Any, **body: Any) -> list[str]:
    """The ids of the episodes that fit a body."""
    asked = await post(app, PATH, {"limit": 100, **body})
    assert asked.status == 200, asked.body
    return [each["episode_id"] for each in asked.json()["episodes"]]


async def test_an_empty_store_has_no_episodes(app: Any) -> None:
    """Nor bounds."""
    assert await get(app, f"{PATH}/bounds") == {"count": 0}
    assert await get(app, f"{PATH}?limit=1") == {"episodes": []}
    assert await get(app, f"{PATH}/{NOWHERE}/inference_count") == {"inference_count": 0}


async def test_an_episode_tells_its_inferences(app: Any, store: Store, make: Maker) -> None:
    """Times are those of the inferences, not of the episode's id."""
    episode = make.id()
    make.clock.advance_s(10)
    stored(store, make.inference(episode_id=episode))
    make.clock.advance_s(5)
    last = stored(store, make.inference(episode_id=episode))
    later = make.id()
    stored(store, make.inference(episode_id=later))

    shown = await get(app, f"{PATH}?limit=2")

    assert [each["episode_id"] for each in shown["episodes"]] == [later, episode]
    assert shown["episodes"][1] == {
        "episode_id": episode,
        "count": 2,
        "start_time": "2026-02-02T02:40:10.000Z",
        "end_time": "2026-02-02T02:40:15.000Z",
        "last_inference_id": last.inference_id,
    }
    assert await get(app, f"{PATH}/bounds") == {"first_id": episode, "last_id": later, "count": 2}
    assert await get(app, f"{PATH}/{episode}/inference_count") == {"inference_count": 2}


async def test_episodes_are_read_in_pages(app: Any, store: Store, make: Maker) -> None:
    """By function, and next to a cursor."""
    a, b, c, d = (
        stored(store, make.inference(function_name=name)).episode_id
        for name in ("write_haiku", "other", "write_haiku", "write_haiku")
    )

    async def page(query: str) -> list[str]:
        return [each["episode_id"] for each in (await get(app, PATH + query))["episodes"]]

    assert await page("?limit=100") == [d, c, b, a]
    assert await page(f"?limit=2&before={d}") == [c, b]
    assert await page(f"?limit=2&after={a}") == [c, b]
    assert await page("?limit=2&function_name=write_haiku") == [d, c]
    assert await page(f"?limit=2&function_name=write_haiku&before=msg_{c.replace('-', '')}") == [a]
    assert await page("?limit=2&function_name=ghost") == []


async def test_one_inference_must_fit_as_a_whole(app: Any, store: Store, make: Maker) -> None:
    """Function and filter are about the same inference; the figures about the whole episode."""
    both, apart = make.id(), make.id()
    tags = {"tenant": "acme"}
    stored(store, make.inference(episode_id=both, tags=tags))
    stored(store, make.inference(episode_id=both, function_name="other"))
    stored(store, make.inference(episode_id=apart))
    stored(store, make.inference(episode_id=apart, function_name="other", tags=tags))
    given(store, make.feedback(apart, target_type="episode"))
    acme = {"type": "tag", "key": "tenant", "value": "acme", "comparison_operator": "="}
    resolved = {"type": "boolean_metric", "metric_name": "resolved", "value": True}

    assert await filtered(app, filters=acme) == [apart, both]
    assert await filtered(app, filters=acme, function_name="write_haiku") == [both]
    assert await filtered(app, filters={"type": "not", "child": acme}) == [apart, both]
    assert await filtered(app, filters=resolved) == [apart]
    assert await filtered(app, filters=acme, before=apart, limit=1) == [both]
    assert await filtered(app, function_name="ghost") == []


@pytest.mark.parametrize(
    "query",
    ["", "?limit=0", "?limit=101", "?limit=x", f"?limit=1&before={NOWHERE}&after={NOWHERE}"],
)
async def test_a_wrong_page_is_told(app: Any, query: str) -> None:
    """4.13, 22: a limit is required, from 1 to 100."""
    assert (await ask(app, "GET", PATH + query)).status == 400


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "limit: missing"),
        ({"limit": 101}, "limit: found 101"),
        ({"limit": 1, "before": NOWHERE, "after": NOWHERE}, "before, after: found both"),
        (
            {
                "limit": 1,
                "filters": {"type": "boolean_metric", "metric_name": "ghost", "value": True},
            },
            "filters.metric_name: found",
        ),
        ({"limit": 1, "ghost": 1}, "ghost: unknown key"),
    ],
)
async def test_a_wrong_body_is_told(app: Any, body: Any, told: str) -> None:
    """4.13, 11: an unknown metric is 400."""
    asked = await post(app, PATH, body)

    assert asked.status == 400
    assert asked.error().startswith(told)
