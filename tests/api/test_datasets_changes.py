"""Datapoints created, changed and deleted, asked of a real daemon."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.conftest import StartGateway
from tests.api.datasets import (
    CONFIG,
    FAX,
    FILES,
    NOWHERE,
    VERDICT_SCHEMA,
    DatasetClient,
    asking,
    call_of,
    chat,
    datasets,
    office,
    says,
    verdict,
)
from tests.api.gateway import Gateway


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """A daemon with functions of each kind."""
    return start_shared(CONFIG, files=FILES)


@pytest.fixture
def gold(gateway: Gateway, request: pytest.FixtureRequest) -> DatasetClient:
    """A dataset of the test's own."""
    return DatasetClient(gateway, f"gold {request.node.name}".replace("/", "|")[:200])


@pytest.fixture
def silver(gateway: Gateway, gold: DatasetClient) -> DatasetClient:
    """Another one."""
    return DatasetClient(gateway, f"silver {gold.name}")


def without(shown: dict[str, Any], *keys: str) -> dict[str, Any]:
    """What is shown, less some keys."""
    return {key: value for key, value in shown.items() if key not in keys}


def test_case_1_several_are_created_in_one_call(gold: DatasetClient) -> None:
    """Chat and json side by side; the ids rise in the order of the request."""
    ids = gold.create(chat("one"), verdict("two"), chat("three"))

    assert ids == sorted(ids)
    assert len(set(ids)) == 3
    shown = gold.list()
    assert [each["id"] for each in shown] == ids[::-1]
    assert len({each["updated_at"] for each in shown}) == 1


def test_what_was_created_is_shown_whole(gold: DatasetClient) -> None:
    """Without what it does not have; the id tells when it was made."""
    (own_id,) = gold.create(
        {
            "type": "chat",
            "function_name": "talk",
            "id": NOWHERE,
            "input": {"system": "Be brief", "messages": [{"role": "user", "content": "Hi"}]},
            "output": says("Ho"),
            "episode_id": NOWHERE.upper(),
            "tags": {"split": "test", "lsd::datapoint_id": "x"},
            "name": "greeting",
        }
    )

    shown = gold.one(own_id)
    assert own_id != NOWHERE
    assert shown == {
        "type": "chat",
        "dataset_name": gold.name,
        "function_name": "talk",
        "id": own_id,
        "episode_id": NOWHERE,
        "input": {"system": "Be brief", **asking("Hi")},
        "output": says("Ho"),
        "provider_tools": [],
        "tags": {"split": "test", "lsd::datapoint_id": "x"},
        "name": "greeting",
        "is_custom": True,
        "is_deleted": False,
        "updated_at": shown["updated_at"],
    }
    assert len(shown["updated_at"]) == len("2026-03-01T09:30:00.123456Z")


def test_case_2_one_bad_item_spoils_the_call(gold: DatasetClient) -> None:
    """The refusal tells which, and nothing is there."""
    bad = chat(function_name="guarded")

    told = gold.refused(400, "POST", "/datapoints", {"datapoints": [chat(), bad, verdict()]})

    assert told.startswith("datapoints[1].input.messages[0].content[0].text: ")
    assert gold.list() == []


