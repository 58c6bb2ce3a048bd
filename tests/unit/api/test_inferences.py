"""Inferences read back over HTTP: by id, in lists, counted."""

from typing import Any

import attrs
import pytest

from lsd.api import Inferences, Reading
from lsd.store import InferenceRecord, Store, Writer
from lsd.telemetry import rfc3339_ms
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get, post
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import Maker, given, stored

GET_INFERENCES = "/v1/inferences/get_inferences"
LIST_INFERENCES = "/v1/inferences/list_inferences"
COUNT = "/internal/inferences/count"
METADATA = "/internal/inference_metadata"
NOWHERE = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@pytest.fixture
def app(reading: Reading) -> Any:
    """The application with the routes of inferences."""
    return quart_of(*Inferences(reading).endpoints(), body_bytes_max=1 << 20)


async def ids_of(app: Any, ids: list[str]) -> list[str]:
    """The ids of the records that are given for `ids`."""
    asked = await post(app, GET_INFERENCES, {"ids": ids})
    assert asked.status == 200, asked.body
    return [each["inference_id"] for each in asked.json()["inferences"]]


async def shown_inference(app: Any, inference_id: str) -> Any:
    """How the record of an inference is shown."""
    (shown,) = (await post(app, GET_INFERENCES, {"ids": [inference_id]})).json()["inferences"]
    return shown


async def test_records_come_newest_first_and_each_once(app: Any, store: Store, make: Maker) -> None:
    """Ids that name no record are left out, and nobody minds."""
    old, new = (stored(store, make.inference()).inference_id for _ in range(2))

    assert await ids_of(app, [old, new, NOWHERE, old]) == [new, old]
    assert await ids_of(app, [NOWHERE]) == []
    assert await ids_of(app, []) == []


async def test_ids_come_in_any_form(app: Any, store: Store, make: Maker) -> None:
    """Those of the compatible endpoints stand for the same inference."""
    own = stored(store, make.inference()).inference_id
    digits = own.replace("-", "")

    for form in (own.upper(), f"chatcmpl-{digits}", f"msg_{digits}", f"CHATCMPL-{digits.upper()}"):
        assert await ids_of(app, [form]) == [own]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "ids: missing"),
        ({"ids": "x"}, "ids: found"),
        ({"ids": [1]}, "ids[0]: found 1"),
        ({"ids": [NOWHERE, "x"]}, "ids[1]: found 'x'; wanted a UUID"),
        ({"ids": ["chatcmpl-0123"]}, "ids[0]: found 'chatcmpl-0123'; wanted a UUID"),
        ({"ids": [], "ghost": 1}, "ghost: unknown key"),
        ([], "found an array"),
    ],
)
async def test_a_wrong_question_is_told(app: Any, body: Any, told: str) -> None:
    """400, with the place and what would be right."""
    asked = await post(app, GET_INFERENCES, body)

    assert asked.status == 400
    assert told in asked.error().replace('"', "'")


async def test_a_body_that_is_no_json_is_told(app: Any) -> None:
    """400 as well."""
    asked = await ask(app, "POST", GET_INFERENCES, b"{")

    assert asked.status == 400
    assert asked.error().startswith("the body is not JSON: ")


async def test_a_chat_inference_is_shown_whole(app: Any, store: Store, make: Maker) -> None:
    """Everything that was recorded, with the time that its id carries."""
    record = make.inference(
        status="interrupted", tags={"tenant": "acme"}, ttft_ms=12, processing_time_ms=120
    )
    stored(store, record)
    assert record.body is not None

    (shown,) = (await post(app, GET_INFERENCES, {"ids": [record.inference_id]})).json()[
        "inferences"
    ]

    assert shown == {
        "type": "chat",
        "inference_id": record.inference_id,
        "episode_id": record.episode_id,
        "function_name": "write_haiku",
        "variant_name": "terse",
        "status": "interrupted",
        "timestamp": rfc3339_ms(make.clock.now_ms()),
        "tags": {"tenant": "acme"},
        "processing_time_ms": 120,
        "ttft_ms": 12,
        "snapshot_hash": record.snapshot_hash,
        "dispreferred_outputs": [],
        "input": record.body.input,
        "output": record.body.output,
        "inference_params": {"chat_completion": {"temperature": 0.5}},
        "extra_body": [],
        "provider_tools": [],
    }


