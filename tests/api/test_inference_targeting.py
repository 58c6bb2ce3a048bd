"""What a request names, and the shape it must have, before anybody is asked anything."""

import gzip
import zlib
from typing import Any

import orjson
import pytest

from tests.api.asking import SAYING_HI, refusal, saying, text_of, with_content
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

CONFIG = """
    [models.told]
    routing = ["echo"]
    [models.told.providers.echo]
    type = "echo"
    reply = "{{ system }}"

    [functions.greet]
    type = "chat"
    [functions.greet.variants.plain]
    model = "echo::demo"

    [functions.house_rules]
    type = "chat"
    [functions.house_rules.variants.only]
    model = "told"
    templates.system.path = "rules.minijinja"

    [functions.empty]
    type = "chat"
    variants = {}
"""

HI = {"role": "user", "content": "hi"}
GREET = {"function_name": "greet", **SAYING_HI}
ECHO = {"model_name": "echo::demo", **SAYING_HI}
NULLABLE = (
    "variant_name",
    "model_name",
    "stream",
    "dryrun",
    "namespace",
    "allowed_tools",
    "additional_tools",
    "tool_choice",
    "parallel_tool_calls",
    "output_schema",
    "internal_dynamic_variant_config",
)


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """A gateway that answers by itself."""
    return start_shared(CONFIG, files={"rules.minijinja": "Be kind."})


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (
            {**GREET, "model_name": "echo::demo"},
            400,
            "function_name, model_name: found both; wanted exactly one of them",
        ),
        (SAYING_HI, 400, "function_name, model_name: found neither; wanted exactly one of them"),
        ({"function_name": "absent", **SAYING_HI}, 404, "function_name: found 'absent'; wanted"),
        ({"model_name": "absent", **SAYING_HI}, 400, "model_name: found 'absent'; wanted"),
        ({"model_name": "fake::x", **SAYING_HI}, 400, "model_name: found 'fake::x'; wanted"),
        ({"function_name": "lsd::default", **SAYING_HI}, 404, "function_name: found 'lsd::default"),
        ({**ECHO, "variant_name": "plain"}, 400, "variant_name: found it with `model_name`"),
        ({**GREET, "variant_name": "absent"}, 404, "variant_name: found 'absent'; wanted"),
        ({"function_name": "empty", **SAYING_HI}, 500, "function 'empty' has no variants"),
    ],
    ids=[
        "case 1: both targets",
        "case 1: no target",
        "case 1: unknown function",
        "case 1: unknown model",
        "case 1: a shorthand of no provider",
        "the built-in function by its name",
        "case 2: a model with a variant",
        "unknown variant",
        "function without variants",
    ],
)
def test_a_request_names_what_it_wants(
    gateway: Gateway, body: dict[str, Any], status: int, told: str
) -> None:
    """Exactly one function or model, which must exist; the answer names what was found."""
    assert refusal(gateway, status, body).startswith(told)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({**GREET, "functon_name": "greet"}, "functon_name"),
        ({**GREET, "input": {"messages": [], "sytem": "s"}}, "input.sytem"),
        ({**GREET, "input": {"messages": [{**HI, "name": "Ann"}]}}, "input.messages[0].name"),
        (
            {**GREET, "params": {"chat_completion": {"temprature": 1}}},
            "params.chat_completion.temprature",
        ),
        (
            {
                **GREET,
                **with_content([{"type": "template", "name": "t", "arguments": {}, "value": 1}]),
            },
            "input.messages[0].content[0].value",
        ),
        (
            {**GREET, **with_content([{"type": "text", "text": "hi", "cache": 1}])},
            "input.messages[0].content[0].cache",
        ),
        ({**GREET, "params": {"other": {}}}, "params.other"),
        ({**GREET, "cache_options": {"enabled": "on", "ttl": 1}}, "cache_options.ttl"),
    ],
    ids=[
        "case 3: top level",
        "case 3: input",
        "case 3: message",
        "case 3: params.chat_completion",
        "case 3: template block",
        "text block",
        "case 5: params of another type",
        "cache_options",
    ],
)
def test_an_unknown_key_is_refused_with_its_path(
    gateway: Gateway, body: dict[str, Any], path: str
) -> None:
    """A key that LSD does not know is a typing error: it is told where it stands."""
    assert refusal(gateway, 400, body).startswith(f"{path}: unknown key; ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tags": None}, "tags: found null; wanted an object"),
        ({"tags": {"n": 1}}, "tags.n: found 1; wanted a string"),
        ({"tags": {"a b": None}}, 'tags."a b": found null; wanted a string'),
        ({"stream": "yes"}, 'stream: found "yes"; wanted true or false'),
        ({"params": None}, "params: found null; wanted an object"),
        (
            {"params": {"chat_completion": {"max_tokens": 2**32}}},
            "params.chat_completion.max_tokens: found 4294967296; wanted an integer from 0 to",
        ),
        (
            {"params": {"chat_completion": {"seed": 1.0}}},
            "params.chat_completion.seed: found 1.0; wanted an integer",
        ),
        ({"include_raw_usage": None}, "include_raw_usage: found null; wanted true or false"),
        ({"input": None}, "input: found null; wanted an object"),
        (
            {"input": {"messages": [{"role": "system", "content": "s"}]}},
            'input.messages[0].role: found "system"; wanted one of "user", "assistant"',
        ),
        (
            {"input": {"messages": [HI, {"role": "tool", "content": "s"}]}},
            'input.messages[1].role: found "tool"; wanted one of "user", "assistant"',
        ),
        (
            {"input": {"messages": [{"role": "user", "content": [{"type": "poem"}]}]}},
            'input.messages[0].content[0].type: found "poem"; wanted one of text, template,',
        ),
        ({"cache_options": {"max_age_s": -1}}, "cache_options.max_age_s: found -1; wanted"),
    ],
    ids=[
        "case 6: tags null",
        "tag that is a number",
        "tag that is null",
        "flag that is a string",
        "params null",
        "number out of range",
        "number with a fraction",
        "flag that may not be null",
        "input null",
        "case 8: role system",
        "case 8: role tool",
        "block of unknown type",
        "negative age",
    ],
)
def test_a_wrong_type_is_refused_with_its_path(
    gateway: Gateway, change: dict[str, Any], told: str
) -> None:
    """Values are taken literally: a null, a string or a float is no substitute."""
    assert refusal(gateway, 400, {**GREET, **change}).startswith(told)


