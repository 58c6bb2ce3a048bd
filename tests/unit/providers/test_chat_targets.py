"""Which type takes what: one row for each provider, as the manual shows it."""

from typing import Any

import pytest

from lsd.config import DynamicLocation
from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    ChatCompletionParams,
    CustomTool,
    FunctionTool,
    ToolSet,
    UrlFile,
)
from tests.unit.providers.recorded import CHAT_TYPES, body, make_dialect, refused, request, warned

TOOL = FunctionTool(name="wx", description="", parameters={}, strict=True)
OTHER = FunctionTool(name="tm", description="", parameters={})
SCHEMA = {"type": "object"}

NEW, OLD = "max_completion_tokens", "max_tokens"
WITHOUT = "warned"
"""The parameter is left out with a warning."""

ROWS = {
    "openai": (NEW, "seed", "S", {"auto", "default", "flex", "priority"}, "S", WITHOUT),
    "azure": (NEW, "seed", "S", {"auto", "default"}, "S", WITHOUT),
    "groq": (NEW, "seed", "S", {"auto", "flex"}, WITHOUT, WITHOUT),
    "openrouter": (NEW, "seed", "reasoning", set(), "S", "reasoning"),
    "mistral": (OLD, "random_seed", "S", set(), WITHOUT, WITHOUT),
    "together": (OLD, "seed", "S", set(), WITHOUT, WITHOUT),
    "fireworks": (OLD, WITHOUT, "S", set(), WITHOUT, WITHOUT),
    "deepseek": (OLD, "seed", "S", set(), WITHOUT, WITHOUT),
    "xai": (OLD, "seed", "S", set(), WITHOUT, WITHOUT),
    "hyperbolic": (OLD, "seed", "S", set(), WITHOUT, WITHOUT),
    "vllm": (OLD, "seed", "S", set(), WITHOUT, WITHOUT),
    "sglang": (OLD, "seed", "S", set(), WITHOUT, WITHOUT),
    "tgi": (OLD, "seed", WITHOUT, set(), WITHOUT, WITHOUT),
}
"""Token limit, seed, reasoning_effort, service tiers, verbosity, thinking_budget_tokens."""


def sent(provider_type: str, **params: Any) -> dict[str, Any]:
    """The fields that these parameters become."""
    whole = body(make_dialect(provider_type), request(params=ChatCompletionParams(**params)))
    return {key: whole[key] for key in whole if key not in ("messages", "model", "stream")}


def test_every_type_has_its_row() -> None:
    """A new type is not forgotten here."""
    assert set(ROWS) == set(CHAT_TYPES)


@pytest.mark.parametrize("provider_type", ROWS)
def test_parameters_are_sent_or_warned_of(provider_type: str) -> None:
    """No caller wonders why a parameter had no effect."""
    limit, seed, effort, tiers, verbosity, budget = ROWS[provider_type]

    assert sent(provider_type, max_tokens=9) == {limit: 9}
    for parameter, key, value in (
        ("seed", seed, 7),
        ("reasoning_effort", effort, "low"),
        ("verbosity", verbosity, "low"),
        ("thinking_budget_tokens", budget, 100),
    ):
        warnings = warned(
            make_dialect(provider_type),
            request(params=ChatCompletionParams(**{parameter: value})),
        )
        assert warnings == ([parameter] if key is WITHOUT else [])
        if key is WITHOUT:
            assert sent(provider_type, **{parameter: value}) == {}
        elif key != "reasoning":
            assert sent(provider_type, **{parameter: value}) == {
                parameter if key == "S" else key: value
            }
    for tier in ("auto", "default", "flex", "priority"):
        asked = request(params=ChatCompletionParams(service_tier=tier))
        assert (warned(make_dialect(provider_type), asked) == []) is (tier in tiers)
        assert sent(provider_type, service_tier=tier) == (
            {"service_tier": tier} if tier in tiers else {}
        )


@pytest.mark.parametrize("provider_type", sorted(set(ROWS) - {"hyperbolic"}))
def test_parallel_tool_calls_and_strict_tools(provider_type: str) -> None:
    """Two types take no word on parallel calls, two none on strict arguments."""
    whole = body(make_dialect(provider_type), request(tools=ToolSet(tools=(TOOL,), parallel=False)))

    silent = ("fireworks", "deepseek")
    assert ("parallel_tool_calls" in whole) is (provider_type not in silent)
    strict = whole["tools"][0]["function"].get("strict")
    assert strict is (None if provider_type in ("mistral", "fireworks") else True)


@pytest.mark.parametrize("provider_type", ROWS)
def test_usage_of_streams_is_asked_for_where_that_is_known(provider_type: str) -> None:
    """Four types refuse or ignore the option, and send usage unasked or never."""
    whole = body(make_dialect(provider_type), request(stream=True))

    without = ("mistral", "together", "fireworks", "hyperbolic")
    assert ("stream_options" in whole) is (provider_type not in without)


@pytest.mark.parametrize("provider_type", sorted(set(ROWS) - {"hyperbolic"}))
def test_allowed_tools_are_named_or_filtered(provider_type: str) -> None:
    """Case 18: four types have an allow-list, all others get only what may be called."""
    tools = ToolSet(tools=(TOOL, OTHER), allowed=("tm",))

    whole = body(make_dialect(provider_type), request(tools=tools))

    if provider_type in ("openai", "azure", "groq", "openrouter"):
        assert whole["tool_choice"]["type"] == "allowed_tools"
        assert len(whole["tools"]) == 2
    else:
        assert whole["tool_choice"] == "auto"
        assert [tool["function"]["name"] for tool in whole["tools"]] == ["tm"]


