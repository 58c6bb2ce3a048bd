"""The page on providers tells of every type that works, and tells what the code does."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from lsd.config import SHORTHAND_TYPES, ChatProvider, LiteralLocation
from lsd.config.locations import BUILT_IN
from lsd.config.tables.credentials import EnvLocation
from lsd.config.tables.embedding_providers import EMBEDDING_CLASSES
from lsd.config.tables.providers import PROVIDER_CLASSES
from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    Base64File,
    ChatCompletionParams,
    EmbeddingRequest,
    FunctionTool,
    ModelMessage,
    ModelRequest,
    Text,
    Thought,
    ToolSet,
    UrlFile,
    decode_json,
    encode_json,
)
from lsd.providers import Dialect, dialect_for, embedding_dialect_for

PAGE = Path(__file__).resolve().parents[3] / "docs" / "providers.md"

FAMILY = sorted(
    kind
    for kind in PROVIDER_CLASSES
    if issubclass(PROVIDER_CLASSES[kind], ChatProvider) or kind == "aws_sagemaker"
)
"""The types whose requests are bodies of chat completions, and can be compared."""

NONE = "–"
TIERS = ("auto", "default", "flex", "priority")

QUESTION = ModelMessage(role="user", content=(Text(text="Who is there?"),))
SCHEMA = {"type": "object", "properties": {}}
TOOLS = ToolSet(tools=(FunctionTool(name="t", description="d", parameters=SCHEMA),), parallel=False)


def tables() -> list[dict[str, dict[str, str]]]:
    """The tables of the page: by type, then by heading."""
    found: list[dict[str, dict[str, str]]] = []
    headings: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| type |"):
            headings = cells
            found.append({})
        elif line.startswith("| `") and headings:
            found[-1][cells[0].strip("`")] = dict(zip(headings, cells, strict=True))
        elif not line.startswith("|"):
            headings = []
    return found


TYPES, ABILITIES, EMBEDDINGS, PARAMETERS = tables()


def configured(table: Any) -> Any:
    """A provider of this class with nothing but what it needs."""
    known = {
        "api_base": "https://provider.example/v1/",
        "endpoint": LiteralLocation("https://provider.example"),
        "hosted_provider": "openai",
        "model_id": "anthropic.claude-opus-4-6-v1",
    }
    required = [field.name for field in attrs.fields(table) if field.default is attrs.NOTHING]
    return table(**{name: known.get(name, "m-1") for name in required})


def dialect(kind: str) -> Dialect:
    """How such a provider is spoken to."""
    return dialect_for(configured(PROVIDER_CLASSES[kind]), model_name="m", provider_name="p")


def body(kind: str, **changes: Any) -> dict[str, Any]:
    """What a provider is sent. Raises AttemptFailed."""
    request = ModelRequest(**{"messages": (QUESTION,), **changes})
    sent: dict[str, Any] = decode_json(
        dialect(kind).encode(request, {"api_key": "k", "region": "r-1"}, NO_EDITS).body
    )
    return sent


def added(kind: str, **changes: Any) -> str:
    """The keys that a change adds or gives another value to, as the page shows them."""
    plain, changed = leaves(body(kind)), leaves(body(kind, **changes))
    names = [name for name, value in changed.items() if plain.get(name) != value]
    return ", ".join(f"`{name}`" for name in names) or NONE


def leaves(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent, by the way that leads to it."""
    found: dict[str, Any] = {}
    for key, value in sent.items():
        inner = leaves(value) if isinstance(value, dict) else {}
        found |= {f"{key}.{name}": each for name, each in inner.items()} or {key: value}
    return found


def params(**values: Any) -> dict[str, Any]:
    """A change of parameters."""
    return {"params": ChatCompletionParams(**values)}