def test_all_problems_of_the_shape_are_told_at_once(gateway: Gateway) -> None:
    """Whoever has made three mistakes is not sent back three times."""
    body = {**GREET, "stream": 1, "tags": {"n": 1}, "input": {"messages": [{"role": "cat"}]}}

    told = refusal(gateway, 400, body)

    for path in ("stream: ", "tags.n: ", "input.messages[0].role: ", "input.messages[0].content: "):
        assert path in told


@pytest.mark.parametrize(
    "change",
    [
        {"params": {}},
        {"episode_id": None},
        dict.fromkeys(
            (
                "variant_name",
                "model_name",
                "stream",
                "dryrun",
                "namespace",
                "allowed_tools",
                "additional_tools",
                "tool_choice",
                "parallel_tool_calls",
                "output_schema",
                "internal_dynamic_variant_config",
            )
        ),
        {"tags": {}, "credentials": {}, "extra_body": [], "extra_headers": [], "stream": False},
        {"include_raw_response": False, "include_raw_usage": False, "internal": False},
    ],
    ids=["case 5: params {}", "case 6: episode null", "nulls", "empties", "falses"],
)
def test_what_says_nothing_changes_nothing(gateway: Gateway, change: dict[str, Any]) -> None:
    """Explicit nulls, where they are allowed, and empty values are as good as absence."""
    assert text_of(gateway.infer(**{**GREET, **change})) == "hi"


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"],
    ids=["none", "text", "form", "with charset"],
)
def test_case_4_the_content_type_is_not_examined(
    gateway: Gateway, content_type: str | None
) -> None:
    """A body is JSON, whatever its label; an empty one is none, and the answer is JSON, too."""
    headers = {} if content_type is None else {"content-type": content_type}

    answered = gateway.client.post("/inference", content=orjson.dumps(ECHO), headers=headers)
    empty = gateway.client.post("/inference", content=b"", headers=headers)

    assert answered.status_code == 200
    assert empty.status_code == 400
    assert empty.json()["error"].startswith("the body is not JSON: ")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(orjson.dumps(ECHO))),
        ("GZIP", gzip.compress(orjson.dumps(ECHO))),
        ("deflate", zlib.compress(orjson.dumps(ECHO))),
        ("deflate", zlib.compress(orjson.dumps(ECHO))[2:-4]),
        ("identity", orjson.dumps(ECHO)),
        ("deflate, gzip", gzip.compress(zlib.compress(orjson.dumps(ECHO)))),
    ],
    ids=["case 4: gzip", "in capitals", "deflate", "deflate without a head", "none", "two"],
)
def test_a_compressed_body_is_read(gateway: Gateway, coding: str, body: bytes) -> None:
    """What the client has compressed is inflated first."""
    response = gateway.client.post("/inference", content=body, headers={"content-encoding": coding})

    assert response.status_code == 200
    assert text_of(response.json()) == "hi"


@pytest.mark.parametrize("given", [{}, {"messages": []}], ids=["absent", "empty"])
def test_case_7_messages_may_be_left_out(gateway: Gateway, given: dict[str, Any]) -> None:
    """A system template may be all that a model needs."""
    assert text_of(gateway.infer(function_name="house_rules", input=given)) == "Be kind."


def test_of_a_key_given_twice_the_last_counts(gateway: Gateway) -> None:
    """Duplicate keys are legal JSON."""
    body = b'{"model_name": "absent", "input": {"messages": []}, "model_name": "echo::demo"}'

    assert gateway.client.post("/inference", content=body).status_code == 200


def test_the_first_failing_check_decides(gateway: Gateway) -> None:
    """Many things may be wrong with one request; what is told first is always the same."""
    body: dict[str, Any] = {
        "model_name": "absent",
        "function_name": "absent",
        "variant_name": "absent",
        "input": {"system": {}, "messages": 7},
        "episode_id": "absent",
        "tags": {"lsd::mine": "1"},
        "include_aggregated_response": True,
        "extra_body": [{"pointer": "/a", "value": 1, "variant_name": "absent"}],
        "allowed_tools": ["absent"],
    }
    repairs: list[tuple[str, dict[str, Any]]] = [
        ("input.messages", {"input": {"system": {}, "messages": []}}),
        ("tags", {"tags": {}}),
        ("episode_id", {"episode_id": None}),
        ("function_name, model_name", {"model_name": None}),
        ("function_name", {"function_name": "greet"}),
        ("input.system", saying("hi")),
        ("extra_body[0].variant_name", {"extra_body": []}),
        ("allowed_tools[0]", {"allowed_tools": None}),
        ("variant_name", {"variant_name": None}),
        ("include_aggregated_response", {"include_aggregated_response": False}),
    ]

    told = []
    for _, repair in repairs:
        told.append(gateway.post("/inference", body).json()["error"].partition(": ")[0])
        body |= repair

    assert told == [where for where, _ in repairs]
    assert gateway.post("/inference", body).status_code == 200
