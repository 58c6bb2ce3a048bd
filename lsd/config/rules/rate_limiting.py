"""`[rate_limiting]`."""

import re
from typing import Final

from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath, quote
from lsd.config.tables.config import Config
from lsd.config.tables.rate_limiting import (
    EACH,
    TOTAL,
    ApiKeyScope,
    RateLimitRule,
    ScopeEntry,
    TagScope,
)

_RULES: Final[KeyPath] = ("rate_limiting", "rules")
_PUBLIC_ID: Final = re.compile(r"[A-Za-z0-9]{12}")


def check_rate_limits(config: Config, findings: Findings) -> None:
    """Each rule by itself, and no two for the same requests."""
    rules = config.rate_limiting.rules
    if rules and not config.rate_limiting.enabled:
        findings.warn(("rate_limiting", "enabled"), "found false: no rule is enforced")
    seen: dict[frozenset[ScopeEntry], int] = {}
    for at, rule in enumerate(rules):
        path = (*_RULES, at)
        _check_rank(path, rule, findings)
        _check_scope(path, rule, config, findings)
        _check_limits(path, rule, findings)
        first = seen.setdefault(frozenset(rule.scope), at)
        if first != at:
            found = f"the same scope as rate_limiting.rules[{first}]"
            findings.refuse((*path, "scope"), found, "put the limits of both into one rule")


def _check_rank(path: KeyPath, rule: RateLimitRule, findings: Findings) -> None:
    if (rule.priority is None) != rule.always:
        found = "neither" if rule.priority is None else "both"
        found = f"found {found} of priority and always"
        findings.refuse(path, found, "wanted exactly one of them")


def _check_scope(path: KeyPath, rule: RateLimitRule, config: Config, findings: Findings) -> None:
    for at, entry in enumerate(rule.scope):
        place = (*path, "scope", at)
        if entry in rule.scope[:at]:
            findings.refuse(place, "the same entry stands here twice")
        match entry:
            case TagScope(tag_value=value):
                if value.startswith("lsd::") and value not in (EACH, TOTAL):
                    wanted = f"wanted a value, {quote(EACH)} or {quote(TOTAL)}"
                    findings.refuse((*place, "tag_value"), f"found {quote(value)}", wanted)
            case ApiKeyScope(api_key_public_id=value):
                if value != EACH and not _PUBLIC_ID.fullmatch(value):
                    wanted = f"wanted {quote(EACH)} or the 12 characters of a public id"
                    findings.refuse((*place, "api_key_public_id"), f"found {quote(value)}", wanted)
                if not config.gateway.auth.enabled:
                    found = "without gateway.auth.enabled this rule never matches"
                    findings.warn((*place, "api_key_public_id"), found)


def _check_limits(path: KeyPath, rule: RateLimitRule, findings: Findings) -> None:
    seen = set()
    for limit in rule.limits:
        pair = (limit.resource, limit.interval)
        if pair in seen:
            found = f"two limits of {limit.resource} per {limit.interval}"
            findings.refuse(path, found, "wanted one")
        seen.add(pair)
