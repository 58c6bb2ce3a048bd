"""A Claude model is known by its family, whatever cloud has decorated its name."""

import pytest

from lsd.providers.claude_models import UNKNOWN_MAX_TOKENS, claude_family, family_name


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
        ("anthropic.claude-3-5-sonnet-20241022-v2", "claude-3-5-sonnet"),
        ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("claude-opus-4-6@default", "claude-opus-4-6"),
        ("claude-3-7-sonnet-latest", "claude-3-7-sonnet"),
        (
            "arn:aws:bedrock:us-east-1:1234:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
            "claude-haiku-4-5",
        ),
        ("my-claude", "my-claude"),
    ],
)
def test_names_are_freed_of_what_clouds_add(model: str, family: str) -> None:
    """Clouds, regions, versions and dates do not belong to a family's name."""
    assert family_name(model) == family


@pytest.mark.parametrize(
    ("model", "max_tokens"),
    [
        ("claude-sonnet-4-5@20250929", 64_000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 64_000),
        ("claude-sonnet-4-5", 64_000),
        ("claude-opus-4-6", 128_000),
        ("claude-opus-4-6@default", 128_000),
        ("claude-3-haiku-20240307", 4096),
        ("claude-3-5-sonnet-latest", 8192),
        ("claude-opus-4-1-20250805", 32_000),
        ("claude-sonnet-5-2", 128_000),
        ("claude-mythos-preview", 128_000),
        ("claude-sonnet-4-55", UNKNOWN_MAX_TOKENS),
        ("claude-opus-4-6x", UNKNOWN_MAX_TOKENS),
        ("claude-3-sonnet-20240229", UNKNOWN_MAX_TOKENS),
    ],
)
def test_how_much_a_model_writes_by_default(model: str, max_tokens: int) -> None:
    """Case 3: the whole name decides, so a model with a longer name is none of the family."""
    assert claude_family(model).max_tokens == max_tokens


@pytest.mark.parametrize(
    ("model", "prefill", "effort", "sampling", "schema"),
    [
        ("claude-3-opus", True, False, True, False),
        ("claude-sonnet-4", True, False, True, False),
        ("claude-opus-4-0", True, False, True, True),
        ("claude-haiku-4-5", True, False, True, True),
        ("claude-opus-4-5", True, True, True, True),
        ("claude-sonnet-4-6", False, True, True, True),
        ("claude-opus-4-7", False, True, False, True),
        ("claude-fable-5", False, True, False, True),
        ("claude-tomorrow", False, True, True, True),
    ],
)
def test_what_a_family_takes(
    model: str, prefill: bool, effort: bool, sampling: bool, schema: bool
) -> None:
    """A model that nobody knows may do everything but have its answer begun for it."""
    family = claude_family(model)

    assert family.takes_prefill is prefill
    assert family.takes_effort is effort
    assert family.takes_sampling is sampling
    assert family.takes_output_schema is schema


def test_only_older_and_unknown_models_take_both_samplings() -> None:
    """From 4.5 on, a temperature and a top_p exclude each other."""
    assert claude_family("claude-opus-4-1").takes_both_samplings
    assert claude_family("claude-tomorrow").takes_both_samplings
    assert not claude_family("claude-haiku-4-5").takes_both_samplings
    assert not claude_family("claude-sonnet-4-6").takes_both_samplings
