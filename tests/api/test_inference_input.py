"""The input of a request: its forms, its schemas, its templates, and what reaches the model."""

from typing import Any

import orjson
import pytest

from tests.api.asking import Box, model, refusal, saying, statuses, text_of, with_content
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import fails, says, tool_call
from tests.fakes.provider_thread import FakeProviderThread

OBJECT_SCHEMA = orjson.dumps(
    {
        "type": "object",
        "properties": {"topic": {"type": "string"}},
        "required": ["topic"],
        "additionalProperties": False,
    }
).decode()

FILES = {
    "object.json": OBJECT_SCHEMA,
    "topic.minijinja": "About {{ topic }}.",
    "legacy_user.minijinja": "<{{ user_text }}>",
    "legacy_system.minijinja": "[{{ system_text }}]",
    "house.minijinja": "Rules.\n",
    "values.minijinja": "{{ values }}",
    "loop.minijinja": "{% for each in items %}{{ each.name }};{% endfor %}",
}

FUNCTIONS = """
    [functions.plain]
    type = "chat"
    variants.only.model = "box"

    [functions.typed]
    type = "chat"
    user_schema = "object.json"
    variants.only = { model = "box", user_template = "topic.minijinja" }

    [functions.strict_system]
    type = "chat"
    system_schema = "object.json"
    variants.only = { model = "box", system_template = "topic.minijinja" }

    [functions.legacy]
    type = "chat"
    [functions.legacy.variants.only]
    model = "box"
    user_template = "legacy_user.minijinja"
    system_template = "legacy_system.minijinja"

    [functions.named]
    type = "chat"
    [functions.named.variants.bare]
    model = "box"
    [functions.named.variants.full]
    model = "box"
    templates.topic.path = "topic.minijinja"
    templates.values.path = "values.minijinja"
    templates.loop.path = "loop.minijinja"
    templates.system.path = "house.minijinja"
    [functions.named.experimentation]
    type = "static"
    candidate_variants = ["bare"]
    fallback_variants = ["full"]

    [functions.two]
    type = "chat"
    [functions.two.variants]
    first = { model = "box", templates.topic.path = "topic.minijinja" }
    second = { model = "box", templates.topic.path = "topic.minijinja" }
"""


