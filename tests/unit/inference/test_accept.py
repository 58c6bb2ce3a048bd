"""Every check that can be made before a provider is called, and which of them comes first."""

from typing import Any

import pytest

from lsd.inference import BadRequest, InferenceFailed, UnknownName
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import NOW_MS, Gateway

CONFIG = """
[models.m]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[models.secret]
routing = ["one"]
namespace = "lab"
providers.one = { type = "openai", model_name = "gpt-1" }

[tools.page]
description = "Calls somebody"
parameters = "verdict.json"

[functions.chat]
type = "chat"
variants.v.model = "m"

[functions.helper]
type = "chat"
tools = ["page"]
variants.v.model = "m"

[functions.forced]
type = "chat"
tools = ["page"]
tool_choice = "required"
variants.v.model = "m"

[functions.parallel]
type = "chat"
parallel_tool_calls = false
variants.v.model = "m"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
variants.v.model = "m"

[functions.strict]
type = "chat"
schemas.user.path = "verdict.json"
variants.v = { model = "m", templates.user.path = "user.minijinja" }

[functions.empty]
type = "chat"
variants = {}
"""

SCHEMA = {"type": "object"}
DYNAMIC = {"model": "m", "templates": {"user": "{{ urgent }}"}}


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway with functions of all kinds."""
    return start(CONFIG, files={"user.minijinja": "{{ urgent }}"})


def refused(gateway: Gateway, **fields: Any) -> str:
    """Why a request is refused."""
    with pytest.raises((BadRequest, UnknownName, InferenceFailed)) as refusal:
        gateway.accept(**fields)
    return str(refusal.value)


def id_of(time_ms: int, version: int = 7, variant: str = "8") -> str:
    """A UUID of this time."""
    digits = f"{time_ms:012x}"
    return f"{digits[:8]}-{digits[8:]}-{version}000-{variant}000-000000000001"


async def test_a_plain_request_is_accepted(gateway: Gateway) -> None:
    """It names a function; everything else is left to the gateway."""
    accepted = gateway.accept()

    assert accepted.function.name == "chat"
    assert accepted.pinned is None
    assert accepted.episode_id is None
    assert accepted.tags == {}
    assert accepted.toolbox is None
    assert accepted.output_schema is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"function_name": None},
            "function_name, model_name: found neither; wanted exactly one of them",
        ),
        (
            {"function_name": "chat", "model_name": "m"},
            "function_name, model_name: found both; wanted exactly one of them",
        ),
        (
            {"function_name": "chta"},
            "function_name: found 'chta'; wanted the name of a configured function",
        ),
        (
            {"function_name": "lsd::default"},
            "function_name: found 'lsd::default'; wanted the name of a configured function",
        ),
        (
            {"model_name": "absent"},
            "model_name: found 'absent'; wanted a model",
        ),
        ({"model_name": "fake::x"}, "model_name: found 'fake::x'; wanted a model"),
        ({"model_name": "echo::"}, "model_name: found 'echo::'; wanted"),
        (
            {"model_name": "m", "variant_name": "v"},
            "variant_name: found it with `model_name`, which has no variants",
        ),
        ({"function_name": "empty"}, "function 'empty' has no variants"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_request_names_what_it_wants(
    gateway: Gateway, fields: dict[str, Any], told: str
) -> None:
    """Exactly one function or model, which must exist."""
    assert refused(gateway, **fields).startswith(told)


@pytest.mark.parametrize("name", ["m", "echo::demo", "openai::gpt-5"])
async def test_a_model_runs_as_the_variant_of_a_built_in_function(
    gateway: Gateway, name: str
) -> None:
    """Configured models and shorthands alike; the variant has the model's name."""
    accepted = gateway.accept(model_name=name)

    assert accepted.function.name == "lsd::default"
    (variant,) = accepted.function.variants.values()
    assert (variant.name, variant.config.model) == (name, name)
    assert accepted.pinned is None


@pytest.mark.parametrize(
    ("time_ms", "told"),
    [
        (NOW_MS, None),
        (NOW_MS - 10_000, None),
        (NOW_MS + 999, None),
        (NOW_MS + 10_000, "has a time in the future; wanted an id given by LSD"),
        (1_579_751_960_000, None),
        (1_579_751_959_999, "has a time too early; wanted an id given by LSD"),
        (946_684_800_000, "has a time too early; wanted an id given by LSD"),
    ],
    ids=["now", "before", "this second", "ten seconds ahead", "first", "too early", "year 2000"],
)
async def test_an_episode_has_a_time_that_can_be(
    gateway: Gateway, time_ms: int, told: str | None
) -> None:
    """Ids come from this gateway: neither from the future nor from before their own invention."""
    episode_id = id_of(time_ms)

    if told is None:
        assert gateway.accept(episode_id=episode_id).episode_id == episode_id
    else:
        text = refused(gateway, episode_id=episode_id)
        assert text == f"episode_id: found '{episode_id}', which {told}"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("garbage", "; wanted a UUID, such as "),
        ("", "; wanted a UUID, such as "),
        (id_of(NOW_MS, version=4), "which is no UUID of version 7; leave it out for a new one"),
        (id_of(NOW_MS, variant="c"), "which is no UUID of version 7; leave it out for a new one"),
    ],
)
async def test_an_episode_is_a_uuid_of_version_7(gateway: Gateway, found: str, told: str) -> None:
    """The message names the id and what is wrong with it."""
    text = refused(gateway, episode_id=found)

    assert told in text
    assert found in text