@pytest.mark.parametrize(
    ("item", "path"),
    [
        (chat(function_name="nobody"), "datapoints[0].function_name"),
        (verdict(function_name="talk"), "datapoints[0].function_name"),
        (chat(function_name="verdict"), "datapoints[0].function_name"),
        (chat(type=None), "datapoints[0].type"),
        (chat(type="text"), "datapoints[0].type"),
        ({"type": "chat", "function_name": "talk"}, "datapoints[0].input"),
        (chat(input="Hi"), "datapoints[0].input"),
        (chat(output="Ho"), "datapoints[0].output"),
        (chat(output=[{"type": "file"}]), "datapoints[0].output[0].type"),
        (chat(output=[{"type": "tool_call", "id": "c"}]), "datapoints[0].output[0].raw_name"),
        (chat(tags={"n": 1}), "datapoints[0].tags.n"),
        (chat(episode_id="x"), "datapoints[0].episode_id"),
        (verdict(output_schema={"type": "nothing"}), "datapoints[0].output_schema"),
        (verdict(output={"urgent": True}), "datapoints[0].output"),
        (verdict(output={"raw": 1}), "datapoints[0].output.raw"),
        (verdict(output="{}"), "datapoints[0].output"),
        (office(allowed_tools=["nothing"]), "datapoints[0].allowed_tools[0]"),
        (office(additional_tools=[{**FAX, "name": "page"}]), "datapoints[0].additional_tools[0]"),
        (office(tool_choice={"specific": "fax"}), "datapoints[0].tool_choice.specific"),
        (chat(tool_choice={"specific": "fax"}), "datapoints[0].tool_choice.specific"),
    ],
)
def test_case_3_what_is_wrong_is_told_with_its_place(
    gold: DatasetClient, item: dict[str, Any], path: str
) -> None:
    """Whatever it is: unknown functions, types, shapes, schemas, tools."""
    told = gold.refused(400, "POST", "/datapoints", {"datapoints": [item]})

    assert told.startswith(path)
    assert gold.count() == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("POST", "/datapoints", {"datapoints": []}, "datapoints: "),
        ("POST", "/datapoints", {}, "datapoints: missing"),
        ("POST", "/datapoints", [], "found an array"),
        ("PATCH", "/datapoints", {"datapoints": []}, "datapoints: "),
        ("PATCH", "/datapoints/metadata", {"datapoints": []}, "datapoints: "),
        ("DELETE", "/datapoints", {"ids": []}, "ids: "),
        ("DELETE", "/datapoints", {"ids": ["x"]}, "ids[0]: "),
        ("POST", "/get_datapoints", {"ids": ["x"]}, "ids[0]: "),
        ("POST", "/get_datapoints", {}, "ids: missing"),
    ],
)
def test_a_request_for_nothing_is_a_mistake(
    gold: DatasetClient, method: str, path: str, body: Any, told: str
) -> None:
    """Where something is to be changed; and so is what is no id."""
    assert told in gold.refused(400, method, path, body)


def test_what_is_no_json_is_refused(gold: DatasetClient) -> None:
    """As everywhere."""
    response = gold.gateway.client.post(f"{gold.path}/datapoints", content=b"{")

    assert response.status_code == 400
    assert "not JSON" in response.json()["error"]


def test_case_4_unknown_keys_are_passed_over(gold: DatasetClient) -> None:
    """A client may send more than is wanted, wherever."""
    body = {"datapoints": [chat(tools=[], foo=1)], "more": True}
    body["datapoints"][0]["input"]["messages"][0]["extra"] = 1

    response = gold.send("POST", "/datapoints", body)

    assert response.status_code == 200
    assert "foo" not in gold.one(response.json()["ids"][0])


def test_case_5_an_empty_output_is_one(gold: DatasetClient) -> None:
    """And none is none, also as null."""
    empty, none, null = gold.create(chat(output=[]), chat(), chat(output=None))

    assert gold.one(empty)["output"] == []
    assert "output" not in gold.one(none)
    assert "output" not in gold.one(null)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"raw": '{"urgent": 7}'}, {"raw": '{"urgent": 7}', "parsed": None}),
        ({"raw": "no JSON"}, {"raw": "no JSON", "parsed": None}),
        (
            {"raw": '{ "urgent": true }', "parsed": 5},
            {"raw": '{ "urgent": true }', "parsed": {"urgent": True}},
        ),
        ({}, {"raw": None, "parsed": None}),
        ({"raw": None}, {"raw": None, "parsed": None}),
        (
            {"parsed": {"urgent": True}},
            {"raw": '{"urgent":true}', "parsed": {"urgent": True}},
        ),
    ],
)
def test_case_6_a_bad_answer_is_an_example_too(
    gold: DatasetClient, given: dict[str, Any], stored: dict[str, Any]
) -> None:
    """The raw text of json is kept byte for byte; what it means is worked out by the schema."""
    (own_id,) = gold.create(verdict(output=given))

    assert gold.one(own_id)["output"] == stored


