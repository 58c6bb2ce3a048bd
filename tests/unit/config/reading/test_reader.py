"""From tables to classes."""

from decimal import Decimal

import pytest

from lsd.config import OpenAIProvider
from tests.unit.config.folder import Folder

FUNCTION = '[functions.f]\ntype = "chat"\n'
PROVIDER = """
[models.m]
routing = ["p"]
[models.m.providers.p]
type = "openai"
api_key_location = "none"
model_name = "x"
"""


def test_an_unknown_key_is_told_with_its_path_and_the_known_ones(folder: Folder) -> None:
    """And with a guess where one is near."""
    far = folder.problem(PROVIDER + "timeouts = { bad = 1 }")  # case 5
    near = folder.problem(PROVIDER + "timeouts = { streaming = { ttft = 1 } }")

    path = "models.m.providers.p.timeouts"
    assert far == f"{path}.bad: unknown key; known keys: non_streaming, streaming"
    assert near == f"{path}.streaming.ttft: unknown key; known keys: idle_ms, total_ms, ttft_ms"
    guessed = folder.problem(PROVIDER + "modelname = 'x'")
    assert "did you mean model_name? known keys: api_base, " in guessed


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("typo = 1", "typo"),
        ("[gateway]\ntypo = 1", "gateway.typo"),
        ("[gateway.export.otlp]\ntypo = 1", "gateway.export.otlp.typo"),
        ("[models.m]\nrouting=['p']\nproviders={}\ntypo=1", "models.m.typo"),
        (PROVIDER + "typo = 1", "models.m.providers.p.typo"),
        (PROVIDER + "cost = [{ typo = 1 }]", "models.m.providers.p.cost[0].typo"),
        (FUNCTION + "variants={}\ntypo = 1", "functions.f.typo"),
        (FUNCTION + "variants={}\noutput_schema = 'x'", "functions.f.output_schema"),
        (FUNCTION + "variants.v={model='echo::x', typo=1}", "functions.f.variants.v.typo"),
        (
            FUNCTION + "variants.v={model='echo::x', retries={max_dealy_s=1}}",
            "functions.f.variants.v.retries.max_dealy_s",
        ),
        (
            FUNCTION
            + "variants={}\nexperimentation={type='static', candidate_variants=[], typo=1}",
            "functions.f.experimentation.typo",
        ),
        (
            FUNCTION + "variants={}\nexperimentation.namespaces.n.namespaces.x={}",
            "functions.f.experimentation.namespaces.n.namespaces",
        ),
        ("[metrics.x]\ntype='float'\noptimize='max'\nlevel='episode'\ntypo=1", "metrics.x.typo"),
        ("[[rate_limiting.rules]]\nalways = true\ntypo = 1", "rate_limiting.rules[0].typo"),
        (
            "[[rate_limiting.rules]]\nalways=true\nscope={tag_key='a',tag_value='b',c=1}",
            "rate_limiting.rules[0].scope.c",
        ),
        ("[object_storage]\ntype='disabled'\npath='x'", "object_storage.path"),
        ("[provider_types.echo]\nx=1", "provider_types.echo"),
    ],
)
def test_unknown_keys_are_refused_everywhere(folder: Folder, text: str, path: str) -> None:
    """At every level, in tables with a type by the keys of that type."""
    problems = folder.problems(text)  # case 6

    assert problems[path].startswith("unknown key; ")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("max_tokens = 5.0", "found 5.0; wanted an integer"),
        ("max_tokens = '5'", 'found "5"; wanted an integer'),
        ("max_tokens = true", "found true; wanted an integer"),
        ("temperature = '1'", 'found "1"; wanted a number'),
        ("temperature = nan", "found nan; wanted a number"),
        ("stop_sequences = 'x'", 'found "x"; wanted a list of strings'),
        ("stop_sequences = {}", "found a table; wanted a list of strings"),
        ("json_mode = 'loud'", 'found "loud"; wanted "off" or "on" or "strict" or "tool"'),
        ("extra_body = { pointer = '/x' }", "found a table; wanted a list of tables"),
        ("retries = 3", "found an integer; wanted a table"),
        ("templates = 'x'", "found a string; wanted a table"),
        ("user_template = 5", "found 5; wanted a string, the path of a file"),
    ],
)
def test_types_are_exact(folder: Folder, value: str, told: str) -> None:
    """Nothing is converted."""
    key = value.partition(" ")[0]  # cases 8 and 23

    problems = folder.problems(f"{FUNCTION}[functions.f.variants.v]\nmodel='echo::x'\n{value}")

    assert problems == {f"functions.f.variants.v.{key}": told}


