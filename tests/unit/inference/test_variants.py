"""The outermost layer of failure: variants in the order of their draw until one answers."""

from typing import Any

import attrs
import pytest
import trio
import trio.testing

from lsd.conversation import StreamEvent, StreamFault, decode_json
from lsd.experiments import WeightedDraw
from lsd.inference import InferenceFailed
from lsd.inference.journal import ModelCall
from lsd.inference.run import Run
from lsd.inference.variants import first_answer, first_started_answer
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import Hang, Pause, fails, hangs, said, says, stream_of
from tests.unit.inference.gateway import Gateway

MODELS = "".join(
    f"""
[models.{name}]
routing = ["{name}1"]
providers.{name}1 = {{ type = "openai", model_name = "gpt-{name}" }}
"""
    for name in "abcd"
)

DEFAULT = (
    MODELS
    + """
[functions.chat]
type = "chat"
variants = { a.model = "a", b.model = "b", c.model = "c", d.model = "d" }
"""
)

STATIC = (
    DEFAULT
    + """
[functions.chat.experimentation]
type = "static"
candidate_variants = { a = 1.0, b = 0.0 }
fallback_variants = ["d", "c"]

[functions.chat.experimentation.namespaces.lab]
type = "static"
candidate_variants = { b = 1.0 }
"""
)

TEMPLATES = (
    MODELS
    + """
[functions.chat]
type = "chat"
[functions.chat.variants.a]
model = "a"
templates.greet.path = "greet.minijinja"
[functions.chat.variants.b]
model = "b"

[functions.chat.experimentation]
type = "static"
candidate_variants = { a = 1.0 }
fallback_variants = ["b"]
"""
)

LIMITED = (
    MODELS
    + """
[functions.chat]
type = "chat"
[functions.chat.variants.a]
model = "a"
fallback = ["c"]
retries = { num_retries = 5, max_delay_s = 2 }
timeouts.TIMEOUTS
[functions.chat.variants.b]
model = "b"

[functions.chat.experimentation]
type = "static"
candidate_variants = { a = 1.0 }
fallback_variants = ["b"]
"""
)

GREET = {
    "input": {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "template", "name": "greet", "arguments": {"name": "Ann"}}],
            }
        ]
    }
}


def limited(timeouts: str) -> str:
    """The configuration in which the variant "a" has this timeout."""
    return LIMITED.replace("TIMEOUTS", timeouts)


async def answer(gateway: Gateway, **fields: Any) -> tuple[Run, ModelCall]:
    """The answer to a request, and its run."""
    accepted, run = gateway.begin(**fields)
    given = await first_answer(run, accepted)
    assert given.deciding is not None
    return run, given.deciding


async def failure(gateway: Gateway, **fields: Any) -> InferenceFailed:
    """How a request fails."""
    with pytest.raises(InferenceFailed) as failed:
        await answer(gateway, **fields)
    return failed.value


def tried(run: Run) -> list[str]:
    """The variants of the calls, in order."""
    return [call.variant_name for call in run.journal.calls]


async def test_a_variant_that_was_drawn_before_runs_first(start: StartGateway) -> None:
    """At the place of its model's routing that is told; the others run from their beginnings."""
    gateway = start(DEFAULT)
    for name in "abcd":
        gateway[f"{name}1"].will(says(name) if name == "b" else fails(400))
    accepted = gateway.accept()
    run = gateway.service._begin(accepted, gateway.clock.monotonic())
    run.first_variant, run.first_provider = accepted.function.variants["c"], 7

    answer = await first_answer(run, accepted)

    assert answer.variant_name == "b"
    assert run.journal.calls[0].variant_name == "c"
    assert run.first_provider == 0