def test_case_7_a_schema_is_always_shown(gold: DatasetClient) -> None:
    """The function's where none was sent; json has no fields of tools."""
    own = {"type": "object", "required": ["answer"]}
    by_default, sent = gold.create(
        verdict(), verdict(output_schema=own, output={"raw": '{"answer":1}'}, tool_choice="auto")
    )

    assert gold.one(by_default)["output_schema"] == VERDICT_SCHEMA
    shown = gold.one(sent)
    assert (shown["output_schema"], shown["output"]["parsed"]) == (own, {"answer": 1})
    assert {"provider_tools", "tool_choice", "allowed_tools"}.isdisjoint(shown)


def test_case_8_what_a_call_means_is_worked_out_anew(gold: DatasetClient) -> None:
    """Only the raw pair counts, and a call of no known tool means nothing."""
    output = [
        call_of("teleport", "{}", name="page", arguments={"whom": "me"}),
        call_of("page", '{"whom": "Ann"}', name=None, arguments=None),
        call_of("page", '{"who": "Ann"}', arguments={"whom": "me"}),
    ]

    (own_id,) = gold.create(office(output=output))

    calls = gold.one(own_id)["output"]
    assert [(call["name"], call["arguments"]) for call in calls] == [
        (None, None),
        ("page", {"whom": "Ann"}),
        ("page", None),
    ]
    assert [call["raw_arguments"] for call in calls] == [call["raw_arguments"] for call in output]


def test_case_9_tools_are_those_of_the_function(gold: DatasetClient) -> None:
    """Nothing was sent of them; without any tool, nothing is kept."""
    with_tools, without_tools = gold.create(office(), chat(tool_choice="auto"))

    shown = gold.one(with_tools)
    assert (shown["tool_choice"], shown["parallel_tool_calls"]) == ("required", True)
    assert {"allowed_tools", "additional_tools"}.isdisjoint(shown)
    assert "tool_choice" not in gold.one(without_tools)


def test_case_10_tools_of_its_own_are_shown_as_they_were_sent(gold: DatasetClient) -> None:
    """With their type; tools of providers with their scope, perhaps null."""
    scoped = {"scope": {"model_name": "demo", "provider_name": "echo"}, "tool": {"type": "x"}}
    (own_id,) = gold.create(
        chat(
            additional_tools=[without(dict(FAX), "type")],
            provider_tools=[{"tool": {"type": "web_search"}}, scoped],
            allowed_tools=["page", "fax"],
            tool_choice={"specific": "fax"},
            parallel_tool_calls=False,
        )
    )

    shown = gold.one(own_id)
    assert shown["additional_tools"] == [FAX]
    assert shown["provider_tools"] == [{"scope": None, "tool": {"type": "web_search"}}, scoped]
    assert shown["allowed_tools"] == ["page", "fax"]
    assert shown["tool_choice"] == {"specific": "fax"}
    assert shown["parallel_tool_calls"] is False


def test_case_11_a_patch_makes_a_new_version(gold: DatasetClient) -> None:
    """The old one can be read as it was; what was not sent is kept."""
    inference = gold.gateway.infer(function_name="talk", input=asking("Hi"), tags={"a": "b"})
    (old_id,) = gold.from_ids(inference["inference_id"])
    old = gold.one(old_id)

    (new_id,) = gold.patch({"type": "chat", "id": old_id, "output": says("Ho")})

    stale, new = gold.one(old_id), gold.one(new_id)
    assert new_id > old_id
    assert without(stale, "staled_at", "updated_at") == without(old, "updated_at")
    assert stale["staled_at"] == stale["updated_at"] == new["updated_at"]
    assert gold.listed() == [new_id]
    assert (old["is_custom"], new["is_custom"]) == (False, True)
    assert new["output"] == says("Ho")
    same = ("episode_id", "source_inference_id", "tags", "input", "function_name")
    assert [new[key] for key in same] == [old[key] for key in same]
    assert new["source_inference_id"] == inference["inference_id"]


