"""Which other templates a template includes, found without rendering it."""

import re
from collections.abc import Iterator
from typing import Final

import attrs

KEYWORDS: Final = {"include": "", "import": "as", "from": "import", "extends": ""}
"""The tags that name another template, each with the word that ends the name."""

_NEXT_TAG: Final = re.compile(r"\{[{%#]")
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<word>[^\W\d]\w*)|(?P<other>.)""",
    re.DOTALL,
)
_RAW_END: Final = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_OPENING: Final = "([{"
_CLOSING: Final = ")]}"
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@attrs.frozen(kw_only=True)
class Include:
    """A tag that names other templates.

    Of each group of `names` the first one that exists is taken. `names` is None where they are
    computed while rendering, by `expression`. An `optional` one may be missing.
    """

    expression: str
    line: int
    column: int
    names: tuple[tuple[str, ...], ...] | None
    optional: bool = False


@attrs.frozen
class _Token:
    kind: str
    text: str
    start: int
    end: int


def includes_of(template: str) -> list[Include]:
    """The includes of a template that parses, in their order."""
    return [
        _include(template, tokens)
        for tokens in _tags(template)
        if tokens and tokens[0].text in KEYWORDS and len(tokens) > 1
    ]


def _tags(template: str) -> Iterator[list[_Token]]:
    """The tokens of each `{% … %}`, without its delimiters."""
    position = 0
    while found := _NEXT_TAG.search(template, position):
        if found.group() == "{#":
            end = template.find("#}", found.end())
            position = len(template) if end < 0 else end + 2
            continue
        closing = "%}" if found.group() == "{%" else "}}"
        tokens, position = _tokens(template, found.end(), closing)
        if closing == "}}":
            continue
        if [token.text for token in tokens] == ["raw"]:
            raw_end = _RAW_END.search(template, position)
            position = raw_end.end() if raw_end else len(template)
            continue
        yield tokens


def _tokens(template: str, start: int, closing: str) -> tuple[list[_Token], int]:
    """The tokens up to the closing delimiter, and where it ends.

    A delimiter within a string or within brackets closes nothing.
    """
    tokens: list[_Token] = []
    depth = 0
    position = start
    while position < len(template):
        for end in (closing, "-" + closing, "+" + closing):
            if depth == 0 and template.startswith(end, position):
                return tokens, position + len(end)
        found = _TOKEN.match(template, position)
        assert found is not None, "each character is a token"
        depth += (found.group() in _OPENING) - (found.group() in _CLOSING)
        if found.lastgroup != "space" and not (position == start and found.group() in "-+"):
            tokens.append(_Token(str(found.lastgroup), found.group(), position, found.end()))
        position = found.end()
    return tokens, position


def _include(template: str, tokens: list[_Token]) -> Include:
    keyword, *rest = tokens
    expression, optional = _without_tail(keyword.text, rest)
    start = expression[0].start if expression else keyword.start
    end = expression[-1].end if expression else keyword.end
    before = template[:start]
    names, after = _groups(expression, 0)
    return Include(
        expression=template[start:end],
        line=before.count("\n") + 1,
        column=start - (before.rfind("\n") + 1) + 1,
        names=names if after == len(expression) else None,
        optional=optional,
    )


def _without_tail(keyword: str, tokens: list[_Token]) -> tuple[list[_Token], bool]:
    """The tokens that name the template, and whether it may be missing."""
    words = [token.text if token.kind == "word" else "" for token in tokens]
    if KEYWORDS[keyword]:
        return tokens[: words.index(KEYWORDS[keyword])], False
    if words[-1:] == ["context"] and words[-2:-1] in (["with"], ["without"]):
        tokens, words = tokens[:-2], words[:-2]
    if words[-2:] == ["ignore", "missing"]:
        return tokens[:-2], True
    return tokens, False


def _groups(tokens: list[_Token], at: int) -> tuple[tuple[tuple[str, ...], ...] | None, int]:
    """The names of a literal, a list of literals, or a choice among such by `if`."""
    first, at = _operand(tokens, at)
    if first is None or at == len(tokens) or tokens[at].text != "if":
        return first, at
    at = _after_condition(tokens, at + 1)
    if at == len(tokens):
        return first, at  # without an `else`, nothing is included where the condition fails
    second, at = _groups(tokens, at + 1)
    return (None, at) if second is None else (first + second, at)


def _operand(tokens: list[_Token], at: int) -> tuple[tuple[tuple[str, ...], ...] | None, int]:
    token = tokens[at] if at < len(tokens) else None
    if token is None:
        return None, at
    if token.kind == "text":
        return ((_unquoted(token.text),),), at + 1
    if token.text == "(":
        inner, at = _groups(tokens, at + 1)
        return (inner, at + 1) if at < len(tokens) and tokens[at].text == ")" else (None, at)
    if token.text == "[":
        return _listed(tokens, at + 1)
    return None, at


def _listed(tokens: list[_Token], at: int) -> tuple[tuple[tuple[str, ...], ...] | None, int]:
    names: list[str] = []
    while at < len(tokens) and tokens[at].kind == "text":
        names.append(_unquoted(tokens[at].text))
        at += 1
        if at < len(tokens) and tokens[at].text == ",":
            at += 1
    is_closed = at < len(tokens) and tokens[at].text == "]"
    return ((tuple(names),), at + 1) if is_closed else (None, at)


def _after_condition(tokens: list[_Token], at: int) -> int:
    """The place of the `else` that belongs to a condition, or the end."""
    depth = 0
    inner_choices = 0
    while at < len(tokens):
        text = tokens[at].text
        depth += (text in _OPENING) - (text in _CLOSING)
        if depth < 0:
            return len(tokens)
        if depth == 0 and text == "if":
            inner_choices += 1
        elif depth == 0 and text == "else":
            if inner_choices == 0:
                return at
            inner_choices -= 1
        at += 1
    return at


def _unquoted(literal: str) -> str:
    def unescape(found: re.Match[str]) -> str:
        code = found.group(1)
        return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES.get(code, code)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", unescape, literal[1:-1], flags=re.DOTALL)