async def test_tools_are_shown_as_they_were_asked_for(app: Any, store: Store, make: Maker) -> None:
    """What the request did not name is absent."""
    usual = make.inference().body
    assert usual is not None
    body = attrs.evolve(usual, allowed_tools=["lookup"], tool_choice="required")
    record = stored(store, make.inference(body=body))

    (shown,) = (await post(app, GET_INFERENCES, {"ids": [record.inference_id]})).json()[
        "inferences"
    ]

    assert (shown["allowed_tools"], shown["tool_choice"]) == (["lookup"], "required")
    assert "additional_tools" not in shown
    assert "parallel_tool_calls" not in shown


async def test_a_json_inference_shows_its_schema(app: Any, store: Store, make: Maker) -> None:
    """Tools are none of its fields."""
    usual = make.inference().body
    assert usual is not None
    output = {"raw": "{}", "parsed": {}}
    body = attrs.evolve(usual, output=output, output_schema={"type": "object"})
    record = stored(store, make.inference(function_type="json", body=body))

    (shown,) = (await post(app, GET_INFERENCES, {"ids": [record.inference_id]})).json()[
        "inferences"
    ]

    assert (shown["type"], shown["output"], shown["output_schema"]) == (
        "json",
        output,
        {"type": "object"},
    )
    assert "provider_tools" not in shown


async def test_an_expired_body_is_absent(app: Any, store: Store, make: Maker) -> None:
    """The rest of the record is still shown."""
    record = stored(store, make.inference(body=None))

    (shown,) = (await post(app, GET_INFERENCES, {"ids": [record.inference_id]})).json()[
        "inferences"
    ]

    assert shown["function_name"] == "write_haiku"
    assert not {"input", "output", "inference_params", "extra_body"} & set(shown)


async def test_what_was_answered_before_is_visible(
    app: Any, store: Store, writer: Writer, make: Maker
) -> None:
    """4.13, 1: a read waits for what is queued, whichever route it takes."""
    queued = [make.inference() for _ in range(4)]

    writer.queue_nowait(store.inferences.record(queued[0]))
    assert await ids_of(app, [queued[0].inference_id]) == [queued[0].inference_id]
    writer.queue_nowait(store.inferences.record(queued[1]))
    assert len(await listed(app)) == 2
    writer.queue_nowait(store.inferences.record(queued[2]))
    assert (await post(app, COUNT, {})).json() == {"count": 3}
    writer.queue_nowait(store.inferences.record(queued[3]))
    assert len((await get(app, METADATA))["inference_metadata"]) == 4


async def listed(app: Any, **body: Any) -> list[str]:
    """The ids of a list."""
    asked = await post(app, LIST_INFERENCES, body)
    assert asked.status == 200, asked.body
    return [each["inference_id"] for each in asked.json()["inferences"]]


async def counted(app: Any, **body: Any) -> int:
    """How many there are."""
    asked = await post(app, COUNT, body)
    assert asked.status == 200, asked.body
    count: int = asked.json()["count"]
    return count


async def refusal(app: Any, path: str, body: Any) -> str:
    """What is wrong with a body that is answered by 400."""
    asked = await post(app, path, body)
    assert asked.status == 400, asked.body
    return asked.error().replace('"', "'")


def tag(key: str, value: str, comparison: str = "=") -> dict[str, str]:
    """The filter of a tag."""
    return {"type": "tag", "key": key, "value": value, "comparison_operator": comparison}


async def test_an_id_asked_for_three_times_is_one_row(app: Any, store: Store, make: Maker) -> None:
    """4.13, 2: and an unknown one is none."""
    own = stored(store, make.inference()).inference_id

    assert await ids_of(app, [own, own, NOWHERE, own]) == [own]