def test_every_type_that_works_has_a_row_and_no_other_has() -> None:
    """A type that has been added is told of on the page in the same change."""
    assert sorted(TYPES) == sorted(PROVIDER_CLASSES), "docs/providers.md, first table"
    assert sorted([*ABILITIES, "echo"]) == sorted(PROVIDER_CLASSES), "second table"
    assert sorted(EMBEDDINGS) == sorted(EMBEDDING_CLASSES), "third table"
    assert sorted([*PARAMETERS, "echo"]) == sorted(PROVIDER_CLASSES), "fourth table"


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_row_tells_what_counts_without_a_setting(kind: str) -> None:
    """Who follows the page sends the right key to the right place."""
    row = TYPES[kind]
    location = BUILT_IN[kind]
    optional = " if it is set" if isinstance(location, EnvLocation) and location.optional else ""
    field = attrs.fields_dict(PROVIDER_CLASSES[kind]).get("api_base")

    assert row["key, by default"] == f"`{location}`{optional}"
    assert row["shorthand"] == ("yes" if kind in SHORTHAND_TYPES else "no")
    if field is None or field.default is None:
        assert row["`api_base`, by default"].startswith(NONE)
    elif field.default is attrs.NOTHING:
        assert row["`api_base`, by default"] == "required"
    else:
        assert row["`api_base`, by default"] == f"`{field.default}`"


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_a_row_tells_how_parameters_are_sent(kind: str) -> None:
    """Nobody wonders where a parameter has gone."""
    row = PARAMETERS[kind]

    assert row["`max_tokens`"] == added(kind, **params(max_tokens=5)).partition(", ")[0]
    assert row["`seed`"] == added(kind, **params(seed=5))
    assert row["`reasoning_effort`"] == added(kind, **params(reasoning_effort="low"))
    assert row["`thinking_budget_tokens`"] == added(kind, **params(thinking_budget_tokens=9))
    assert row["`verbosity`"] == added(kind, **params(verbosity="low"))
    tiers = [tier for tier in TIERS if "service_tier" in body(kind, **params(service_tier=tier))]
    assert row["`service_tier`"] == (", ".join(f"`{tier}`" for tier in tiers) or NONE)


@pytest.mark.parametrize("kind", sorted(PARAMETERS))
def test_a_row_tells_whether_there_are_tools(kind: str) -> None:
    """Who needs tools can choose a type by the page."""
    outcomes = [tools_outcome(kind, stream=stream) for stream in (False, True)]

    shown = {("yes", "yes"): "yes", ("yes", "refused"): "refused in streams"}
    assert ABILITIES[kind]["tools"] == shown.get((outcomes[0], outcomes[1]), outcomes[0])
    if outcomes[0] == "yes":
        free = attrs.evolve(TOOLS, parallel=None)
        sends_parallel = body(kind, tools=TOOLS) != body(kind, tools=free)
        assert PARAMETERS[kind]["`parallel_tool_calls`"] == ("yes" if sends_parallel else NONE)


def tools_outcome(kind: str, *, stream: bool) -> str:
    """What becomes of a request with tools."""
    try:
        sent = body(kind, tools=TOOLS, stream=stream)
        return "yes" if sent.keys() & {"tools", "toolConfig"} else "no"
    except AttemptFailed:
        return "refused"


@pytest.mark.parametrize("kind", FAMILY)
@pytest.mark.parametrize("mode", ["on", "strict"])
def test_a_row_tells_how_a_model_is_held_to_a_schema(kind: str, mode: str) -> None:
    """Who needs JSON of a shape knows what to expect of a type."""
    told = ABILITIES[kind][f"JSON `{mode}`"]

    sent = body(kind, json_mode=mode, output_schema=SCHEMA)

    wanted = sent.get("response_format")
    if wanted is None:
        is_told = sent["messages"] != body(kind)["messages"]
        assert told.startswith("words only" if is_told else "nothing is sent")
    elif "json_schema" in wanted or "schema" in wanted:
        assert told == "the schema"
    else:
        assert told.startswith("any JSON")


@pytest.mark.parametrize("kind", sorted(ABILITIES.keys() - FAMILY))
@pytest.mark.parametrize("mode", ["on", "strict"])
def test_a_row_tells_whether_other_types_are_sent_the_schema(kind: str, mode: str) -> None:
    """The same for those that have words of their own for it."""
    told = ABILITIES[kind][f"JSON `{mode}`"]

    sent = encode_json(body(kind, json_mode=mode, output_schema=SCHEMA))

    written = encode_json(SCHEMA)
    has_schema = written in sent or encode_json(written.decode()) in sent
    assert told.endswith("the schema") if has_schema else told.startswith("nothing is sent")


