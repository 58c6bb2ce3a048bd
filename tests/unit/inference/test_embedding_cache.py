"""Embeddings and the inference cache."""

from collections.abc import MutableMapping
from decimal import Decimal
from typing import Any

import attrs
import pytest

from lsd.conversation import EmbeddingRequest, LsdError
from lsd.inference import EmbeddingAnswer, EmbeddingOptions
from lsd.inference.request import CacheOptions
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import embeds, fails
from tests.unit.inference.gateway import EMBEDDING, Gateway, Shelf

ON = CacheOptions(enabled="on")
ASKED = EmbeddingRequest(inputs=("a",))


@attrs.frozen
class _Broken(LsdError):
    """A cache that does not work."""


class BrokenCache:
    """Fails whatever it is asked."""

    def get(self, *_: Any, **__: Any) -> None:
        raise _Broken

    def put(self, *_: Any, **__: Any) -> None:
        raise _Broken


async def embedded(
    gateway: Gateway, request: EmbeddingRequest = ASKED, options: CacheOptions = ON, **more: Any
) -> EmbeddingAnswer:
    """The vectors, with this use of the cache."""
    asked = EmbeddingOptions(cache_options=options, **more)
    return await gateway.embeddings.embed("emb", request, asked)


def cached_gateway(start: StartGateway, shelf: Shelf) -> Gateway:
    """A gateway whose provider says something else each time."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(embeds([1.0]), embeds([2.0]), embeds([3.0]))
    return gateway


async def test_what_was_asked_before_costs_nothing(start: StartGateway, shelf: Shelf) -> None:
    """The same vectors, no tokens, and a record that tells what they once took."""
    gateway = cached_gateway(start, shelf)

    first = await embedded(gateway)
    second = await embedded(gateway)

    assert second.embeddings == first.embeddings == ([1.0],)
    assert (first.cached, second.cached) == (False, True)
    assert (second.usage.input_tokens, second.usage.output_tokens) == (0, 0)
    assert second.cost == Decimal(0)
    assert second.raw_response == []
    assert len(gateway["one"].requests) == 1
    (call,) = await gateway.stored_calls(second.inference_id)
    assert (call.cached, call.input_tokens, call.response_time_ms) == (True, 7, 0)
    assert call.cost == 0
    assert call.body is not None
    assert call.body.raw_request == '{"model":"small-1","input":["a"],"encoding_format":"float"}'


async def test_base64_is_kept_as_it_came(start: StartGateway, shelf: Shelf) -> None:
    """The form asked for does not shape the vectors, so both forms share an entry."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(embeds("AACAPw=="))

    await embedded(gateway, attrs.evolve(ASKED, encoding_format="base64"))
    found = await embedded(gateway)

    assert found.cached
    assert found.embeddings == ("AACAPw==",)


@pytest.mark.parametrize(
    "changed",
    [
        {"inputs": ("b",)},
        {"inputs": ((1,),)},
        {"inputs": ("a", "a")},
        {"dimensions": 1},
        {"further": {"x": 1}},
    ],
    ids=str,
)
async def test_another_request_has_other_vectors(
    start: StartGateway, shelf: Shelf, changed: dict[str, Any]
) -> None:
    """All that shapes the vectors counts."""
    gateway = cached_gateway(start, shelf)
    gateway["one"].will(embeds([1.0]), embeds(*[[2.0]] * len(changed.get("inputs", "a"))))

    await embedded(gateway)
    found = await embedded(gateway, attrs.evolve(ASKED, **changed))

    assert not found.cached


async def test_who_asks_does_not_matter(start: StartGateway, shelf: Shelf) -> None:
    """Neither user, tags nor whether the input came alone."""
    gateway = cached_gateway(start, shelf)

    await embedded(gateway)
    other = attrs.evolve(ASKED, user="u", is_single=True)

    assert (await embedded(gateway, other, tags={"a": "b"})).cached


@pytest.mark.parametrize(
    ("modes", "hits"),
    [
        (("off", "on"), False),
        (("read_only", "on"), False),
        (("write_only", "on"), True),
        (("on", "off"), False),
        (("on", "read_only"), True),
        (("on", "write_only"), False),
    ],
)
async def test_a_mode_reads_and_writes_as_it_says(
    start: StartGateway, shelf: Shelf, modes: tuple[Any, Any], hits: bool
) -> None:
    """As for inferences."""
    gateway = cached_gateway(start, shelf)

    for mode in modes:
        found = await embedded(gateway, options=CacheOptions(enabled=mode))

    assert found.cached is hits


async def test_an_age_of_0_never_hits(start: StartGateway, shelf: Shelf) -> None:
    """An entry has to be younger."""
    gateway = cached_gateway(start, shelf)

    await embedded(gateway)
    found = await embedded(gateway, options=CacheOptions(enabled="on", max_age_s=0))

    assert not found.cached


async def test_a_dry_run_leaves_no_entry(start: StartGateway, shelf: Shelf) -> None:
    """It may read one."""
    gateway = cached_gateway(start, shelf)

    await embedded(gateway, dryrun=True)
    assert not (await embedded(gateway)).cached
    assert (await embedded(gateway, dryrun=True)).cached


async def test_a_provider_further_down_has_its_own_entries(
    start: StartGateway, shelf: Shelf
) -> None:
    """They are looked for in the order of the routing, each just before its call."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(fails(500))
    gateway["two"].will(embeds([2.0]))

    await embedded(gateway)
    found = await embedded(gateway)

    assert (found.cached, found.provider_name) == (True, "two")
    assert len(gateway["one"].requests) == 2


async def test_a_broken_cache_is_no_cache(
    start: StartGateway, log: list[MutableMapping[str, Any]]
) -> None:
    """The log tells; the answer comes all the same."""
    gateway = start(EMBEDDING)
    broken: Any = BrokenCache()
    gateway.embeddings.cache = broken
    gateway["one"].will(embeds([1.0]))

    found = await embedded(gateway)

    assert found.embeddings == ([1.0],)
    assert [entry["event"] for entry in log] == [
        "inference cache not readable",
        "inference cache not writable",
    ]