def test_case_12_a_version_is_replaced_once(gold: DatasetClient, silver: DatasetClient) -> None:
    """And only in its own dataset; of two at once, one wins."""
    (old_id,) = gold.create(chat())
    patch = {"datapoints": [{"type": "chat", "id": old_id}]}
    assert old_id in silver.refused(404, "PATCH", "/datapoints", patch)
    (new_id,) = gold.patch({"type": "chat", "id": old_id})
    told = gold.refused(404, "PATCH", "/datapoints", patch)
    assert old_id in told
    assert gold.name in told

    race = {"datapoints": [{"type": "chat", "id": new_id}]}
    with ThreadPoolExecutor(8) as clients:
        responses = list(clients.map(lambda _: gold.send("PATCH", "/datapoints", race), range(8)))

    assert sorted(each.status_code for each in responses) == [200, *[404] * 7]
    assert len(gold.list()) == gold.count() == 1


def test_case_13_null_clears_and_absence_keeps(gold: DatasetClient) -> None:
    """Tags cannot be null, so null keeps them."""
    (own_id,) = gold.create(chat(output=says("Ho"), tags={"a": "b"}, name="n"))

    (kept,) = gold.patch({"type": "chat", "id": own_id, "tags": None, "input": None})
    shown = gold.one(kept)
    assert (shown["output"], shown["tags"], shown["name"]) == (says("Ho"), {"a": "b"}, "n")

    (cleared,) = gold.patch({"type": "chat", "id": kept, "output": None, "tags": {}, "name": None})
    shown = gold.one(cleared)
    assert shown["tags"] == {}
    assert {"output", "name"}.isdisjoint(shown)


def test_case_14_and_15_tools_are_patched(gold: DatasetClient) -> None:
    """Cleared, they are the function's own again; an empty list allows nothing."""
    (first,) = gold.create(office(additional_tools=[FAX], tool_choice={"specific": "fax"}))

    (second,) = gold.patch(
        {
            "type": "chat",
            "id": first,
            "allowed_tools": [],
            "additional_tools": [],
            "tool_choice": None,
            "parallel_tool_calls": None,
            "provider_tools": [],
        }
    )
    shown = gold.one(second)
    assert (shown["allowed_tools"], shown["provider_tools"]) == ([], [])
    assert "additional_tools" not in shown
    assert (shown["tool_choice"], shown["parallel_tool_calls"]) == ("required", True)

    (third,) = gold.patch(
        {
            "type": "chat",
            "id": second,
            "allowed_tools": None,
            "additional_tools": [FAX],
            "tool_choice": "required",
        }
    )
    shown = gold.one(third)
    assert "allowed_tools" not in shown
    assert (shown["additional_tools"], shown["tool_choice"]) == ([FAX], "required")


def test_calls_are_read_anew_when_tools_are_patched(gold: DatasetClient) -> None:
    """A call of a tool that is there now means something."""
    (own_id,) = gold.create(chat(output=[call_of("fax", '{"n": 1}')]))
    assert gold.one(own_id)["output"][0]["name"] is None

    (patched,) = gold.patch({"type": "chat", "id": own_id, "additional_tools": [FAX]})

    (call,) = gold.one(patched)["output"]
    assert (call["name"], call["arguments"]) == ("fax", {"n": 1})


def test_case_16_a_patch_of_nothing_is_a_version(gold: DatasetClient) -> None:
    """It says that somebody has looked at it."""
    (old_id,) = gold.create(office(output=says("Ho")))

    (new_id,) = gold.patch({"type": "chat", "id": old_id})

    changing = ("id", "updated_at", "staled_at")
    assert without(gold.one(new_id), *changing) == without(gold.one(old_id), *changing)
    assert new_id != old_id


@pytest.mark.parametrize(
    "item",
    [
        office(
            output=[
                *says("Old"),
                call_of("page", '{"whom": "Ann"}'),
                {"type": "thought", "text": "hm"},
            ],
            additional_tools=[FAX],
            provider_tools=[{"tool": {"type": "web_search"}}],
        ),
        verdict(output={"raw": '{"urgent": true}'}, tags={"a": "b"}, name="n"),
    ],
    ids=["chat", "json"],
)
def test_case_17_what_was_read_can_be_sent_back(gold: DatasetClient, item: dict[str, Any]) -> None:
    """With one text changed, only that text differs."""
    (own_id,) = gold.create(item)
    shown = gold.one(own_id)
    shown["input"]["messages"][0]["content"][0]["text"] = "Another question"

    (patched,) = gold.patch(shown)

    changing = ("id", "updated_at")
    assert without(gold.one(patched), *changing) == without(shown, *changing)