def test_an_integer_is_a_number(folder: Folder) -> None:
    """`temperature = 1` is what people write."""
    loaded = folder.load(  # case 8
        FUNCTION + "[functions.f.variants.v]\nmodel='echo::x'\ntemperature = 1\nseed = 0"
    )

    variant = loaded.config.functions["f"].variants["v"]
    assert variant.type == "chat_completion"
    assert variant.temperature == 1.0


def test_missing_keys_are_told_with_what_belongs_there(folder: Folder) -> None:
    """All of them at once."""
    problems = folder.problems(
        """
        [functions.f]
        variants = {}
        [functions.g]
        type = "json"
        variants = {}
        [functions.h]
        type = "chat"
        [functions.h.variants.v]
        [models.m]
        routing = ["p"]
        [models.m.providers.p]
        """
    )  # case 16

    assert problems == {
        "functions.f.type": 'missing; it is required; wanted "chat" or "json"',
        "functions.g.output_schema": (
            "missing; it is required; wanted a string, the path of a JSON Schema file"
        ),
        "functions.h.variants.v.model": "missing; it is required; wanted a string",
        "models.m.providers.p.type": problems["models.m.providers.p.type"],
    }
    assert '"openai"' in problems["models.m.providers.p.type"]


def test_an_unknown_type_is_told_with_the_known_ones(folder: Folder) -> None:
    """Tables with a type have the keys of that type only."""
    told = folder.problem("[object_storage]\ntype = 'tape'")

    assert told == (
        'object_storage.type: found "tape"; wanted "disabled" or "filesystem" or "s3_compatible"'
    )


def test_the_file_in_a_message_is_the_one_that_holds_the_key(folder: Folder) -> None:
    """For a missing key it is the one that opens the table."""
    folder.write("a.toml", "[models.m]\nprovidrs = {}")
    folder.write("b.toml", "[models.m]\nskip_relay = 1")

    lines = folder.refused(config=("*.toml",))

    assert [line.partition(": ")[0] for line in lines] == ["a.toml", "a.toml", "a.toml", "b.toml"]


def test_old_types_are_taken_with_a_warning(folder: Folder) -> None:
    """They mean what they meant."""
    table = (
        FUNCTION
        + "variants.a={type='experimental_mixture_of_n', candidates=['b'], "
        + "fuser={model='echo::x'}}\nvariants.b={model='echo::x'}"
    )

    assert folder.problems(table) == {}
    assert folder.problems(table.replace("experimental_", "exprimental_")) != {}


def test_deprecated_keys_are_warned_of(folder: Folder) -> None:
    """They keep working."""
    folder.write("w.txt", "{{ user_text }}")

    loaded = folder.load(
        FUNCTION + "[functions.f.variants.v]\nmodel='echo::x'\ninput_wrappers.user='w.txt'"
    )

    assert loaded.warnings == (
        "lsd.toml: functions.f.variants.v.input_wrappers.user: deprecated; write user_template",
    )


def test_money_is_exact(folder: Folder) -> None:
    """To the last digit that was written."""
    loaded = folder.load(
        PROVIDER + "cost = [{ pointer = '/a', cost_per_million = 0.1000000000000000055 }]"
    )

    provider = loaded.config.models["m"].providers["p"]
    assert isinstance(provider, OpenAIProvider)
    assert provider.cost[0].cost_per_million == Decimal("0.1000000000000000055")


def test_a_pasted_key_is_never_shown(folder: Folder) -> None:
    """Who puts the credential where its location belongs should not find it in a log."""
    wrong = folder.problems(
        PROVIDER.replace('"none"', '"sk-very-secret"')
        + "extra_headers = [{ name = 'A', value = ['sk-very-secret'] }]"
    )
    later = folder.refused(PROVIDER.replace('"none"', '"sk-very-secret"'))  # case 21
    header = folder.refused(
        PROVIDER + "extra_headers = [{ name = 'A', value = 'sk-very-secret ä' }]"
    )

    assert "sk-very-secret" not in f"{wrong}{later}{header}"
    assert (
        "env::VAR, path::/absolute/file, path_from_env::VAR, dynamic::name, sdk, none" in later[0]
    )
