"""`[evaluations]`, and the evaluators of functions."""

import re
from typing import Final

from lsd.config.findings import Findings, listed
from lsd.config.generations import evaluators_of
from lsd.config.key_path import KeyPath, quote
from lsd.config.rules.variants import check_variants
from lsd.config.tables.config import Config
from lsd.config.tables.evaluators import (
    LlmJudgeEvaluator,
    RegexEvaluator,
    ScriptEvaluator,
    ToolUseEvaluator,
)

_UNTAKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]"  # escapes and character classes hide what is in them
    r"|(?P<group>\(\?(?:<?[=!]|P=|\(|>))|(?P<possessive>[*+?}]\+)",
    re.DOTALL,
)
_BACK_REFERENCE: Final = re.compile(r"\\[1-9]")


def check_evaluators(config: Config, findings: Findings) -> None:
    """All evaluators, and the functions of evaluations."""
    for name, evaluation in config.evaluations.items():
        if evaluation.function_name not in config.functions:
            path = ("evaluations", name, "function_name")
            found = f"there is no function {quote(evaluation.function_name)}"
            findings.refuse(path, found, f"wanted one of {listed(config.functions)}")
    for place, evaluator in evaluators_of(config):
        match evaluator:
            case RegexEvaluator():
                _check_regex(place, evaluator, findings)
            case ToolUseEvaluator():
                _check_tool_use(place, evaluator, findings)
            case LlmJudgeEvaluator():
                _check_judge(place, evaluator, config, findings)
            case ScriptEvaluator() if not evaluator.command:
                findings.refuse((*place, "command"), "found an empty list", "wanted a program")
            case _:
                pass


def pattern_problem(pattern: str) -> str | None:
    """Why a pattern is not one that every engine takes and matches in linear time."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"not a regular expression: {error}"
    for found in _UNTAKEN.finditer(pattern):
        if found["group"] or found["possessive"] or _BACK_REFERENCE.match(found.group()):
            return f"{found.group()} is not taken: no look-around, back-reference or the like"
    return None


def _check_regex(path: KeyPath, evaluator: RegexEvaluator, findings: Findings) -> None:
    patterns = {
        "must_match": evaluator.must_match,
        "must_not_match": evaluator.must_not_match,
    }
    if not any(pattern is not None for pattern in patterns.values()):
        findings.refuse(path, "found no pattern", "wanted must_match, must_not_match or both")
    for key, pattern in patterns.items():
        if pattern is not None and (problem := pattern_problem(pattern)):
            findings.refuse((*path, key), problem)


def _check_tool_use(path: KeyPath, evaluator: ToolUseEvaluator, findings: Findings) -> None:
    behavior = quote(evaluator.behavior)
    if evaluator.behavior in ("none", "any"):
        if evaluator.tools is not None:
            findings.refuse((*path, "tools"), f"the behavior {behavior} has no tools")
    elif not evaluator.tools:
        wanted = f"the behavior {behavior} needs names of tools"
        findings.refuse((*path, "tools"), "missing or empty", wanted)


def _check_judge(
    path: KeyPath, judge: LlmJudgeEvaluator, config: Config, findings: Findings
) -> None:
    variants = (*path, "variants")
    check_variants(variants, judge.variants, config, findings)
    if not judge.variants:
        findings.refuse(variants, "found no variant", "wanted at least one")
    elif len(judge.variants) == 1:
        name, only = next(iter(judge.variants.items()))
        if only.active is False:
            found = "the only variant is not active"
            findings.refuse((*variants, name, "active"), found, "leave active out")
    else:
        count = sum(variant.active is True for variant in judge.variants.values())
        if count != 1:
            found = f"{count} of {len(judge.variants)} variants are active"
            findings.refuse(variants, found, "wanted active = true in exactly one")