@pytest.fixture
def box(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The one provider, which says yes."""
    shared_provider.forget()
    shared_provider.will("box", says("yes"))
    shared_provider.will("spare", says("spare"))
    return shared_provider


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway in front of it."""
    one = Box("one", shared_provider.url("box"))
    two = Box("two", shared_provider.url("spare"))
    config = model("box", one) + model("pair", one, two) + FUNCTIONS
    return start_shared(config, files=FILES)


def sent(box: FakeProviderThread, number: int = 1) -> list[dict[str, Any]]:
    """The messages that the provider was sent."""
    messages: list[dict[str, Any]] = box.wait_for_request(number).json()["messages"]
    return messages


def sent_texts(box: FakeProviderThread) -> list[str]:
    """The texts of the first request to the provider."""
    texts: list[str] = []
    for message in sent(box):
        content = message["content"]
        texts += [content] if isinstance(content, str) else [part["text"] for part in content]
    return texts


def stored(gateway: Gateway, answer: dict[str, Any]) -> dict[str, Any]:
    """The record of an answer."""
    record = gateway.stored(answer["inference_id"])
    assert record is not None
    return record


def test_case_13_a_string_is_short_for_a_text_block(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Both are stored alike, and sent alike."""
    answers = [
        gateway.infer(function_name="plain", **with_content(content))
        for content in ("hi", [{"type": "text", "text": "hi"}])
    ]

    one, other = (stored(gateway, answer)["input"] for answer in answers)
    assert one == other
    assert one["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert sent(box, 1) == sent(box, 2)


@pytest.mark.parametrize(
    ("block", "path", "told"),
    [
        ({"type": "text", "text": "t", "arguments": {}}, "", "both of `text` and `arguments`"),
        ({"type": "text"}, "", "neither of `text` and `arguments`"),
        ({"type": "template", "name": "t"}, ".arguments", "missing"),
        ({"type": "tool_call", "id": "1", "name": "t"}, "", "`raw_name`"),
        ({"type": "tool_result", "id": "1", "name": "t"}, ".result", "missing"),
        ({"type": "unknown"}, "", "no `data`"),
        (
            {"type": "file", "data": "data:image/png;base64,iVBORw0KGgo="},
            "",
            "`data` that starts with `data:`",
        ),
        ({"type": "file", "data": "AAAAAAAAAAAAAAAA"}, "", "bytes of no known kind"),
        ({"type": "file", "data": "iVBORw0KGgo=", "url": "http://x/y"}, "", "`file_type`"),
        ({"type": "file", "file_type": "disk", "path": "/x"}, "", '`file_type` "disk"'),
    ],
    ids=[
        "case 14: text and arguments",
        "neither text nor arguments",
        "template without arguments",
        "call without arguments",
        "result without a result",
        "unknown without data",
        "case 22: data URL",
        "case 22: bytes of no known kind",
        "two kinds of files at once",
        "no such kind of file",
    ],
)
def test_a_malformed_block_is_refused(
    gateway: Gateway, box: FakeProviderThread, block: dict[str, Any], path: str, told: str
) -> None:
    """Its place is told, and nobody is asked."""
    error = refusal(gateway, 400, {"function_name": "plain", **with_content([block])})

    assert error.startswith(f"input.messages[0].content[0]{path}: ")
    assert told in error
    assert box.requests == []


def test_case_15_a_schema_is_for_templates_arguments(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Plain text breaks an object schema; raw text passes by, arguments are rendered."""
    told = refusal(gateway, 400, {"function_name": "typed", **saying("hi")})
    gateway.infer(function_name="typed", **with_content([{"type": "raw_text", "value": "hi"}]))
    gateway.infer(function_name="typed", **with_content({"topic": "frogs"}))
    gateway.infer(
        function_name="typed", **with_content([{"type": "text", "arguments": {"topic": "ponds"}}])
    )

    assert told.startswith("input.messages[0].content[0].text: does not fit its schema: ")
    assert OBJECT_SCHEMA in told
    assert [message["content"] for n in (1, 2, 3) for message in sent(box, n)] == [
        "hi",
        "About frogs.",
        "About ponds.",
    ]


def test_a_schema_failure_does_not_quote_the_input(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """What users write stays out of errors; the place and the rule are told."""
    told = refusal(gateway, 400, {"function_name": "typed", **with_content({"topic": 123454321})})

    assert told.startswith("input.messages[0].content[0].arguments: does not fit its schema: ")
    assert "123454321" not in told
    assert "topic" in told


@pytest.mark.parametrize(
    ("function", "given", "told"),
    [
        ("strict_system", {}, "input.system: missing; it must fit the schema"),
        ("strict_system", {"system": "s"}, "input.system: does not fit its schema"),
        ("strict_system", {"system": {"topic": 1}}, "input.system: does not fit its schema"),
        ("plain", {"system": {"topic": "x"}}, "input.system: found an object; wanted a string"),
        ("legacy", {"system": {"topic": "x"}}, "input.system: found an object; wanted a string"),
        (
            "plain",
            {"messages": [{"role": "user", "content": {"topic": "x"}}]},
            "input.messages[0].content[0].name: found 'user'; wanted",
        ),
        (
            "named",
            {
                "messages": [
                    {"role": "user", "content": "hi"},
                    {
                        "role": "assistant",
                        "content": [{"type": "template", "name": "absent", "arguments": {}}],
                    },
                ]
            },
            "input.messages[1].content[0].name: found 'absent'; wanted",
        ),
    ],
    ids=[
        "case 16: system absent",
        "system a string",
        "system of another shape",
        "case 16: no template for it",
        "legacy template takes text",
        "no template of the role",
        "no template of the name",
    ],
)
def test_input_that_fits_no_variant_is_refused(
    gateway: Gateway, box: FakeProviderThread, function: str, given: dict[str, Any], told: str
) -> None:
    """Before a variant is drawn, with the place of what does not fit."""
    assert refusal(gateway, 400, {"function_name": function, "input": given}).startswith(told)
    assert box.requests == []


def test_a_model_has_no_templates(gateway: Gateway, box: FakeProviderThread) -> None:
    """Called directly, it takes text."""
    system = {"model_name": "box", "input": {"system": {"topic": "x"}}}

    assert refusal(gateway, 400, system).startswith("input.system: found an object; ")
    assert refusal(gateway, 400, {"model_name": "box", **with_content({"topic": "x"})})


TOPIC = [{"type": "template", "name": "topic", "arguments": {"topic": "frogs"}}]


def test_case_17_a_template_may_be_known_to_one_variant_only(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """The variant without it fails, and the next one answers; pinned, it is a bad request."""
    answer = gateway.infer(function_name="named", **with_content(TOPIC))
    pinned = {"function_name": "named", "variant_name": "bare", **with_content(TOPIC)}

    assert answer["variant_name"] == "full"
    assert sent_texts(box) == ["Rules.", "About frogs."]
    assert "there is no template 'topic'" in refusal(gateway, 400, pinned)


def test_case_18_an_undefined_variable_fails_the_variant(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """No model is asked, nothing is recorded."""
    body = {
        "function_name": "two",
        **with_content([{"type": "template", "name": "topic", "arguments": {}}]),
    }

    pinned = gateway.post("/inference", {**body, "variant_name": "first"})
    drawn = gateway.post("/inference", body)

    assert (pinned.status_code, drawn.status_code) == (500, 502)
    assert "variant \"first\": template 'topic', line 1: " in pinned.json()["error"]
    assert 'variant "first"' in drawn.json()["error"]
    assert 'variant "second"' in drawn.json()["error"]
    assert box.requests == []
    for response in (pinned, drawn):
        assert gateway.stored(response.json()["inference_id"]) is None


def test_case_19_each_text_is_rendered_on_its_own(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """A legacy template of the role wraps block after block."""
    blocks = [
        {"type": "text", "text": "one"},
        {"type": "raw_text", "value": "raw"},
        {"type": "text", "text": "two"},
    ]

    gateway.infer(
        function_name="legacy",
        input={"system": "sys", "messages": [{"role": "user", "content": blocks}]},
    )

    assert sent_texts(box) == ["[sys]", "<one>", "raw", "<two>"]


def test_a_legacy_system_template_is_rendered_without_a_system_text(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Its variable is null then, and printed as templates print it."""
    gateway.infer(function_name="legacy", **saying("hi"))

    assert sent_texts(box) == ["[none]", "<hi>"]


def test_values_print_as_templates_print_them(gateway: Gateway, box: FakeProviderThread) -> None:
    """Lower-case words, double quotes: not as Python would."""
    values = [None, True, False, 1, 1.5, "a", {"b": [None, "c"]}]
    blocks = [
        {"type": "template", "name": "values", "arguments": {"values": values}},
        {
            "type": "template",
            "name": "loop",
            "arguments": {"items": [{"name": "x"}, {"name": "y"}]},
        },
    ]

    gateway.infer(function_name="named", variant_name="full", **with_content(blocks))

    assert sent_texts(box) == [
        "Rules.",
        '[none, true, false, 1, 1.5, "a", {"b": [none, "c"]}]',
        "x;y;",
    ]


def test_case_20_a_block_for_one_provider_reaches_it_alone(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """The first provider never sees it, the second does, and the record keeps it."""
    box.will("box", fails(503))
    mine = {"type": "text", "text": "mine"}
    blocks = [
        {"type": "unknown", "data": mine, "model_name": "pair", "provider_name": "two"},
        {"type": "text", "text": "all"},
    ]

    answer = gateway.infer(model_name="pair", **with_content(blocks))

    assert text_of(answer) == "spare"
    first, second = (sent(box, n)[0]["content"] for n in (1, 2))
    assert "mine" not in orjson.dumps(first).decode()
    assert mine in second
    record = stored(gateway, answer)["input"]["messages"][0]["content"]
    assert record == blocks
    calls = gateway.calls(answer["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    kinds = [[block["type"] for block in call["input_messages"][0]["content"]] for call in calls]
    assert kinds == [["text"], ["unknown", "text"]]


def test_a_thought_of_another_type_of_provider_is_left_out(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """What one provider has sealed is of no use to another; the record keeps it."""
    thought = {"type": "thought", "text": "hm", "signature": "s", "provider_type": "anthropic"}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "well"}]},
    ]

    answer = gateway.infer(model_name="box", input={"messages": messages})

    assert "hm" not in box.wait_for_request().body.decode()
    assert stored(gateway, answer)["input"]["messages"][1]["content"][0]["text"] == "hm"


def test_case_21_an_invalid_tool_call_is_sent_back_as_the_model_wrote_it(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Where the checked pair of an answer is null, the raw pair counts."""
    box.will("box", tool_call("no_such_tool", '{"x": ', call_id="call_7"))
    called = gateway.infer(model_name="box", **saying("hi"))["content"]
    box.will("box", says("I see"))

    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": called},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "id": "call_7", "name": "no_such_tool", "result": "none"}
            ],
        },
    ]
    gateway.infer(model_name="box", input={"messages": messages})

    assert called[0]["name"] is None
    _, assistant, tool = sent(box, 2)
    (call,) = assistant["tool_calls"]
    assert call["function"] == {"name": "no_such_tool", "arguments": '{"x": '}
    assert tool == {"role": "tool", "tool_call_id": "call_7", "content": "none"}


def test_the_stored_input_can_be_sent_again(gateway: Gateway, box: FakeProviderThread) -> None:
    """What a record shows is a request's input, block by block."""
    content = [
        {"type": "text", "text": "t"},
        {"type": "raw_text", "value": "r"},
        {"type": "thought", "text": "hm", "signature": None},
        {"type": "unknown", "data": {"type": "text", "text": "u"}},
    ]
    call = {"type": "tool_call", "id": "1", "name": "t", "arguments": {"a": 1}}
    result = {"type": "tool_result", "id": "1", "name": "t", "result": "r"}
    given = {
        "system": "s",
        "messages": [
            {"role": "user", "content": content},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result, *TOPIC]},
        ],
    }
    first = gateway.infer(function_name="named", input=given)

    again = gateway.infer(function_name="named", input=stored(gateway, first)["input"])

    assert stored(gateway, again)["input"] == stored(gateway, first)["input"]
    assert sent(box, 1) == sent(box, 2)
