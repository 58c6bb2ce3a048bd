"""What the layers of one inference in progress share."""

from typing import Any

import attrs
import pytest
import trio
import trio.testing

from lsd.conversation import NO_EDITS, BodyEdit, HeaderEdit
from lsd.inference.journal import ModelCall
from lsd.inference.refusals import VariantFailed
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import PLAIN, Attempt, attempt

EDITED = """
[models.m]
routing = ["one", "two"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
extra_body = [{ pointer = "/p", value = 1 }]
extra_headers = [{ name = "p", value = "1" }]
[models.m.providers.two]
type = "openai"
model_name = "gpt-2"

[functions.chat]
type = "chat"
[functions.chat.variants.v]
model = "m"
extra_body = [{ pointer = "/v", value = 1 }]
extra_headers = [{ name = "v", value = "1" }]
"""


def begun(asked: Attempt) -> ModelCall:
    """A new call of the run."""
    return asked.run.begin_call(asked.generation, asked.model, asked.provider, asked.request)


def pointers(asked: Attempt) -> tuple[list[str], list[str]]:
    """Which edits of the body and of the headers are made, in order."""
    edits = asked.run.edits_for(asked.generation, asked.model, asked.provider)
    return [each.pointer for each in edits.body], [each.name for each in edits.headers]


async def test_calls_are_entered_as_they_begin(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Each has an id, greater than all before, and the time at which it began."""
    asked = attempt(start(PLAIN))

    first = begun(asked)
    await trio.sleep(2)
    second = begun(asked)

    assert asked.run.journal.calls == [first, second]
    assert asked.run.inference_id < first.id < second.id
    assert second.started_at - first.started_at == 2
    assert (first.status, first.variant_name, first.model_name) == ("open", "v", "m")
    assert (first.provider_name, first.provider_type, first.api_type) == (
        "one",
        "openai",
        "chat_completions",
    )


async def test_whoever_counts_hears_of_each_end_once(start: StartGateway) -> None:
    """Also of the calls that are cut off."""
    asked = attempt(start(PLAIN))
    heard: list[tuple[str, str | None]] = []

    def hear(call: ModelCall) -> None:
        heard.append((call.status, call.error))

    asked.run.shared = attrs.evolve(asked.run.shared, on_call_ended=hear)
    first, *_ = begun(asked), begun(asked), begun(asked)

    asked.run.end_call(first, "ok")
    asked.run.end_open_calls("interrupted", "the caller left")
    asked.run.end_open_calls("error", "too late")

    assert heard == [("ok", None)] + [("interrupted", "the caller left")] * 2
    assert first.status == "ok"


async def test_the_calls_of_a_variant_that_has_failed_are_in_vain(start: StartGateway) -> None:
    """What had gone well is no part of an answer; what had failed keeps its reason."""
    asked = attempt(start(PLAIN))
    well, ill = begun(asked), begun(asked)
    asked.run.end_call(well, "ok")
    asked.run.end_call(ill, "error", "no")

    asked.run.write_off("v", VariantFailed("template", "there is no template 'a'"))

    assert [(call.status, call.error) for call in (well, ill)] == [
        ("error", "variant \"v\": there is no template 'a'"),
        ("error", "no"),
    ]


BODY = {"pointer": "/r", "value": 1}
HEADER = {"name": "r", "value": "1"}


@pytest.mark.parametrize(
    ("provider", "fields", "made"),
    [
        ("one", {}, ["v", "p"]),
        ("two", {}, ["v"]),
        ("one", {"extra_body": [BODY], "extra_headers": [HEADER]}, ["v", "p", "r"]),
        ("two", {"extra_body": [BODY], "extra_headers": [HEADER]}, ["v", "r"]),
        (
            "one",
            {
                "extra_body": [{**BODY, "model_name": "m", "provider_name": "two"}],
                "extra_headers": [{**HEADER, "model_name": "m", "provider_name": "two"}],
            },
            ["v", "p"],
        ),
        (
            "two",
            {
                "extra_body": [
                    {**BODY, "model_name": "m", "provider_name": "two"},
                    {"pointer": "/s", "value": 1, "variant_name": "v"},
                ],
                "extra_headers": [
                    {**HEADER, "model_name": "m"},
                    {"name": "s", "value": "1"},
                ],
            },
            ["v", "r", "s"],
        ),
    ],
    ids=["none", "none, other", "everywhere", "everywhere, other", "elsewhere", "here"],
)
async def test_edits_are_the_variants_the_providers_the_requests(
    start: StartGateway, provider: str, fields: dict[str, Any], made: list[str]
) -> None:
    """In this order, so that later ones win; of the request only those meant for this call."""
    asked = attempt(start(EDITED), provider, **fields)

    assert pointers(asked) == ([f"/{name}" for name in made], made)


async def test_edits_beside_the_providers_are_what_a_request_brings(start: StartGateway) -> None:
    """What belongs to a provider is the same for all requests, and no part of a cache key."""
    asked = attempt(start(EDITED), extra_body=[BODY])

    edits = asked.run.edits_beside(asked.provider, asked.generation, asked.model)

    assert edits.body == (BodyEdit(pointer="/v", value=1), BodyEdit(pointer="/r", value=1))
    assert edits.headers == (HeaderEdit(name="v", value="1"),)


async def test_without_edits_there_are_none(start: StartGateway) -> None:
    """Nothing is made for the many requests that have none."""
    asked = attempt(start(PLAIN))

    assert asked.run.edits_for(asked.generation, asked.model, asked.provider) is NO_EDITS


async def test_every_call_is_bounded_by_the_gateway(start: StartGateway) -> None:
    """By `gateway.global_outbound_http_timeout_ms`, whatever else there is."""
    asked = attempt(start("[gateway]\nglobal_outbound_http_timeout_ms = 7000\n" + PLAIN))

    assert asked.run.outbound_limit.value_ms == 7000
    assert asked.run.outbound_limit.key == "gateway.global_outbound_http_timeout_ms"
