"""Rules of rate limits."""

import pytest

from tests.unit.config.folder import Folder

TAG = "{ tag_key = 'k', tag_value = 'v' }"
PATH = "rate_limiting.rules[0]"

RULES = {
    "tokens_per_day = 1": (PATH, "found neither of priority and always; "),
    "always = false": (PATH, "found neither of priority and always; "),
    "always = true, priority = 1": (PATH, "found both of priority and always; "),
    "priority = -1": (f"{PATH}.priority", "found -1; wanted at least 0"),
    "always = true, scope = { tag_key = 'k', tag_value = 'lsd::all' }": (
        f"{PATH}.scope[0].tag_value",
        'found "lsd::all"; wanted a value, "lsd::each" or "lsd::total"',
    ),
    "always = true, scope = [{ api_key_public_id = 'short' }]": (
        f"{PATH}.scope[0].api_key_public_id",
        'found "short"; wanted "lsd::each" or the 12 characters of a public id',
    ),
    "always = true, scope = [{ api_key_public_id = 'lsd::total' }]": (
        f"{PATH}.scope[0].api_key_public_id",
        'found "lsd::total"; ',
    ),
    f"always = true, scope = [{TAG}, {TAG}]": (
        f"{PATH}.scope[1]",
        "the same entry stands here twice",
    ),
    "always = true, tokens_per_day = 1, limits = [{ resource = 'token', interval = 'day', "
    "capacity = 1, refill_rate = 1 }]": (PATH, "two limits of token per day; wanted one"),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_sound_by_itself(folder: Folder, rule: str) -> None:
    """Rank, scope, limits."""
    path, told = RULES[rule]

    assert folder.problems(f"rate_limiting.rules = [{{ {rule} }}]")[path].startswith(told)


def test_two_rules_for_the_same_requests_are_refused(folder: Folder) -> None:
    """Whatever the order of their entries."""
    other = "{ tag_key = 'l', tag_value = 'lsd::each' }"
    problems = folder.problems(
        f"rate_limiting.rules = [{{ always = true, scope = [{TAG}, {other}] }}, "
        f"{{ priority = 1, scope = [{other}, {TAG}] }}]"
    )

    assert problems["rate_limiting.rules[1].scope"] == (
        "the same scope as rate_limiting.rules[0]; put the limits of both into one rule"
    )


def test_rules_that_never_match_are_warned_of(folder: Folder) -> None:
    """Without authentication no request has a key; a rule that is off is not enforced."""
    loaded = folder.load(
        "rate_limiting = { enabled = false, rules = [{ always = true, "
        "scope = { api_key_public_id = 'lsd::each' } }] }"
    )

    assert [warning.split(": ")[1] for warning in loaded.warnings] == [
        "rate_limiting.enabled",
        "rate_limiting.rules[0].scope[0].api_key_public_id",
    ]
