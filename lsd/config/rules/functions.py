"""`[functions]`: tools, JSON modes, and types that do not go together."""

from lsd.config.findings import Findings, listed
from lsd.config.generations import generations_of
from lsd.config.key_path import KeyPath, quote, show_key
from lsd.config.rules.variants import check_variants
from lsd.config.tables.config import Config
from lsd.config.tables.functions import ChatFunction, ForcedTool, Function
from lsd.config.tables.variants import BestOfNVariant, ChainOfThoughtVariant, Variant


def check_functions(config: Config, findings: Findings) -> None:
    """All functions and their variants."""
    for name, function in config.functions.items():
        path: KeyPath = ("functions", name)
        check_variants((*path, "variants"), function.variants, config, findings)
        if isinstance(function, ChatFunction):
            _check_tools(path, function, config, findings)
            for each, variant in function.variants.items():
                _check_chat_variant((*path, "variants", each), function, variant, findings)


def _check_tools(path: KeyPath, function: ChatFunction, config: Config, findings: Findings) -> None:
    seen: dict[str, str] = {}
    for at, key in enumerate(function.tools):
        place = (*path, "tools", at)
        if key not in config.tools:
            found = f"there is no tool {quote(key)}"
            findings.refuse(place, found, f"wanted one of {listed(config.tools)}")
            continue
        shown = config.tools[key].name
        if shown in seen:
            found = f"{show_key(seen[shown])} and {show_key(key)} are both called {quote(shown)}"
            findings.refuse(place, found, "wanted one name for one tool")
        seen.setdefault(shown, key)
    choice = function.tool_choice
    if isinstance(choice, ForcedTool) and choice.specific not in function.tools:
        found = f"{quote(choice.specific)} is not in tools"
        wanted = f"wanted one of {listed(function.tools)}"
        findings.refuse((*path, "tool_choice", "specific"), found, wanted)


def _check_chat_variant(
    path: KeyPath, function: Function, variant: Variant, findings: Findings
) -> None:
    if isinstance(variant, ChainOfThoughtVariant):
        found = f'a variant of type "{variant.type}" in a function of type "{function.type}"'
        findings.refuse((*path, "type"), found, "it works in json functions only")
    if isinstance(variant, BestOfNVariant):
        return  # its evaluator answers in JSON, whatever the function does
    for place, generation in generations_of(variant, path):
        if generation.json_mode is not None:
            found = f'found "{generation.json_mode}" in a function of type "chat"'
            findings.refuse((*place, "json_mode"), found, "it works in json functions only")