async def test_only_inferences_of_the_function_are_given(
    app: Any, store: Store, make: Maker
) -> None:
    """A function is known if it is configured or recorded, or is the built-in one."""
    own = stored(store, make.inference(function_name="old")).inference_id

    async def found(function_name: str) -> Any:
        asked = await post(app, GET_INFERENCES, {"ids": [own], "function_name": function_name})
        return asked.status, len(asked.json().get("inferences", ()))

    assert await found("old") == (200, 1)
    assert await found("write_haiku") == (200, 0)
    assert await found("lsd::default") == (200, 0)
    assert (await found("unknown"))[0] == 404
    assert (await post(app, LIST_INFERENCES, {"function_name": "unknown"})).status == 404
    assert await counted(app, function_name="unknown") == 0
    assert await listed(app, function_name="old", variant_name="unknown") == []


async def test_the_output_can_be_a_demonstration(app: Any, store: Store, make: Maker) -> None:
    """4.13, 12: of two the newer; the original is no longer preferred, the older one is gone."""
    plain, shown_to = (stored(store, make.inference()) for _ in range(2))
    for text in ("older", "newer"):
        entry = make.feedback(
            shown_to.inference_id,
            kind="demonstration",
            metric_name="demonstration",
            value=f'[{{"type":"text","text":"{text}"}}]',
        )
        given(store, entry)
    ids = [plain.inference_id, shown_to.inference_id]
    assert shown_to.body is not None

    for asked in (
        await post(app, GET_INFERENCES, {"ids": ids, "output_source": "demonstration"}),
        await post(app, LIST_INFERENCES, {"output_source": "demonstration"}),
    ):
        (found,) = asked.json()["inferences"]
        assert found["inference_id"] == shown_to.inference_id
        assert found["output"] == [{"type": "text", "text": "newer"}]
        assert found["dispreferred_outputs"] == [shown_to.body.output]
    assert await counted(app, output_source="demonstration") == 1
    bare = await post(app, GET_INFERENCES, {"ids": ids, "output_source": "none"})
    assert [each.get("output") for each in bare.json()["inferences"]] == [None, None]


async def test_a_list_is_read_in_pages(app: Any, store: Store, make: Maker) -> None:
    """4.13, 3 to 6: cursors work by value, and pages lie next to them."""
    a, b, c, d, e = (stored(store, make.inference()).inference_id for _ in range(5))
    oldest_first = [{"by": "timestamp", "direction": "ascending"}]

    assert await listed(app) == [e, d, c, b, a]
    assert await listed(app, limit=2, offset=1) == [d, c]
    assert await listed(app, limit=0) == []
    assert await listed(app, before=NOWHERE) == []
    assert await listed(app, after=NOWHERE) == [e, d, c, b, a]
    assert await listed(app, before=a) == []
    assert await listed(app, after=a, limit=2) == [c, b]
    assert await listed(app, before=d, limit=2, order_by=oldest_first) == [b, c]
    assert await listed(app, after=b, limit=2, order_by=oldest_first) == [c, d]
    assert await listed(app, order_by=oldest_first, limit=2) == [a, b]
    chat = f"chatcmpl-{c.replace('-', '')}"
    assert await listed(app, before=chat) == [b, a]


async def test_pages_show_each_inference_once(app: Any, store: Store, make: Maker) -> None:
    """4.13, 4: whatever newer ones come meanwhile."""
    all_of_them = [stored(store, make.inference()).inference_id for _ in range(250)]
    seen: list[str] = []
    page = await listed(app, limit=100)
    while page:
        seen += page
        stored(store, make.inference())
        page = await listed(app, limit=100, before=page[-1])

    assert seen == all_of_them[::-1]


async def test_tags_are_compared_where_they_are(app: Any, store: Store, make: Maker) -> None:
    """4.13, 7: `!=` wants another value, `not` of `=` also takes those without the tag."""
    acme = stored(store, make.inference(tags={"tenant": "acme"})).inference_id
    other = stored(store, make.inference(tags={"tenant": "b"})).inference_id
    bare = stored(store, make.inference()).inference_id

    assert await listed(app, filters=tag("tenant", "acme")) == [acme]
    assert await listed(app, filters=tag("tenant", "acme", "!=")) == [other]
    without = {"type": "not", "child": tag("tenant", "acme")}
    assert await listed(app, filters=without) == [bare, other]
    assert await counted(app, filters=without) == 2


