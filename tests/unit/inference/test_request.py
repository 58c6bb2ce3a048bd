"""The body of `POST /inference`: what is taken, and how exactly what is not is told."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    UNSET_PARAMS,
    ChatCompletionParams,
    Input,
    InputMessage,
    Malformed,
    Template,
    Text,
    ToolCall,
    encode_json,
)
from lsd.inference import InferenceRequest, read_inference_request
from lsd.inference.request import CacheOptions, Params

HI: dict[str, Any] = {"input": {"messages": [{"role": "user", "content": "Hi"}]}}


def read(**fields: Any) -> InferenceRequest:
    """The request of these fields, and an input unless there is one."""
    return read_inference_request(encode_json({**HI, **fields}))


def problems(body: Any) -> list[str]:
    """Everything that is wrong with a body."""
    with pytest.raises(Malformed) as malformed:
        read_inference_request(body if isinstance(body, bytes) else encode_json(body))
    return [str(problem) for problem in malformed.value.problems]


def problem(**fields: Any) -> str:
    """The only thing that is wrong with a request of these fields."""
    (only,) = problems({**HI, **fields})
    return only


def params(**fields: Any) -> ChatCompletionParams:
    """The sampling parameters as they are read."""
    return read(params={"chat_completion": fields}).params.chat_completion


def test_a_request_may_say_nearly_nothing() -> None:
    """Of all fields only `input` is required; everything else has its default."""
    request = read()

    assert request == InferenceRequest(
        input=Input(messages=(InputMessage(role="user", content=(Text(text="Hi"),)),))
    )
    assert request.tags == {}
    assert request.credentials == {}
    assert request.params == Params(chat_completion=UNSET_PARAMS)
    assert not request.include_raw_response


@pytest.mark.parametrize(
    "field",
    [
        "function_name",
        "model_name",
        "episode_id",
        "variant_name",
        "stream",
        "dryrun",
        "namespace",
        "allowed_tools",
        "additional_tools",
        "tool_choice",
        "parallel_tool_calls",
        "output_schema",
        "internal_dynamic_variant_config",
    ],
)
def test_null_is_absence_where_clients_send_it(field: str) -> None:
    """Clients that send all of their fields may do so."""
    assert read(**{field: None}) == read()


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("input", "an object"),
        ("tags", "an object"),
        ("params", "an object"),
        ("provider_tools", "an array"),
        ("cache_options", "an object"),
        ("credentials", "an object"),
        ("extra_body", "an array"),
        ("extra_headers", "an array"),
        ("include_raw_response", "true or false"),
        ("include_raw_usage", "true or false"),
        ("include_aggregated_response", "true or false"),
        ("include_original_response", "true or false"),
        ("internal", "true or false"),
    ],
)
def test_null_is_wrong_where_a_value_is_meant(field: str, wanted: str) -> None:
    """These fields are given or left out."""
    assert problem(**{field: None}) == f"{field}: found null; wanted {wanted}"


def test_every_field_has_its_rule_for_null() -> None:
    """No field of the request is forgotten above."""
    marks = [
        mark
        for test in (
            test_null_is_absence_where_clients_send_it,
            test_null_is_wrong_where_a_value_is_meant,
        )
        for mark in test.pytestmark  # type: ignore[attr-defined]
    ]
    listed = {each if isinstance(each, str) else each[0] for mark in marks for each in mark.args[1]}

    assert listed == {field.name for field in attrs.fields(InferenceRequest)}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"functon_name": "f"}, "functon_name: unknown key; did you mean function_name? known"),
        ({"params": {"other": {}}}, "params.other: unknown key; known keys: chat_completion"),
        (
            {"params": {"chat_completion": {"temprature": 1}}},
            "params.chat_completion.temprature: unknown key; did you mean temperature? known",
        ),
        ({"cache_options": {"ttl": 1}}, "cache_options.ttl: unknown key; known keys: enabled, max"),
        (
            {"input": {"sytem": ""}},
            "input.sytem: unknown key; did you mean system? known keys: mes",
        ),
        (
            {"input": {"messages": [{"role": "user", "content": "", "name": "n"}]}},
            "input.messages[0].name: unknown key; known keys: content, role",
        ),
        (
            {
                "input": {
                    "messages": [{"role": "user", "content": [{"type": "raw_text", "text": "t"}]}]
                }
            },
            "input.messages[0].content[0].value: missing; it is required",
        ),
        (
            {"extra_body": [{"pointer": "/a", "value": 1, "provider": "p"}]},
            "extra_body[0].provider: unknown key; known keys: delete",
        ),
        (
            {"extra_headers": [{"name": "a", "value": "", "pointer": "/a"}]},
            "extra_headers[0].pointer: unknown key; known keys: delete, model_name, name,",
        ),
        (
            {
                "additional_tools": [
                    {"name": "n", "description": "", "parameters": {}, "strct": True}
                ]
            },
            "additional_tools[0].strct: unknown key; did you mean strict? known keys:",
        ),
        (
            {"provider_tools": [{"tool": {}, "scope": {"model_name": "m", "x": 1}}]},
            "provider_tools[0].scope.x: unknown key; known keys: model_name, provider_name",
        ),
    ],
    ids=[
        "top level",
        "params",
        "params.chat_completion",
        "cache_options",
        "input",
        "message",
        "block",
        "extra_body",
        "extra_headers",
        "tool",
        "scope",
    ],
)
def test_unknown_keys_are_refused_at_every_level(fields: dict[str, Any], told: str) -> None:
    """A typing error is never passed over; the path tells where it is."""
    assert told in "\n".join(problems({**HI, **fields}))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body is not JSON: "),
        (b"{", "the body is not JSON: "),
        (b'{"input": NaN}', "the body is not JSON: "),
        (b"\xff", "the body is not JSON: "),
        (b'{"input": {"system": "\\ud800"}}', "the body is not JSON: "),
        (b"[" * 300 + b"]" * 300, "the body is not JSON: nested more than "),
        (b"5", "found 5; wanted an object"),
        (b"null", "found null; wanted an object"),
        (b"[]", "found an array of 0; wanted an object"),
        (b"{}", "input: missing; it is required"),
    ],
)
def test_a_body_is_a_json_object(body: bytes, told: str) -> None:
    """Empty bodies, half ones and other things are told as what they are."""
    (only,) = problems(body)

    assert only.startswith(told)


def test_of_equal_keys_the_last_counts() -> None:
    """Twice the same key is legal JSON; the later value wins."""
    request = read_inference_request(b'{"input": {}, "stream": false, "stream": true}')

    assert request.stream is True


def test_all_problems_are_told_at_once() -> None:
    """Three mistakes are told in one answer, each with its path."""
    told = problems({"input": {"messages": [{"role": "cat"}]}, "stream": 1, "tags": {"n": 1}})

    assert told == [
        'input.messages[0].role: found "cat"; wanted one of "user", "assistant"',
        "input.messages[0].content: missing; it is required",
        "stream: found 1; wanted true or false",
        "tags.n: found 1; wanted a string",
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"function_name": 5}, "function_name: found 5; wanted a string"),
        ({"stream": "true"}, 'stream: found "true"; wanted true or false'),
        ({"dryrun": 0}, "dryrun: found 0; wanted true or false"),
        ({"tags": []}, "tags: found an array of 0; wanted an object"),
        ({"tags": {"a": None}}, "tags.a: found null; wanted a string"),
        ({"tags": {"a": {}}}, "tags.a: found an object; wanted a string"),
        ({"credentials": {"k": 1}}, "credentials.k: found 1; wanted a string"),
        ({"allowed_tools": "t"}, 'allowed_tools: found "t"; wanted an array'),
        ({"allowed_tools": [1]}, "allowed_tools[0]: found 1; wanted a string"),
        ({"output_schema": True}, "output_schema: found true; wanted an object"),
        ({"output_schema": "{}"}, 'output_schema: found "{}"; wanted an object'),
        ({"cache_options": "on"}, 'cache_options: found "on"; wanted an object'),
        (
            {"cache_options": {"enabled": True}},
            'cache_options.enabled: found true; wanted one of "off", "on", "read_only",',
        ),
        (
            {"cache_options": {"max_age_s": -1}},
            "cache_options.max_age_s: found -1; wanted an integer ≥ 0",
        ),
        (
            {"cache_options": {"max_age_s": 1.5}},
            "cache_options.max_age_s: found 1.5; wanted an integer",
        ),
        (
            {"internal_dynamic_variant_config": []},
            "internal_dynamic_variant_config: found an array of 0; wanted an object",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value.partition(":")[0],
)
def test_values_are_taken_literally(fields: dict[str, Any], told: str) -> None:
    """A number is no string, a string no flag, and nothing is guessed."""
    assert problem(**fields).startswith(told)


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, CacheOptions(enabled="off")),
        ({"enabled": "read_only"}, CacheOptions(enabled="read_only")),
        ({"enabled": "on", "max_age_s": 0}, CacheOptions(enabled="on", max_age_s=0)),
        ({"enabled": None, "max_age_s": None}, CacheOptions(enabled="off")),
    ],
)
def test_the_cache_is_off_unless_asked_for(fields: dict[str, Any], options: CacheOptions) -> None:
    """An empty `cache_options` changes nothing."""
    assert read(cache_options=fields).cache_options == options


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(ChatCompletionParams)])
def test_a_param_that_is_null_is_not_set(name: str) -> None:
    """Null is absence in every sampling parameter."""
    assert params(**{name: None}) == UNSET_PARAMS


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"temperature": "1"}, 'temperature: found "1"; wanted a number'),
        ({"temperature": True}, "temperature: found true; wanted a number"),
        ({"top_p": []}, "top_p: found an array of 0; wanted a number"),
        ({"max_tokens": 1.0}, "max_tokens: found 1.0; wanted an integer"),
        ({"max_tokens": -1}, "max_tokens: found -1; wanted an integer from 0 to 4294967295"),
        ({"max_tokens": 2**32}, "max_tokens: found 4294967296; wanted an integer from 0 to 42949"),
        ({"seed": -1}, "seed: found -1; wanted an integer from 0 to 4294967295"),
        ({"seed": True}, "seed: found true; wanted an integer"),
        ({"stop_sequences": "END"}, 'stop_sequences: found "END"; wanted an array'),
        ({"stop_sequences": [1]}, "stop_sequences[0]: found 1; wanted a string"),
        (
            {"json_mode": "json"},
            'json_mode: found "json"; wanted one of "off", "on", "strict", "to',
        ),
        ({"reasoning_effort": 1}, "reasoning_effort: found 1; wanted a string"),
        ({"service_tier": "vip"}, 'service_tier: found "vip"; wanted one of "auto", "default", "p'),
        (
            {"thinking_budget_tokens": 2**31},
            "thinking_budget_tokens: found 2147483648; wanted an integer from -2147483648 to 21474",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value.partition(";")[0],
)
def test_params_have_types_and_bounds(fields: dict[str, Any], told: str) -> None:
    """A sampling parameter that no model could take is refused before any is asked."""
    assert problem(params={"chat_completion": fields}).startswith(f"params.chat_completion.{told}")


def test_params_are_kept_as_they_were_written() -> None:
    """An integer stays one, the bounds themselves are legal, words are free where they may be."""
    made = params(
        temperature=1,
        top_p=0.5,
        max_tokens=0,
        seed=2**32 - 1,
        stop_sequences=[],
        reasoning_effort="ludicrous",
        thinking_budget_tokens=-1,
    )

    assert made == ChatCompletionParams(
        temperature=1,
        top_p=0.5,
        max_tokens=0,
        seed=2**32 - 1,
        stop_sequences=(),
        reasoning_effort="ludicrous",
        thinking_budget_tokens=-1,
    )
    assert type(made.temperature) is int


def test_json_by_a_tool_has_an_older_name() -> None:
    """`implicit_tool` means `tool`."""
    assert params(json_mode="implicit_tool").json_mode == "tool"
    assert params(json_mode="tool").json_mode == "tool"


def test_content_has_short_forms() -> None:
    """A string is one text block, an object the arguments of the role's template."""
    messages = read(
        input={
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": {"mood": "calm"}},
                {"role": "user", "content": [{"type": "text", "arguments": {"a": 1}}]},
                {"role": "user", "content": []},
            ]
        }
    ).input.messages

    assert [message.content for message in messages] == [
        (Text(text="Hi"),),
        (Text(text="Hi"),),
        (Template(name="assistant", arguments={"mood": "calm"}),),
        (Template(name="user", arguments={"a": 1}),),
        (),
    ]


