"""Values that hold no others."""

import pytest

from tests.unit.config.folder import BASIS, Folder


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        (
            "gateway.bind_address = 3000",
            "gateway.bind_address",
            'found 3000; wanted "ip:port"',
        ),
        (
            "gateway.bind_address = 'localhost:3000'",
            "gateway.bind_address",
            'found "localhost:3000"; wanted "ip:port", such as 127.0.0.1:3000 or [::]:3000',
        ),
        (
            "gateway.base_path = 'llm'",
            "gateway.base_path",
            'found "llm"; wanted a path that starts with /, such as /llm',
        ),
        (
            "gateway.max_request_bytes = '5 MB'",
            "gateway.max_request_bytes",
            'found "5 MB"; wanted a size: an integer, or a string such as "64 MiB"',
        ),
        ("storage.path = 5", "storage.path", "found 5; wanted a string, a path"),
        ("storage.path = ''", "storage.path", "found an empty path"),
        (
            "rate_limiting.default_cost = '1'",
            "rate_limiting.default_cost",
            'found "1"; wanted a number',
        ),
    ],
)
def test_each_form_is_told(folder: Folder, text: str, path: str, told: str) -> None:
    """What was found, and what would be right."""
    assert folder.problems(text) == {path: told}


def test_a_text_that_does_not_parse_leaves_the_other_checks_going(folder: Folder) -> None:
    """It is a wrong value of the right type."""
    problems = folder.problems(
        "gateway.base_path = 'llm'\nmodels.m = { routing = [], providers = {} }"
    )

    assert list(problems) == ["gateway.base_path", "models.m.routing"]


def test_any_value_of_toml_can_be_sent(folder: Folder) -> None:
    """Dates become text, floats stay floats, and what JSON cannot say is refused."""
    good = BASIS.replace("providers.p = {", "providers.p = { extra_body = [%s],")
    value = "{ pointer = '/x', value = { a = 1.5, b = 2026-01-02, c = [true] } }"

    loaded = folder.load(good % value)

    entry = loaded.config.models["m"].providers["p"].extra_body[0]
    assert entry.value == {"a": 1.5, "b": "2026-01-02", "c": [True]}
    assert entry.edit.pointer == "/x"
    (path,) = folder.problems(good % "{ pointer = '/x', value = nan }")
    assert path == "models.m.providers.p.extra_body[0].value"


def test_the_path_of_a_base_may_end_with_the_endpoint(folder: Folder) -> None:
    """It is left out, with a warning, since it is what other tools want."""
    loaded = folder.load(
        """
        [models.m]
        routing = ["p"]
        [models.m.providers.p]
        type = "openai"
        model_name = "x"
        api_key_location = "none"
        api_base = "http://box/v1/chat/completions"
        """
    )

    assert "api_base = " not in str(loaded.warnings)
    assert "/chat/completions" in loaded.warnings[0]
    provider = loaded.config.models["m"].providers["p"]
    assert provider.type == "openai"
    assert provider.api_base == "http://box/v1/"