async def test_inferences_are_found_by_feedback(app: Any, store: Store, make: Maker) -> None:
    """4.13, 8 to 10: latest values, of the inference or its episode, whatever its functions."""
    episode = make.id()
    first, second = (
        stored(store, make.inference(episode_id=episode, function_name=name)).inference_id
        for name in ("write_haiku", "other")
    )
    priced = stored(store, make.inference()).inference_id
    for value in (True, False):
        given(store, make.feedback(episode, target_type="episode", value=value))
    given(store, make.feedback(priced, kind="float", metric_name="cost", value=3.5))

    def resolved(value: bool) -> dict[str, Any]:
        return {"type": "boolean_metric", "metric_name": "resolved", "value": value}

    def cost(comparison: str, value: float) -> dict[str, Any]:
        operator = {"comparison_operator": comparison, "value": value}
        return {"type": "float_metric", "metric_name": "cost", **operator}

    assert await listed(app, filters=resolved(False)) == [second, first]
    assert await listed(app, filters=resolved(True)) == []
    both = {"type": "or", "children": [resolved(True), resolved(False)]}
    assert await listed(app, filters={"type": "not", "child": both}) == [priced]
    assert await listed(app, filters=cost("!=", 3)) == [priced]
    assert await listed(app, filters=cost("!=", 3.5)) == []
    assert await listed(app, filters={"type": "and", "children": [cost("<", 4)]}) == [priced]
    assert await listed(app, filters={"type": "or", "children": []}) == []
    by_cost = [{"by": "metric", "name": "cost", "direction": "ascending"}]
    assert await listed(app, order_by=by_cost) == [priced, second, first]


async def test_times_are_compared_to_the_millisecond(app: Any, store: Store, make: Maker) -> None:
    """In any offset."""
    own = stored(store, make.inference()).inference_id
    shown = await shown_inference(app, own)

    async def found(comparison: str, time: str) -> bool:
        condition = {"type": "time", "comparison_operator": comparison, "time": time}
        return await listed(app, filters=condition) == [own]

    assert shown["timestamp"] == "2026-02-02T02:40:00.000Z"
    assert await found("=", "2026-02-02T02:40:00.000Z")
    assert await found("=", "2026-02-02T04:40:00+02:00")
    assert await found("<", "2026-02-02T02:40:00.001Z")
    assert not await found("<", "2026-02-02T02:40:00Z")
    assert not await found("!=", "2026-02-02T02:40:00Z")


async def test_a_search_takes_its_text_literally(app: Any, store: Store, make: Maker) -> None:
    """4.13, 13: quotes are searched for, too, signs stand for themselves, case does not matter."""

    def saying(text: str) -> InferenceRecord:
        usual = make.inference().body
        assert usual is not None
        output = [{"type": "text", "text": text}]
        return stored(store, make.inference(body=attrs.evolve(usual, output=output)))

    lamp = saying('a "blue lamp" at 50%').inference_id
    lamps = saying("a blue lamp, a Blue Lamp, 500").inference_id

    async def found(query: str, **more: Any) -> list[str]:
        return await listed(app, search_query_experimental=query, **more)

    assert await found('"blue lamp"') == [lamp]
    assert await found("50%") == [lamp]
    assert await found("BLUE lamp") == [lamps, lamp]
    assert await found("") == [lamps, lamp]
    least = [{"by": "search_relevance", "direction": "ascending"}]
    assert await found("blue lamp", order_by=least) == [lamp, lamps]
    assert await counted(app, search_query_experimental="50%") == 1