def test_case_18_one_bad_patch_spoils_the_call(gold: DatasetClient) -> None:
    """Unknown ids, and ids given twice."""
    (own_id,) = gold.create(chat())
    good = {"type": "chat", "id": own_id, "output": says("Ho")}

    unknown = {"datapoints": [good, {"type": "chat", "id": NOWHERE}]}
    assert NOWHERE in gold.refused(404, "PATCH", "/datapoints", unknown)
    twice = {"datapoints": [good, {**good, "id": f"chatcmpl-{own_id.replace('-', '')}"}]}
    assert own_id in gold.refused(400, "PATCH", "/datapoints", twice)

    assert gold.listed() == [own_id]
    assert "output" not in gold.one(own_id)


def test_a_patch_of_another_type_is_refused(gold: DatasetClient) -> None:
    """Existence comes first, then what is asked."""
    (own_id,) = gold.create(chat())
    told = gold.refused(
        400, "PATCH", "/datapoints", {"datapoints": [{"type": "json", "id": own_id}]}
    )

    assert own_id in told
    assert "'json'" in told
    assert "'chat'" in told
    both = {"datapoints": [{"type": "json", "id": NOWHERE}, {"type": "chat", "id": own_id}]}
    assert NOWHERE in gold.refused(404, "PATCH", "/datapoints", both)
    bad = {"datapoints": [{"type": "chat", "id": own_id, "allowed_tools": ["nothing"]}]}
    assert gold.refused(400, "PATCH", "/datapoints", bad).startswith("datapoints[0].allowed_tools")


def test_case_19_a_schema_is_patched(gold: DatasetClient) -> None:
    """What the raw text means follows the schema, there and back."""
    (own_id,) = gold.create(verdict(output={"raw": '{"urgent":true}'}))

    (strict,) = gold.patch(
        {"type": "json", "id": own_id, "output_schema": {"type": "object", "required": ["x"]}}
    )
    assert gold.one(strict)["output"] == {"raw": '{"urgent":true}', "parsed": None}
    (back,) = gold.patch({"type": "json", "id": strict, "output_schema": VERDICT_SCHEMA})
    assert gold.one(back)["output"]["parsed"] == {"urgent": True}
    (other,) = gold.patch({"type": "json", "id": back, "output": {"raw": "[]"}})
    assert gold.one(other)["output"] == {"raw": "[]", "parsed": None}
    (none,) = gold.patch({"type": "json", "id": other, "output": None})
    assert "output" not in gold.one(none)


def test_case_20_a_new_name_is_no_new_version(gold: DatasetClient) -> None:
    """It moves the datapoint to the front; without a name nothing happens at all."""
    first, second = gold.create(chat("one", name="n"), chat("two"))
    before = gold.one(first)
    assert gold.listed() == [second, first]

    assert gold.rename({"id": first}) == [first]
    assert gold.one(first) == before
    assert gold.rename({"id": first, "name": "new"}) == [first]

    after = gold.one(first)
    assert gold.listed() == [first, second]
    assert after["updated_at"] > before["updated_at"]
    assert without(after, "name", "updated_at") == without(before, "name", "updated_at")
    gold.rename({"id": first, "name": None})
    assert "name" not in gold.one(first)
    twice = {"datapoints": [{"id": first}, {"id": first}]}
    assert first in gold.refused(400, "PATCH", "/datapoints/metadata", twice)
    unknown = {"datapoints": [{"id": first, "name": "x"}, {"id": NOWHERE, "name": "y"}]}
    assert NOWHERE in gold.refused(404, "PATCH", "/datapoints/metadata", unknown)
    assert "name" not in gold.one(first)


def test_case_21_a_delete_finds_what_is_live(gold: DatasetClient, silver: DatasetClient) -> None:
    """Other ids are passed over; the second time there is nothing."""
    live, stale = gold.create(chat(), chat())
    (foreign,) = silver.create(chat())
    assert gold.delete([stale]) == 1

    ids = [live, NOWHERE, stale, foreign, live]
    assert gold.delete(ids) == 1
    assert gold.delete(ids) == 0
    assert silver.listed() == [foreign]
    assert "staled_at" in gold.one(live)