def test_a_tool_call_can_be_sent_back_as_it_was_answered() -> None:
    """Where the answer's name or arguments are null, what the model had written counts."""
    echo = {"type": "tool_call", "id": "c", "raw_name": "f", "raw_arguments": "{", "extra": 1}
    both = {**echo, "name": None, "arguments": None}
    parsed = {**echo, "name": "g", "arguments": {"a": [1, 2]}}
    half = {**echo, "name": "g", "arguments": None}

    (message,) = read(
        input={"messages": [{"role": "assistant", "content": [both, parsed, half]}]}
    ).input.messages

    assert message.content == (
        ToolCall(id="c", name="f", arguments="{"),
        ToolCall(id="c", name="g", arguments='{"a":[1,2]}'),
        ToolCall(id="c", name="f", arguments="{"),
    )


def test_secrets_do_not_show_when_a_request_is_printed() -> None:
    """A request may end up in a log or a traceback; credentials and headers do not."""
    request = read(
        credentials={"k": "sk-12345"}, extra_headers=[{"name": "x-key", "value": "sk-67890"}]
    )

    assert "sk-12345" not in repr(request)
    assert "sk-67890" not in repr(request)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([field.name for field in attrs.fields(InferenceRequest)])


@given(fields=st.dictionaries(FIELDS, JSON_VALUES, max_size=5))
def test_whatever_a_field_holds_it_is_taken_or_told(fields: dict[str, Any]) -> None:
    """No JSON value makes reading break: there is a request, or a list of problems with paths."""
    try:
        read_inference_request(encode_json({**HI, **fields}))
    except Malformed as malformed:
        told = [str(problem) for problem in malformed.problems]
        assert told
        assert all(line.startswith(tuple(fields)) for line in told)
