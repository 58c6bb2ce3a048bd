"""What may be a name."""

import pytest

from tests.unit.config.folder import Folder

METRIC = "{ type = 'float', optimize = 'max', level = 'episode' }"
MODEL = "{ routing = ['p'], providers.p.type = 'echo' }"

RESERVED = {
    "functions.'lsd::x'": "{ type = 'chat', variants = {} }",
    "functions.f": "{ type = 'chat', variants.'lsd::x'.model = 'echo::x' }",
    "models.'lsd::x'": MODEL,
    "models.m": "{ routing = ['lsd::x'], providers.'lsd::x'.type = 'echo' }",
    "tools.'lsd::x'": "{ description = 'x', parameters = 's.json' }",
    "metrics.'lsd::x'": METRIC,
    "models.n": "{ routing = ['p'], providers.p.type = 'echo', namespace = 'lsd::x' }",
    "functions.g": (
        "{ type = 'chat', variants.v = { model = 'echo::x' }, "
        "experimentation.namespaces.'lsd::x' = {} }"
    ),
    "embedding_models.'lsd::x'": MODEL,
    "evaluations.'lsd::x'": "{ type = 'inference', function_name = 'h' }",
    "functions.h": "{ type='chat', variants={}, evaluators.'lsd::x'.type='exact_match' }",
    "functions.k": (
        "{ type='chat', variants={}, evaluators.e = { type='llm_judge', output_type='float', "
        "optimize='max', variants.'lsd::x' = { model='echo::x', system_instructions='s.json' } } }"
    ),
}


@pytest.mark.parametrize("key", RESERVED)
def test_reserved_names_are_refused(folder: Folder, key: str) -> None:
    """Of whatever they are the name."""
    folder.write("s.json", "{}")

    problems = folder.problems(f"{key} = {RESERVED[key]}")  # case 15

    reserved = [path for path, told in problems.items() if "names that start" in told]
    assert len(reserved) == 1
    assert "lsd::x" in reserved[0] or reserved[0].endswith("namespace")


@pytest.mark.parametrize("name", ["comment", "demonstration", "a b", "ä", "a(b)"])
def test_metrics_have_few_characters(folder: Folder, name: str) -> None:
    """Their names stand in requests and in figures."""
    (path,) = folder.problems(f"metrics.'{name}' = {METRIC}")  # case 15

    assert path.startswith("metrics.")


def test_all_other_characters_of_metrics_are_fine(folder: Folder) -> None:
    """Dots, slashes and colons group them."""
    folder.load(f"metrics.'A-z_0.1:2/3' = {METRIC}")


@pytest.mark.parametrize("name", ["openai::mine", "vllm::x", "aws_bedrock::y", "echo::"])
def test_models_are_not_named_like_shorthands(folder: Folder, name: str) -> None:
    """Of any provider type, so that the order of looking up never matters."""
    told = folder.problem(f"models.'{name}' = {MODEL}")  # case 15

    assert "is a shorthand; choose another name" in told


def test_a_name_has_one_to_128_bytes(folder: Folder) -> None:
    """Counted in UTF-8."""
    folder.load(f"models.'{'ä' * 64}' = {MODEL}")

    assert "found a name of 130 bytes" in folder.problem(f"models.'{'ä' * 65}' = {MODEL}")
    assert "found a name of 0 bytes" in folder.problem(f"models.'' = {MODEL}")


def test_control_characters_are_refused(folder: Folder) -> None:
    """And shown in a form that does no harm."""
    told = folder.problem('models."a\\u001bb" = ' + MODEL)

    assert told == 'models."a\\u001Bb": found a control character in a name'


def test_evaluations_and_evaluators_have_no_double_colon(folder: Folder) -> None:
    """Names of metrics are made of theirs."""
    problems = folder.problems(
        """
        functions.f = { type = "chat", variants = {}, evaluators."a::b".type = "exact_match" }
        evaluations."c::d" = { type = "inference", function_name = "f" }
        """
    )

    assert [path for path, told in problems.items() if "found ::" in told] == [
        'evaluations."c::d"',
        'functions.f.evaluators."a::b"',
    ]