def test_case_22_a_dataset_is_deleted_with_all_that_is_in_it(gold: DatasetClient) -> None:
    """Its datapoints can still be read, its name used again."""
    ids = gold.create(chat(), chat(), verdict())
    assert gold.name in [each["dataset_name"] for each in datasets(gold.gateway)]

    assert gold.delete() == 3
    assert gold.delete() == 0

    assert gold.name not in [each["dataset_name"] for each in datasets(gold.gateway)]
    assert len(gold.get(*ids)) == 3
    again = gold.create(chat())
    assert gold.listed() == again


@pytest.mark.parametrize("name", ["builder", "lsd::x", "x" * 256, "ä" * 128, "a\nb", "a\n", "\x7f"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/datapoints"),
        ("PATCH", "/datapoints"),
        ("PATCH", "/datapoints/metadata"),
        ("DELETE", "/datapoints"),
        ("DELETE", ""),
        ("POST", "/get_datapoints"),
        ("POST", "/list_datapoints"),
        ("POST", "/from_inferences"),
    ],
)
def test_case_23_some_names_are_none(gateway: Gateway, name: str, method: str, path: str) -> None:
    """Wherever a dataset is named, and before anything else is looked at."""
    told = DatasetClient(gateway, name).refused(400, method, path, {"any": "thing"})

    assert told.startswith("dataset_name: found ")


@pytest.mark.parametrize(
    "name", ["x" * 255, "ä" * 127, "Ünïcode ✓", "a.b", "A b", "get_datapoints"]
)
def test_nearly_every_name_is_one(gateway: Gateway, name: str) -> None:
    """Letter case, spaces, dots and other scripts are kept."""
    dataset = DatasetClient(gateway, name)

    (own_id,) = dataset.create(chat())

    assert dataset.one(own_id)["dataset_name"] == name
    assert name in [each["dataset_name"] for each in datasets(gateway)]
    assert dataset.delete() == 1


def test_case_24_stale_ones_are_read_by_id(gold: DatasetClient, silver: DatasetClient) -> None:
    """Unknown ids are left out, and those of other datasets where one is named."""
    stale, live = gold.create(chat(), chat())
    (foreign,) = silver.create(chat())
    gold.delete([stale])

    assert [each["id"] for each in gold.get(live, stale, NOWHERE, foreign, live)] == [stale, live]
    assert gold.get() == []
    response = gold.gateway.post("/v1/datasets/get_datapoints", {"ids": [foreign, live, NOWHERE]})
    found = {each["id"] for each in response.json()["datapoints"]}
    assert found == {foreign, live}
    assert "deprecated" in gold.gateway.log_text()


def test_case_35_copies_have_all_but_id_and_time(
    gold: DatasetClient, silver: DatasetClient
) -> None:
    """Into another dataset or the same; what is not live is null."""
    inference = gold.gateway.infer(function_name="talk", input=asking("Hi"))
    (source,) = gold.from_ids(inference["inference_id"])
    gold.rename({"id": source, "name": "n"})
    (stale,) = gold.create(chat())
    gold.delete([stale])

    copy, missing, gone, again = silver.clone(source, NOWHERE, stale, source)
    (own_copy,) = gold.clone(source)

    assert (missing, gone) == (None, None)
    assert copy == again
    assert copy is not None
    assert own_copy is not None
    changing = ("id", "dataset_name", "updated_at")
    shown = gold.one(source)
    assert shown["source_inference_id"] == inference["inference_id"]
    assert without(silver.one(copy), *changing) == without(shown, *changing)
    assert without(gold.one(own_copy), *changing) == without(shown, *changing)
    assert (gold.count(), silver.count()) == (2, 1)
    assert silver.clone() == []


def test_an_id_tells_what_it_is(gold: DatasetClient) -> None:
    """Also of a stale datapoint."""
    (own_id,) = gold.create(verdict())
    gold.delete()

    shown = gold.gateway.client.get(f"/internal/resolve_uuid/{own_id}").json()

    assert shown["object_types"] == [
        {"type": "json_datapoint", "dataset_name": gold.name, "function_name": "verdict"}
    ]