COST = {"type": "float_metric", "metric_name": "cost", "value": 1, "comparison_operator": "<"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"before": NOWHERE, "after": NOWHERE}, "before, after: found both"),
        ({"before": NOWHERE, "offset": 0}, "offset: found one beside a cursor"),
        ({"before": NOWHERE, "order_by": [{"by": "metric", "name": "cost"}]}, "order_by: found"),
        ({"order_by": [{"by": "search_relevance"}]}, "order_by[0].by: found"),
        ({"order_by": [{"by": "metric"}]}, "order_by[0].name: missing"),
        ({"order_by": [{"by": "metric", "name": "ghost"}]}, "order_by[0].name: found 'ghost'"),
        ({"order_by": [{"by": "metric", "name": "comment"}]}, "order_by[0].name: found"),
        ({"order_by": [{"by": "size"}]}, "order_by[0].by: found 'size'"),
        ({"filters": COST | {"metric_name": "ghost"}}, "filters.metric_name: found 'ghost'"),
        ({"filters": COST | {"metric_name": "resolved"}}, "filters.metric_name: found 'resolved'"),
        (
            {"filters": {"type": "boolean_metric", "metric_name": "cost", "value": True}},
            "filters.metric_name: found 'cost'; wanted the name of a configured boolean metric",
        ),
        (
            {"filters": {"type": "not", "child": {"type": "and", "children": [COST | {"x": 1}]}}},
            "filters.child.children[0].x: unknown key",
        ),
        ({"filters": COST | {"value": "1"}}, "filters.value: found '1'; wanted a number"),
        ({"filters": {"type": "tag", "key": "a", "value": "b"}}, "filters.comparison_operator"),
        ({"filters": tag("a", "b", "<")}, "filters.comparison_operator: found '<'"),
        ({"filters": {"type": "ghost"}}, "filters.type: found 'ghost'"),
        ({"filters": {"type": "time", "comparison_operator": "<", "time": "now"}}, "filters.time"),
        ({"limit": -1}, "limit: found -1; wanted an integer ≥ 0"),
        ({"offset": 1.5}, "offset: found 1.5"),
        ({"episode_id": "x"}, "episode_id: found 'x'"),
        ({"output_source": "all"}, "output_source: found 'all'"),
        ({"ghost": 1}, "ghost: unknown key"),
    ],
)
async def test_a_wrong_query_is_told(app: Any, body: Any, told: str) -> None:
    """4.13, 11 among them: 400, with the place and what would be right."""
    assert (await refusal(app, LIST_INFERENCES, body)).startswith(told)


@pytest.mark.parametrize("path", [LIST_INFERENCES, COUNT])
async def test_a_metric_of_another_type_is_told_everywhere(app: Any, path: str) -> None:
    """4.13, 11: 400 from list and count alike."""
    for name in ("resolved", "ghost"):
        told = await refusal(app, path, {"filters": COST | {"metric_name": name}})
        assert told.startswith(f"filters.metric_name: found '{name}'")


async def test_filters_nest_sixty_four_levels_deep(app: Any, store: Store, make: Maker) -> None:
    """And no deeper."""
    own = stored(store, make.inference(tags={"a": "b"})).inference_id

    def nested(levels: int) -> dict[str, Any]:
        condition: dict[str, Any] = tag("a", "b")
        for _ in range(levels):
            condition = {"type": "not", "child": condition}
        return condition

    assert await listed(app, filters=nested(64)) == [own]
    told = await refusal(app, LIST_INFERENCES, {"filters": nested(65)})
    assert told == "filters: found a deep nesting; wanted at most 64 levels of and, or and not"


async def test_metadata_tells_inferences_apart(app: Any, store: Store, make: Maker) -> None:
    """Pages of ids and names; unknown names have none."""
    first = stored(store, make.inference())
    second = stored(store, make.inference(variant_name="warm", snapshot_hash=None))

    async def page(query: str) -> list[Any]:
        shown: list[Any] = (await get(app, METADATA + query))["inference_metadata"]
        return shown

    assert await page("") == [
        {
            "id": second.inference_id,
            "function_name": "write_haiku",
            "variant_name": "warm",
            "episode_id": second.episode_id,
            "function_type": "chat",
            "status": "ok",
        },
        {
            "id": first.inference_id,
            "function_name": "write_haiku",
            "variant_name": "terse",
            "episode_id": first.episode_id,
            "function_type": "chat",
            "status": "ok",
            "snapshot_hash": first.snapshot_hash,
        },
    ]
    for query, wanted in (
        ("?limit=1", [second]),
        (f"?before={second.inference_id}", [first]),
        (f"?after={first.inference_id}", [second]),
        (f"?episode_id={first.episode_id}", [first]),
        ("?variant_name=terse", [first]),
        ("?function_name=write_haiku&variant_name=warm", [second]),
        ("?function_name=ghost", []),
    ):
        assert [each["id"] for each in await page(query)] == [each.inference_id for each in wanted]
    both = f"{METADATA}?before={NOWHERE}&after={NOWHERE}"
    assert (await ask(app, "GET", both)).status == 400
