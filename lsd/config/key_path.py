"""The place of a key: its path through tables and arrays, and how it is written."""

import re

KeyPath = tuple[str | int, ...]
"""Keys of tables and indexes of arrays, from the outside in."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}


def show_path(path: KeyPath) -> str:
    """`path` as TOML would write it: `models."gpt-4.1".routing[0]`."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            shown += f".{show_key(part)}" if shown else show_key(part)
    return shown


def show_key(key: str) -> str:
    """`key` bare where TOML allows it, else quoted."""
    return key if _BARE_KEY.fullmatch(key) else quote(key)


def quote(text: str) -> str:
    """`text` as a basic TOML string, so that no line of a message can be broken by it."""
    escaped = "".join(_ESCAPES.get(each, each) for each in text)
    return '"' + re.sub(r"[\x00-\x1f\x7f]", _unicode_escape, escaped) + '"'


def sort_key(path: KeyPath) -> tuple[tuple[bool, int, str], ...]:
    """What orders paths segment by segment, indexes as numbers."""
    return tuple((False, part, "") if isinstance(part, int) else (True, 0, part) for part in path)


def _unicode_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04X}"
