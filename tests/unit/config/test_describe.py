"""The reference of all keys."""

import re

from lsd.config import PROVIDER_TYPES, KeyDescription, describe

BY_PATH = {each.path: each for each in describe()}


def test_each_key_is_described_once_in_order() -> None:
    """Several hundred of them."""
    paths = [each.path for each in describe()]

    assert paths == sorted(set(paths))
    assert len(paths) > 500


def test_a_description_says_what_the_key_takes() -> None:
    """Type, bounds, default, and whether it can be left out."""
    assert BY_PATH["gateway.cache.ttl_s"] == KeyDescription(
        path="gateway.cache.ttl_s", type="an integer, at least 1", default="86400"
    )
    assert BY_PATH["metrics.*.type"] == KeyDescription(
        path="metrics.*.type", type='"boolean" or "float"', is_required=True
    )
    assert BY_PATH["gateway.bind_address"].default == '"127.0.0.1:3000"'
    assert BY_PATH["storage.path"].default == '"lsd-data"'
    assert BY_PATH["gateway.shutdown_timeout_ms"].default is None
    assert not BY_PATH["gateway.shutdown_timeout_ms"].is_required
    assert not BY_PATH["tools.*.name"].is_required


def test_a_key_of_some_tables_names_them() -> None:
    """By their `type`."""
    assert BY_PATH["models.*.providers.*.reasoning_format"].tables == ("groq",)
    assert BY_PATH["models.*.providers.*.cost.*.pointer"].tables == PROVIDER_TYPES
    assert BY_PATH["functions.*.output_schema"].tables == ("json",)
    assert BY_PATH["functions.*.experimentation.metric"].tables == ("adaptive",)
    base = BY_PATH["models.*.providers.*.api_base"]
    assert base.default is not None
    assert '"https://api.openai.com/v1/"' in base.default


def test_every_spelling_is_there() -> None:
    """Older keys, short keys, tables in the place of texts."""
    variant = "functions.*.variants.*"
    for path in (
        f"{variant}.templates.*.path",
        f"{variant}.user_template",
        f"{variant}.input_wrappers.system",
        f"{variant}.evaluator.templates.*.path",
        "functions.*.schemas.*.path",
        "functions.*.assistant_schema",
        "functions.*.tool_choice",
        "functions.*.tool_choice.specific",
        "functions.*.experimentation.namespaces.*.type",
        "models.*.providers.*.api_key_location.fallback",
        "rate_limiting.rules.*.scope.*.tag_key",
        "rate_limiting.rules.*.limits.*.capacity",
        "rate_limiting.rules.*.cost_per_day.refill_rate",
        "evaluations.*.evaluators.*.variants.*.evaluator.system_instructions",
    ):
        assert path in BY_PATH, path


def test_no_path_leads_into_the_code() -> None:
    """Only keys that can be written."""
    assert [
        path for path in BY_PATH if not re.fullmatch(r"[a-z0-9_]+(\.([a-z0-9_]+|\*))*", path)
    ] == []
    assert not any("._" in path or path.startswith("template_files") for path in BY_PATH)