@pytest.mark.parametrize("kind", FAMILY)
def test_a_row_tells_of_thoughts_in_tags(kind: str) -> None:
    """The default of `parse_think_blocks` is on the page of providers only."""
    column = ABILITIES[kind]["`<think>` tags are thoughts, by default"]
    reads_tags = getattr(configured(PROVIDER_CLASSES[kind]), "parse_think_blocks", False)

    assert column == ("yes" if reads_tags else "no")


@pytest.mark.parametrize("kind", sorted(ABILITIES))
def test_a_row_tells_how_images_are_sent(kind: str) -> None:
    """A URL that is not sent is fetched by LSD, which costs time and memory."""
    image = UrlFile(url="https://example.com/cat.png", mime_type="image/png")
    inlined = Base64File(data="iVBORw0KGgo=", mime_type="image/png")

    sent = encode_json(body(kind, messages=(ModelMessage(role="user", content=(inlined,)),)))

    assert b"iVBORw0KGgo=" in sent
    ways = "URL, inline" if dialect(kind).forwards(image) else "inline"
    assert ABILITIES[kind]["images"] == ways


@pytest.mark.parametrize("kind", sorted(ABILITIES))
def test_a_row_tells_whether_thoughts_go_back(kind: str) -> None:
    """Without a setting, and only those that came from this type."""
    thought = Thought(text="let me think", signature="c2lnbmVk", provider_type=kind)
    turn = ModelMessage(role="assistant", content=(thought, Text(text="A frog.")))

    sent = encode_json(body(kind, messages=(QUESTION, turn, QUESTION)))

    goes_back = b"let me think" in sent or b"c2lnbmVk" in sent
    assert ABILITIES[kind]["thoughts go back"] == ("yes" if goes_back else NONE)


@pytest.mark.parametrize("kind", FAMILY)
def test_images_are_sent_by_url_and_other_files_are_not(kind: str) -> None:
    """As the page says of all types."""
    image = UrlFile(url="https://example.com/cat.png", mime_type="image/png")
    report = UrlFile(url="https://example.com/report.pdf", mime_type="application/pdf")

    assert dialect(kind).forwards(image)
    assert not dialect(kind).forwards(report)


@pytest.mark.parametrize("kind", sorted(EMBEDDING_CLASSES))
def test_a_row_tells_what_embeddings_are_asked_for_with(kind: str) -> None:
    """Who needs short vectors, or sends token ids, can choose a type by the page."""
    row = EMBEDDINGS[kind]
    assert (
        defaults_of(EMBEDDING_CLASSES[kind]).items() <= defaults_of(PROVIDER_CLASSES[kind]).items()
    )
    asked = EmbeddingRequest(
        inputs=("a",), encoding_format="base64", dimensions=3, user="u", is_single=True
    )

    sent = embedding_body(kind, asked)

    form = "as asked" if sent.get("encoding_format") == "base64" else "`float`"
    assert row["`encoding_format`"] == form
    assert row["`dimensions`"] == ("yes" if "dimensions" in sent else NONE)
    assert row["`user`"] == ("yes" if "user" in sent else NONE)
    try:
        embedding_body(kind, EmbeddingRequest(inputs=((1, 2),)))
    except AttemptFailed:
        assert row["inputs"] == "texts"
    else:
        assert row["inputs"] == "texts, token ids"


def defaults_of(table: Any) -> dict[str, Any]:
    """What the keys that say where to go are by default."""
    told = ("api_base", "api_version", "endpoint", "model_name")
    return {each.name: each.default for each in attrs.fields(table) if each.name in told}


def embedding_body(kind: str, request: EmbeddingRequest) -> dict[str, Any]:
    """What a provider of embeddings is sent. Raises AttemptFailed."""
    asked = embedding_dialect_for(configured(EMBEDDING_CLASSES[kind]))
    sent: dict[str, Any] = decode_json(asked.encode(request, {"api_key": "k"}, NO_EDITS).body)
    return sent


def test_every_type_has_a_word_of_its_own() -> None:
    """No type of the tables is left unexplained below them."""
    _, found, notes = PAGE.read_text(encoding="utf-8").partition("## What to know about each")
    assert found

    heads = " ".join(re.findall(r"\*\*(.+?)\.\*\*", notes))
    explained = set(re.findall("`(.+?)`", heads))

    assert explained == PROVIDER_CLASSES.keys() - {"echo"}