@pytest.mark.parametrize("form", ["chatcmpl-{}", "msg_{}", "CHATCMPL-{}"])
async def test_an_episode_may_have_the_forms_of_other_apis(gateway: Gateway, form: str) -> None:
    """An id that another endpoint handed out stands for the same UUID; letter case is ignored."""
    episode_id = id_of(NOW_MS)
    given = form.format(episode_id.replace("-", ""))

    assert gateway.accept(episode_id=given).episode_id == episode_id
    assert gateway.accept(episode_id=episode_id.upper()).episode_id == episode_id


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ({"tags": {"team": "ops"}}, {"team": "ops"}),
        ({"tags": {"": ""}}, {"": ""}),
        ({"internal": True}, {"lsd::internal": "true"}),
        (
            {"internal": True, "tags": {"lsd::run": "7"}},
            {"lsd::run": "7", "lsd::internal": "true"},
        ),
        ({"namespace": "lab"}, {"lsd::namespace": "lab"}),
        ({"variant_name": "v"}, {"lsd::variant_pinned": "v"}),
        (
            {"variant_name": "v", "namespace": "lab", "tags": {"a": "b"}},
            {"a": "b", "lsd::namespace": "lab", "lsd::variant_pinned": "v"},
        ),
    ],
    ids=["own", "empty", "internal", "internal with own", "namespace", "pinned", "all"],
)
async def test_tags_are_the_callers_and_lsds_own(
    gateway: Gateway, fields: dict[str, Any], tags: dict[str, str]
) -> None:
    """LSD adds what it knows; only internal callers may use its prefix themselves."""
    assert gateway.accept(**fields).tags == tags


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"tags": {"lsd::x": "1"}},
            "tags: found the key 'lsd::x'; keys that begin with lsd:: are LSD's own",
        ),
        ({"namespace": ""}, 'namespace: found ""; wanted a name, or no namespace'),
        (
            {"namespace": "lsd::x"},
            "namespace: found 'lsd::x'; names that begin with lsd:: are LSD's own",
        ),
        (
            {"namespace": "lsd::x", "internal": True},
            "namespace: found 'lsd::x'; names that begin with lsd:: are LSD's own",
        ),
    ],
    ids=["tag", "empty namespace", "namespace", "namespace of an internal caller"],
)
async def test_the_reserved_prefix_is_lsds(
    gateway: Gateway, fields: dict[str, Any], told: str
) -> None:
    """Nobody else may claim names that begin with it."""
    assert refused(gateway, **fields) == told