@pytest.mark.parametrize("provider_type", ROWS)
def test_custom_tools_are_openais(provider_type: str) -> None:
    """Any other type fails the attempt and says so."""
    asked = request(tools=ToolSet(tools=(CustomTool(name="sql"),)))

    if provider_type in ("openai", "azure"):
        assert body(make_dialect(provider_type), asked)["tools"][0]["type"] == "custom"
    else:
        told = refused(make_dialect(provider_type), asked)
        assert f"custom tools not supported by {provider_type}" in told


@pytest.mark.parametrize("provider_type", ROWS)
def test_detail_of_images_is_sent_to_three(provider_type: str) -> None:
    """Case 13: dropped with a warning elsewhere."""
    asked = request([UrlFile(url="https://x/y", mime_type="image/png", detail="low")])

    takes = provider_type in ("openai", "azure", "xai")
    assert ("detail" in str(body(make_dialect(provider_type), asked))) is takes
    assert warned(make_dialect(provider_type), asked) == ([] if takes else ["detail"])


@pytest.mark.parametrize("provider_type", ROWS)
def test_the_json_instruction_is_added_where_it_is_needed(provider_type: str) -> None:
    """Case 14: four types hold to JSON without the word."""
    asked = request(json_mode="on", output_schema=SCHEMA)

    said = body(make_dialect(provider_type), asked)["messages"][0]["content"]

    needs = provider_type not in ("mistral", "together", "fireworks", "vllm")
    assert said == ("Respond using JSON." if needs else "Hi")


OBJECT = {"type": "json_object"}
STRICT = {
    "type": "json_schema",
    "json_schema": {"name": "response", "strict": True, "schema": SCHEMA},
}
UNSTRICT = {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA}}
BESIDE = {"type": "json_object", "schema": SCHEMA}
FORMATS: dict[str, tuple[Any, Any, Any]] = {
    "openai": (OBJECT, STRICT, OBJECT),
    "azure": (OBJECT, STRICT, OBJECT),
    "groq": (OBJECT, STRICT, OBJECT),
    "openrouter": (OBJECT, STRICT, OBJECT),
    "mistral": (OBJECT, UNSTRICT, OBJECT),
    "together": (BESIDE, BESIDE, OBJECT),
    "fireworks": (OBJECT, UNSTRICT, OBJECT),
    "deepseek": (OBJECT, OBJECT, OBJECT),
    "xai": (OBJECT, STRICT, OBJECT),
    "hyperbolic": (None, None, None),
    "vllm": (STRICT, STRICT, OBJECT),
    "sglang": (STRICT, STRICT, "refused"),
    "tgi": (None, None, None),
}
"""The response format with mode on and a schema, strict and a schema, strict without one."""


@pytest.mark.parametrize("provider_type", FORMATS)
def test_json_modes_become_response_formats(provider_type: str) -> None:
    """Case 15: each type is asked for JSON in the best way that it has."""
    dialect = make_dialect(provider_type)
    for asked, wanted in zip(
        (
            request(json_mode="on", output_schema=SCHEMA),
            request(json_mode="strict", output_schema=SCHEMA),
            request(json_mode="strict"),
        ),
        FORMATS[provider_type],
        strict=True,
    ):
        if wanted == "refused":
            assert refused(dialect, asked) == "sglang: json_mode 'strict' needs a schema"
        else:
            assert body(dialect, asked).get("response_format") == wanted
    assert "response_format" not in body(dialect, request(output_schema=SCHEMA))


@pytest.mark.parametrize(
    ("provider_type", "url"),
    [
        ("openai", "https://api.openai.com/v1/chat/completions"),
        ("groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("mistral", "https://api.mistral.ai/v1/chat/completions"),
        ("together", "https://api.together.xyz/v1/chat/completions"),
        ("fireworks", "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("deepseek", "https://api.deepseek.com/v1/chat/completions"),
        ("openrouter", "https://openrouter.ai/api/v1/chat/completions"),
        ("xai", "https://api.x.ai/v1/chat/completions"),
        ("hyperbolic", "https://api.hyperbolic.xyz/v1/chat/completions"),
        ("vllm", "http://gpu1:8000/v1/chat/completions"),
        ("sglang", "http://gpu1:8000/v1/chat/completions"),
        ("tgi", "http://gpu1:8000/v1/chat/completions"),
    ],
)
def test_each_type_lives_where_it_lives(provider_type: str, url: str) -> None:
    """Hosted types have their own address, on-premises ones the configured base."""
    wire = make_dialect(provider_type).encode(request(), {"api_key": "k"}, NO_EDITS)

    assert wire.url == url
    assert wire.headers["Authorization"] == "Bearer k"


def test_the_endpoint_of_azure_may_come_with_the_request() -> None:
    """A dynamic endpoint is used for this request only, and must be there."""
    dialect = make_dialect("azure", endpoint=DynamicLocation("where"))

    wire = dialect.encode(request(), {"api_key": "k", "endpoint": "https://a.example/"}, NO_EDITS)

    assert wire.url.startswith("https://a.example/openai/deployments/d-1/chat/completions?")
    assert "found nothing at dynamic::where" in refused(dialect, request())


@pytest.mark.parametrize("endpoint", ["nowhere", "ftp://a.example", "https://", "http://[", ""])
def test_an_endpoint_that_is_no_url_fails_the_attempt(endpoint: str) -> None:
    """Nothing is sent, and the value, which may be a misplaced secret, is not shown."""
    dialect = make_dialect("azure", endpoint=DynamicLocation("where"))

    with pytest.raises(AttemptFailed) as failed:
        dialect.encode(request(), {"api_key": "k", "endpoint": endpoint}, NO_EDITS)

    assert failed.value.kind == "config"
    assert failed.value.text.startswith("azure: ")
