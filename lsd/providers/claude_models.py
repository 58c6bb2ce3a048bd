"""What each family of Claude models takes and defaults to, wherever it is served."""

import re
from collections.abc import Mapping

import attrs

UNKNOWN_MAX_TOKENS = 8192
"""What a model that is not in the table may write unless the caller says more; all but the oldest
ones allow it."""

_AROUND = (
    re.compile(r"\Aarn:.*/", re.DOTALL),
    re.compile(r"\A(?:us|eu|apac|jp|au|global)\."),
    re.compile(r"\Aanthropic\."),
    re.compile(r"@.*\Z", re.DOTALL),
    re.compile(r"-v[0-9]+(?::[0-9]+)?\Z"),
    re.compile(r"-[0-9]{8}\Z"),
    re.compile(r"-latest\Z"),
)
"""What stands around a family's name: clouds and regions before it, versions and dates behind."""


@attrs.frozen(kw_only=True)
class ClaudeFamily:
    """One row of the table.

    `takes_prefill`: an answer may be begun for the model. `takes_effort`: it thinks as much as it
    is told by a word. `takes_both_samplings`: `temperature` and `top_p` may go together.
    """

    max_tokens: int
    is_known: bool = True
    takes_prefill: bool = False
    takes_effort: bool = True
    takes_sampling: bool = True
    takes_both_samplings: bool = False
    takes_output_schema: bool = True


def claude_family(model: str) -> ClaudeFamily:
    """The family of a model by its id at Anthropic, Bedrock or Vertex AI.

    A model that is in no family is taken for one that can do everything but continue an answer:
    the provider decides.
    """
    name = family_name(model)
    found = _FAMILIES.get(name)
    if found is None and name.startswith(_PREFIXES):
        return _NEWEST
    return found or _UNKNOWN


def family_name(model: str) -> str:
    """The id without clouds, regions, versions and dates: `claude-sonnet-4-5`."""
    name = model
    for each in _AROUND:
        name = each.sub("", name)
    return name


_UNKNOWN = ClaudeFamily(max_tokens=UNKNOWN_MAX_TOKENS, is_known=False, takes_both_samplings=True)
_SMALLEST = ClaudeFamily(
    max_tokens=4096,
    takes_prefill=True,
    takes_effort=False,
    takes_both_samplings=True,
    takes_output_schema=False,
)
_OLDER = attrs.evolve(_SMALLEST, max_tokens=8192)
_THINKING = attrs.evolve(_SMALLEST, max_tokens=64_000)
_FIRST_OPUS = attrs.evolve(_SMALLEST, max_tokens=32_000, takes_output_schema=True)
_GENERATION_4_5 = ClaudeFamily(max_tokens=64_000, takes_prefill=True, takes_effort=False)
_NEWEST = ClaudeFamily(max_tokens=128_000, takes_sampling=False)

_FAMILIES: Mapping[str, ClaudeFamily] = {
    "claude-3-haiku": _SMALLEST,
    "claude-3-opus": _SMALLEST,
    "claude-3-5-haiku": _OLDER,
    "claude-3-5-sonnet": _OLDER,
    "claude-3-7-sonnet": _THINKING,
    "claude-sonnet-4": _THINKING,
    "claude-sonnet-4-0": _THINKING,
    "claude-opus-4": _FIRST_OPUS,
    "claude-opus-4-0": _FIRST_OPUS,
    "claude-opus-4-1": _FIRST_OPUS,
    "claude-haiku-4-5": _GENERATION_4_5,
    "claude-sonnet-4-5": _GENERATION_4_5,
    "claude-opus-4-5": attrs.evolve(_GENERATION_4_5, takes_effort=True),
    "claude-sonnet-4-6": ClaudeFamily(max_tokens=64_000),
    "claude-opus-4-6": ClaudeFamily(max_tokens=128_000),
    "claude-opus-4-7": _NEWEST,
    "claude-opus-4-8": _NEWEST,
    "claude-opus-5": _NEWEST,
    "claude-opus-5-5": _NEWEST,
}
"""Source: Anthropic's overview of models and its pages on prefill, effort and structured outputs,
autumn 2026. Whether opus 4 takes a schema is not written there: it is tried."""

_PREFIXES = ("claude-sonnet-5", "claude-fable-5", "claude-mythos-")
"""Families whose names may go on."""