async def test_a_model_of_a_namespace_is_not_called_from_elsewhere(gateway: Gateway) -> None:
    """The message names the model, its namespace and the request's."""
    told = "model_name: 'secret' belongs to the namespace 'lab'; the request's namespace is "

    assert refused(gateway, model_name="secret") == told + "none"
    assert refused(gateway, model_name="secret", namespace="shop") == told + "'shop'"
    assert gateway.accept(model_name="secret", namespace="lab").function.name == "lsd::default"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, 'found "tool" without `output_schema`; wanted both'),
        ({"output_schema": SCHEMA, "allowed_tools": []}, 'found "tool" with `allowed_tools`'),
        ({"output_schema": SCHEMA, "additional_tools": []}, 'found "tool" with `additional_tools`'),
        ({"output_schema": SCHEMA, "tool_choice": "auto"}, 'found "tool" with `tool_choice`'),
        (
            {"output_schema": SCHEMA, "parallel_tool_calls": False},
            'found "tool" with `parallel_tool_calls`',
        ),
        (
            {"output_schema": SCHEMA, "provider_tools": [{"tool": {}}]},
            'found "tool" with `provider_tools`',
        ),
        (
            {"output_schema": SCHEMA, "function_name": "helper"},
            "found \"tool\"; the function 'helper' has tool settings of its own",
        ),
        (
            {"output_schema": SCHEMA, "function_name": "forced"},
            "found \"tool\"; the function 'forced' has tool settings of its own",
        ),
        (
            {"output_schema": SCHEMA, "function_name": "parallel"},
            "found \"tool\"; the function 'parallel' has tool settings of its own",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_json_by_a_forced_tool_leaves_no_room_for_other_tools(
    gateway: Gateway, fields: dict[str, Any], told: str
) -> None:
    """In a chat function it needs a schema, and nothing else said about tools."""
    mode = {"params": {"chat_completion": {"json_mode": "tool"}}}

    assert refused(gateway, **mode, **fields).startswith(
        f"params.chat_completion.json_mode: {told}"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"output_schema": SCHEMA},
        {"output_schema": SCHEMA, "allowed_tools": None, "tool_choice": None, "provider_tools": []},
        {"function_name": "verdict"},
    ],
    ids=["chat", "nulls", "json function"],
)
async def test_json_by_a_forced_tool_is_accepted(gateway: Gateway, fields: dict[str, Any]) -> None:
    """Null fields say nothing; a json function has its own schema."""
    gateway.accept(params={"chat_completion": {"json_mode": "tool"}}, **fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allowed_tools", []),
        ("additional_tools", []),
        ("tool_choice", "none"),
        ("parallel_tool_calls", False),
    ],
)
async def test_json_functions_take_no_tools(gateway: Gateway, field: str, value: Any) -> None:
    """Their output is JSON; provider tools are passed over, and nulls say nothing."""
    told = f"{field}: found it in a call of a json function, which takes no tools"

    assert refused(gateway, function_name="verdict", **{field: value}) == told
    assert gateway.accept(function_name="verdict", **{field: None}).toolbox is None
    passed_over = gateway.accept(function_name="verdict", provider_tools=[{"tool": {}}])
    assert passed_over.toolbox is None


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({}, None),
        ({"variant_name": "v"}, None),
        ({"model_name": "m"}, None),
        ({"model_name": "m", "provider_name": "one"}, None),
        ({"model_name": "secret"}, None),
        ({"model_name": "openai::gpt-5", "provider_name": "openai"}, None),
        (
            {"variant_name": "w"},
            "variant_name: found 'w'; wanted the name of a configured variant",
        ),
        ({"model_name": "absent"}, "model_name: found 'absent'; wanted the name of a model"),
        (
            {"model_name": "m", "provider_name": "two"},
            "provider_name: found 'two'; wanted one of one",
        ),
    ],
    ids=lambda value: "" if value is None else str(value),
)
async def test_edits_have_targets_that_exist(
    gateway: Gateway, target: dict[str, str], told: str | None
) -> None:
    """A target that could never apply is a typing error; shorthands are known."""
    for field, entry in (
        ("extra_body", {"pointer": "/a", "value": 1}),
        ("extra_headers", {"name": "x-a", "value": "1"}),
    ):
        entries = [entry, {**entry, **target}]
        if told is None:
            gateway.accept(**{field: entries})
        else:
            assert refused(gateway, **{field: entries}) == f"{field}[1].{told}"


async def test_an_output_schema_must_compile(gateway: Gateway) -> None:
    """It is refused before any provider is called."""
    told = refused(gateway, function_name="verdict", output_schema={"type": "objekt"})

    assert told.startswith("output_schema: not a usable JSON Schema: ")


async def test_the_schema_in_force_is_the_requests_or_the_functions(gateway: Gateway) -> None:
    """A chat function has none of its own."""
    own = gateway.accept(function_name="verdict").output_schema
    given = gateway.accept(function_name="verdict", output_schema=SCHEMA).output_schema
    for_chat = gateway.accept(output_schema=SCHEMA).output_schema

    assert own is not None
    assert own.value["required"] == ["urgent"]
    assert given is not None
    assert given is for_chat
    assert given.value == SCHEMA


async def test_an_aggregated_answer_needs_a_stream(gateway: Gateway) -> None:
    """A plain answer is aggregated already."""
    told = "include_aggregated_response: found true; wanted it with `stream` only"

    assert refused(gateway, include_aggregated_response=True) == told
    gateway.accept(include_aggregated_response=True, stream=True)


MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("tags: ", {"tags": {"lsd::x": ""}}),
    ("namespace: ", {"namespace": ""}),
    ("episode_id: ", {"episode_id": "x"}),
    ("function_name, model_name: ", {"model_name": "m"}),
    ("params.chat_completion.json_mode: ", {"params": {"chat_completion": {"json_mode": "tool"}}}),
    ("input.messages[0].content[0].text: ", {}),
    (
        "extra_body[0].variant_name: ",
        {"extra_body": [{"pointer": "/a", "value": 1, "variant_name": "w"}]},
    ),
    ("internal_dynamic_variant_config: ", {"internal_dynamic_variant_config": DYNAMIC}),
    ("allowed_tools[0]: ", {"allowed_tools": ["unheard"]}),
    ("variant_name: ", {"variant_name": "absent"}),
    ("include_aggregated_response: ", {"include_aggregated_response": True}),
    ("output_schema: ", {"output_schema": {"type": "objekt"}}),
]
"""One mistake for each check, in the order of the checks, all in a call of `strict`."""


@pytest.mark.parametrize("first", range(len(MISTAKES)), ids=[told for told, _ in MISTAKES])
async def test_the_first_failing_check_decides(gateway: Gateway, first: int) -> None:
    """However much is wrong, the answer is the same each time."""
    is_input_fine = first > [told for told, _ in MISTAKES].index(
        "input.messages[0].content[0].text: "
    )
    fields: dict[str, Any] = {"function_name": "chat" if is_input_fine else "strict"}
    for _, mistake in reversed(MISTAKES[first:]):
        fields |= mistake
    if first > 4:
        fields.pop("params", None)

    told = refused(gateway, **fields)

    assert told.startswith(MISTAKES[first][0])