async def test_an_episode_draws_the_same_variant_each_time(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Different episodes draw different ones."""
    gateway = start(DEFAULT)
    for name in "abcd":
        gateway[f"{name}1"].will(says("Hi"))

    drawn = {}
    for _ in range(20):
        run, call = await answer(gateway)
        again, _ = await answer(gateway, episode_id=run.episode_id)
        assert tried(again) == [call.variant_name]
        drawn[run.episode_id] = call.variant_name

    assert set(drawn.values()) == set("abcd")


async def test_all_variants_are_tried_once(start: StartGateway) -> None:
    """Without weights, every variant has its turn until one answers."""
    gateway = start(DEFAULT)
    for name in "abcd":
        gateway[f"{name}1"].will(fails(400))
    accepted, run = gateway.begin()

    with pytest.raises(InferenceFailed):
        await first_answer(run, accepted)

    assert sorted(tried(run)) == ["a", "b", "c", "d"]


async def test_after_the_candidates_come_the_fallback_variants(start: StartGateway) -> None:
    """In the order in which they are listed; a candidate without weight is never asked."""
    gateway = start(STATIC)
    for name in ("a1", "d1"):
        gateway[name].will(fails(400))
    gateway["c1"].will(says("Hi"))

    run, call = await answer(gateway)

    assert tried(run) == ["a", "d", "c"]
    assert call.variant_name == "c"


async def test_a_namespace_has_its_own_draw(start: StartGateway) -> None:
    """One without an experiment of its own takes part in that of all others."""
    gateway = start(STATIC)
    for name in ("a1", "b1"):
        gateway[name].will(says("Hi"))

    assert tried((await answer(gateway, namespace="lab"))[0]) == ["b"]
    assert tried((await answer(gateway, namespace="shop"))[0]) == ["a"]
    assert tried((await answer(gateway))[0]) == ["a"]


async def test_a_failure_names_all_that_was_tried(start: StartGateway) -> None:
    """Variant by variant, with the causes of each."""
    gateway = start(STATIC)
    for name in "acd":
        gateway[f"{name}1"].will(fails(400, f"{name} is ill"))

    failed = await failure(gateway, include_raw_response=True)

    assert failed.cause == "providers"
    assert not failed.pinned
    assert str(failed) == "; ".join(
        f'variant "{name}": model "{name}": provider "{name}1": '
        f"openai returned HTTP 400: {name} is ill [code: x_error]"
        for name in "adc"
    )
    assert [each["variant"] for each in failed.tree] == ["a", "d", "c"]
    assert [each["models"][0]["model"] for each in failed.tree] == ["a", "d", "c"]
    told = [decode_json(each["data"])["error"]["message"] for each in failed.raw_response]
    assert told == ["a is ill", "d is ill", "c is ill"]
    assert all("model_inference_id" not in each for each in failed.raw_response)
    assert failed.inference_id is not None
    assert failed.episode_id is not None


async def test_a_failure_holds_those_of_its_providers(start: StartGateway) -> None:
    """In order, with the provider's own words, and with how long it asks to wait."""
    gateway = start(STATIC)
    gateway["a1"].will(fails(429, "slow down", headers={"retry-after": "7"}))
    gateway["d1"].will(fails(503, "full", headers={"retry-after-ms": "2500"}))
    gateway["c1"].will(fails(400, "no such thing"))

    failed = await failure(gateway)

    told = [(each.model, each.provider, each.failure.message) for each in failed.failures]
    assert told == [("a", "a1", "slow down"), ("d", "d1", "full"), ("c", "c1", "no such thing")]
    assert [each.failure.retry_after_s for each in failed.failures] == [7, 2.5, None]
    assert failed.retry_after_s == 2.5


async def test_bodies_are_told_only_to_those_who_asked(start: StartGateway) -> None:
    """What providers have sent may be long, and is nobody's business by default."""
    gateway = start(STATIC)
    for name in "acd":
        gateway[f"{name}1"].will(fails(400))

    assert (await failure(gateway)).raw_response == []


@pytest.mark.parametrize("name", ["a", "b", "c"])
async def test_a_pinned_variant_has_no_other_behind_it(start: StartGateway, name: str) -> None:
    """Whoever asks for a variant gets that one or none."""
    gateway = start(STATIC)
    gateway[f"{name}1"].will(fails(500))

    failed = await failure(gateway, variant_name=name)

    assert failed.pinned
    assert failed.cause == "providers"
    assert gateway.providers.asked() == [f"{name}1"]


async def test_a_model_is_not_pinned(start: StartGateway) -> None:
    """It is a function with one variant, whose name it has."""
    gateway = start(STATIC)
    gateway["a1"].will(fails(500))

    failed = await failure(gateway, model_name="a")

    assert not failed.pinned
    assert str(failed).startswith('variant "a": model "a": provider "a1": ')


async def test_an_experiment_may_have_nothing_to_draw(start: StartGateway) -> None:
    """Without weights and without fallbacks there is nobody to ask."""
    gateway = start(DEFAULT)
    accepted, run = gateway.begin()
    nobody = attrs.evolve(accepted.function, draw=WeightedDraw(variants=("a",), weights={}))

    with pytest.raises(InferenceFailed) as failed:
        await first_answer(run, attrs.evolve(accepted, function=nobody))

    assert failed.value.cause == "nothing_to_try"
    assert str(failed.value) == "function 'chat' has no variant to draw"


async def test_a_variant_without_the_template_gives_way_to_one_that_has_it(
    start: StartGateway,
) -> None:
    """No provider is called for it; pinned, it is the caller's mistake."""
    flipped = TEMPLATES.replace("{ a = 1.0 }", "{ b = 1.0 }").replace('["b"]', '["a"]')
    gateway = start(flipped, files={"greet.minijinja": "Hello {{ name }}"})
    gateway["a1"].will(says("Hi"))

    run, _ = await answer(gateway, **GREET)
    failed = await failure(gateway, variant_name="b", **GREET)

    assert tried(run) == ["a"]
    assert gateway["a1"].bodies[0]["messages"][0]["content"] == "Hello Ann"
    assert (failed.cause, failed.pinned) == ("template", True)
    assert str(failed) == "variant \"b\": there is no template 'greet'"


async def test_a_variant_that_cannot_be_rendered_gives_way_too(start: StartGateway) -> None:
    """When it was the last, the failure says which template and why."""
    gateway = start(TEMPLATES, files={"greet.minijinja": "{{ nmae }}"})

    failed = await failure(gateway, variant_name="a", **GREET)

    assert failed.cause == "rendering"
    assert str(failed).startswith("variant \"a\": template 'greet', line 1: ")
    assert gateway.providers.asked() == []


async def test_a_variant_has_its_time_for_everything(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Retries, waits and fallback models are within it; then the next variant has its turn."""
    gateway = start(limited("non_streaming.total_ms = 2500"))
    gateway["a1"].will(fails(500, after_s=0.5))
    gateway["b1"].will(says("Hi"))
    began = trio.current_time()

    run, call = await answer(gateway)

    assert trio.current_time() - began == pytest.approx(2.5)
    assert call.variant_name == "b"
    assert set(tried(run)) == {"a", "b"}
    assert "c1" not in gateway.providers.asked()


async def test_a_pinned_variant_that_takes_too_long_is_a_timeout(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """The limit is named; the call that was cut off has it as its error."""
    gateway = start(limited("non_streaming.total_ms = 2500"))
    gateway["a1"].will(hangs())
    accepted, run = gateway.begin(variant_name="a")

    with pytest.raises(InferenceFailed) as failed:
        await first_answer(run, accepted)

    told = 'variant "a": timeouts.non_streaming.total_ms = 2500 reached'
    assert failed.value.cause == "timeout"
    assert str(failed.value) == told
    (call,) = run.journal.calls
    assert (call.status, call.error) == ("error", told)


@pytest.mark.parametrize(
    ("timeouts", "told"),
    [
        ("streaming.ttft_ms = 900", "timeouts.streaming.ttft_ms = 900"),
        ("streaming.total_ms = 900", "timeouts.streaming.total_ms = 900"),
    ],
)
async def test_a_variants_stream_must_start_in_time(
    start: StartGateway, autojump_clock: trio.testing.MockClock, timeouts: str, told: str
) -> None:
    """A stream that does not is a failure like any other."""
    gateway = start(limited(timeouts))
    gateway["a1"].will(hangs())
    accepted, run = gateway.begin(variant_name="a", stream=True)

    with pytest.raises(InferenceFailed) as failed:
        await first_started_answer(run, accepted)

    assert failed.value.cause == "timeout"
    assert str(failed.value) == f'variant "a": {told} reached'


@pytest.mark.parametrize(
    ("timeouts", "told", "after_s"),
    [
        ("streaming.total_ms = 2000", "timeouts.streaming.total_ms = 2000", 2),
        ("streaming.idle_ms = 1000", "timeouts.streaming.idle_ms = 1000", 2.5),
    ],
)
async def test_a_variants_limits_go_on_within_the_stream(
    start: StartGateway,
    autojump_clock: trio.testing.MockClock,
    timeouts: str,
    told: str,
    after_s: float,
) -> None:
    """They count from the beginning of the variant, its failed calls included."""
    gateway = start(limited(timeouts))
    gateway["a1"].will(fails(400, after_s=1.5))
    gateway["c1"].will(stream_of(said("a"), Pause(60), said("b"), Hang()))
    accepted, run = gateway.begin(variant_name="a", stream=True)
    began = trio.current_time()

    stream = (await first_started_answer(run, accepted)).stream
    events: list[StreamEvent] = [*await stream.receive(), *await stream.receive()]

    assert trio.current_time() - began == pytest.approx(after_s)
    assert isinstance(events[-1], StreamFault)
    assert str(events[-1].failure) == f'variant "a": {told} reached'
