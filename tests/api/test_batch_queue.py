"""Batches that run: states, results, bounds, retries, cancelling, stopping."""

import signal
import time
from collections.abc import Iterator
from statistics import median

import attrs
import pytest
import trio

from lsd.batches.local_queue import POLITE_PAUSE_S
from tests.api.asking import Box, model, open_store, wait_for
from tests.api.batching import (
    bounded,
    by_text,
    cancelled,
    configured,
    done,
    finished,
    messages,
    polled,
    polled_item,
    refusing,
    row,
    submitted,
    text_of_request,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import completes, fails
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Script, Until

ITEMS_AT_ONCE = 8
"""The default, which may be running when the first caller comes."""

METRIC = """
[metrics.good]
type = "boolean"
optimize = "max"
level = "inference"
"""

RATE_LIMIT = """
[[rate_limiting.rules]]
priority = 0
scope = { tag_key = "slow", tag_value = "yes" }
model_inferences_per_second = 2
"""

MORE = """
[functions.extract]
type = "json"
output_schema = "object.json"
variants.v = { type = "chat_completion", model = "m", json_mode = "off" }

[functions.best]
type = "chat"
variants.a = { type = "chat_completion", model = "m" }
[functions.best.variants.chooser]
type = "experimental_best_of_n_sampling"
candidates = ["a", "a"]
evaluator = { model = "m" }
"""

FILES = {"object.json": '{"type": "object", "required": ["x"]}'}


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A daemon whose provider repeats what it is told, or fails when it is told so."""
    api_base = shared_provider.will("box", by_text(wrong=refusing(400)))
    text = configured(api_base, METRIC, RATE_LIMIT, MORE)
    return start_shared(text, files=FILES)


@pytest.fixture
def box(gateway: Gateway, shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Its provider, who has forgotten what other tests had asked."""
    shared_provider.forget()
    return shared_provider


@attrs.define(eq=False)
class Held:
    """A daemon whose provider holds back all answers until it is let go."""

    gateway: Gateway
    provider: FakeProviderThread
    may_go_on: trio.Event

    def let_go(self) -> None:
        """From now on everything is answered."""
        self.provider.set(self.may_go_on)

    @property
    def asked(self) -> list[str]:
        """What the provider was asked, in order."""
        return [text_of_request(each) for each in self.provider.requests]


@pytest.fixture
def held(start_gateway: StartGateway, provider: FakeProviderThread) -> Iterator[Held]:
    """Two items run at once."""
    may_go_on = trio.Event()
    said = completes({"role": "assistant", "content": "Yes"})
    api_base = provider.will("box", Script((Until(may_go_on), *said.steps)))
    text = configured(api_base, METRIC, bounded(max_concurrency=2))
    gateway = start_gateway(text + "[gateway]\nshutdown_timeout_ms = 300\n")
    yield Held(gateway, provider, may_go_on)
    provider.set(may_go_on)


def test_one_failure_spoils_nothing_else(gateway: Gateway) -> None:
    """Case 13: the batch is completed, with an error that has its place."""
    answer = submitted(gateway, [row("a"), row("wrong"), row("c")])
    batch = finished(gateway, answer["batch_id"])

    (error,) = batch["errors"]
    assert (batch["status"], texts(batch)) == ("completed", ["a", "c"])
    assert (error["index"], error["status"]) == (1, 502)
    assert error["inference_id"] == answer["inference_ids"][1]
    item = polled_item(gateway, answer["batch_id"], answer["inference_ids"][1])
    assert item["status"] == "failed"
    assert item["error"] == {"status": 502, "message": error["message"]}
    pinned = done(gateway, [row("wrong", variant_name="v")])
    assert pinned["errors"][0]["status"] == 500
    calls = gateway.calls(answer["inference_ids"][1])
    assert [call["status"] for call in calls] == ["error"]
    assert gateway.stored(answer["inference_ids"][1]) is None


def test_a_batch_in_which_all_fail_has_failed(gateway: Gateway) -> None:
    """Case 14: the answer is 200 all the same."""
    batch = done(gateway, [row("wrong"), row("wrong")])

    assert batch["status"] == "failed"
    assert [each["index"] for each in batch["errors"]] == [0, 1]
    assert "inferences" not in batch


def test_an_item_may_have_ended_before_its_batch(held: Held) -> None:
    """Case 15: then there can be feedback on it, and not before."""
    gateway, may_go_on = held.gateway, held.may_go_on
    said = completes({"role": "assistant", "content": "Yes"})
    slow = Script((Until(may_go_on), *said.steps))
    held.provider.will("box", by_text(slow=slow))
    answer = submitted(gateway, [row("quick"), row("slow")])
    batch_id, (quick, slow_id) = answer["batch_id"], answer["inference_ids"]
    item = wait_for(lambda: _completed(polled_item(gateway, batch_id, quick)))

    def feedback(inference_id: str) -> int:
        given = {"metric_name": "good", "value": True, "inference_id": inference_id}
        return gateway.post("/feedback", given).status_code

    assert polled(gateway, batch_id)["status"] == "pending"
    assert item["inferences"][0]["content"] == [{"type": "text", "text": "quick"}]
    assert polled_item(gateway, batch_id, slow_id)["status"] == "pending"
    assert (feedback(quick), feedback(slow_id)) == (200, 400)
    held.let_go()
    finished(gateway, batch_id)
    assert feedback(slow_id) == 200


def _completed(item: dict[str, object]) -> dict[str, object]:
    return item if item["status"] == "completed" else {}


def test_progress_only_grows(gateway: Gateway) -> None:
    """Case 16: the figures agree in every poll."""
    answer = submitted(gateway, [row(str(number)) for number in range(60)])
    seen = [0]
    while (batch := polled(gateway, answer["batch_id"]))["status"] == "pending":
        progress = batch["progress"]
        assert progress.pop("total") == sum(progress.values()) == 60
        seen.append(progress["completed"])

    assert seen == sorted(seen)
    assert batch["progress"]["completed"] == 60


def test_no_more_run_at_once_than_is_allowed(held: Held) -> None:
    """Case 17: over all batches, and a small batch does not wait for a large one."""
    large = submitted(held.gateway, [row(f"large {number}") for number in range(100)])
    small = submitted(held.gateway, [row("small")])
    wait_for(lambda: len(held.asked) == 2)
    open_calls = held.provider.requests[:]

    held.let_go()
    finished(held.gateway, small["batch_id"])
    behind = held.asked.index("small")
    finished(held.gateway, large["batch_id"])

    assert len(open_calls) == 2
    assert behind <= 4
    assert len(held.asked) == 101


def test_a_model_may_have_a_bound_of_its_own(held: Held) -> None:
    """Items of other models go on meanwhile."""
    gateway = held.gateway
    other = model("n", Box("box", held.provider.url("box"))) + bounded(max_concurrency_per_model=1)
    talk = '[functions.other]\ntype = "chat"\nvariants.v.model = "n"\n'
    text = gateway.config_path.read_text().replace(bounded(max_concurrency=2), other + talk)
    gateway.stop()
    gateway.configure(text)
    gateway.start()
    rows = [row("m"), row("m"), row("m"), row("n", function_name="other"), row("m")]
    batch_id = submitted(gateway, rows)["batch_id"]
    wait_for(lambda: len(held.asked) == 2)
    first = sorted(held.asked)
    held.let_go()
    finished(gateway, batch_id)

    assert first == ["m", "n"]
    assert len(held.asked) == 5


def test_a_stop_puts_back_what_it_cuts_off(held: Held) -> None:
    """Case 21: it does not count as a crash, and the next start completes the batch."""
    answer = submitted(held.gateway, [row("a"), row("b"), row("c")])
    wait_for(lambda: len(held.asked) == 2)
    held.gateway.send_signal(signal.SIGTERM)
    held.gateway.wait()
    with open_store(held.gateway) as store:
        items = [each.item for each in store.batches.results(answer["batch_id"], 0, 3)]

    held.let_go()
    held.gateway.start()

    assert [(item.state, item.crashes, item.attempts) for item in items] == [("pending", 0, 0)] * 3
    assert texts(finished(held.gateway, answer["batch_id"])) == ["Yes"] * 3


def test_what_has_gone_from_the_configuration_fails(held: Held) -> None:
    """Case 22: and the others do not."""
    gateway = held.gateway
    kept = gateway.config_path.read_text()
    other = kept.replace("functions.talk", "functions.other").split("[functions.other]")[1]
    gateway.configure(kept + "[functions.other]" + other.split("[metrics")[0])
    gateway.kill()
    gateway.start()
    answer = submitted(gateway, [row("a"), row("b"), row("c", function_name="other"), row("d")])
    wait_for(lambda: len(held.asked) == 2)
    gateway.kill()
    gateway.configure(kept)
    held.let_go()
    gateway.start()

    batch = finished(gateway, answer["batch_id"])

    assert [each["index"] for each in batch["errors"]] == [2]
    assert batch["errors"][0]["status"] == 404
    assert "other" in batch["errors"][0]["message"]


def test_credentials_are_lost_with_their_process(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Case 23: until then they are used; the store has no byte of them."""
    may_go_on = trio.Event()
    said = completes({"role": "assistant", "content": "Yes"})
    text = configured(provider.url("box"), bounded(max_concurrency=1)).replace(
        'api_key_location = "none"', 'api_key_location = "dynamic::key"'
    )
    provider.will("box", said)
    gateway = start_gateway(text)
    secret = {"credentials": {"key": "sk-very-secret"}}
    first = done(gateway, [row("a", **secret)])
    keys = [each.headers["authorization"] for each in provider.requests]
    provider.will("box", Script((Until(may_go_on), *said.steps)))
    answer = submitted(gateway, [row("b", **secret), row("c", **secret)])
    provider.wait_for_request(2)
    gateway.kill()
    stored = [path.read_bytes() for path in gateway.data_path.rglob("*.mdb")]
    gateway.start()
    batch = finished(gateway, answer["batch_id"])
    provider.set(may_go_on)

    assert texts(first) == ["Yes"]
    assert keys == ["Bearer sk-very-secret"]
    assert not any(b"sk-very-secret" in each for each in stored)
    assert [each["status"] for each in batch["errors"]] == [400, 400]
    assert "do not survive a restart" in batch["errors"][0]["message"]


def test_a_batch_can_be_cancelled(held: Held) -> None:
    """Case 24: what has not begun is cancelled at once, what runs ends and keeps its answer."""
    gateway = held.gateway
    answer = submitted(gateway, [row(str(number)) for number in range(10)])
    wait_for(lambda: len(held.asked) == 2)
    batch_id = answer["batch_id"]

    pending = cancelled(gateway, batch_id)
    held.let_go()
    batch = finished(gateway, batch_id)

    assert (pending["status"], pending["cancel_requested"]) == ("pending", True)
    assert pending["progress"]["cancelled"] == 8
    assert batch["status"] == "cancelled"
    assert (len(batch["inferences"]), len(batch["errors"])) == (2, 8)
    assert {each["status"] for each in batch["errors"]} == {499}
    assert cancelled(gateway, batch_id) == batch
    completed = done(gateway, [row("a")])
    assert cancelled(gateway, completed["batch_id"]) == completed


def test_what_was_cancelled_is_not_run_after_a_crash(held: Held) -> None:
    """Case 25: not even what was running then."""
    answer = submitted(held.gateway, [row(str(number)) for number in range(5)])
    wait_for(lambda: len(held.asked) == 2)
    cancelled(held.gateway, answer["batch_id"])
    held.gateway.kill()
    held.let_go()
    held.gateway.start()

    batch = finished(held.gateway, answer["batch_id"])

    assert (batch["status"], len(batch["errors"])) == ("cancelled", 5)
    assert len(held.asked) == 2


def test_our_own_limit_only_delays(gateway: Gateway) -> None:
    """Case 26: no item fails because of it; they run as it gives way, two in a second."""
    began = time.monotonic()
    batch = done(gateway, [row(str(number), tags={"slow": "yes"}) for number in range(5)])

    assert (batch["status"], len(batch["inferences"])) == ("completed", 5)
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(("attempts", "status"), [(1, "failed"), (2, "completed")])
def test_a_provider_that_was_ill_is_asked_again(
    start_gateway: StartGateway, provider: FakeProviderThread, attempts: int, status: str
) -> None:
    """Case 27: as often as the configuration says."""
    provider.will("ill", fails(503))
    provider.will("well", completes({"role": "assistant", "content": "Yes"}))
    more = bounded(item_max_attempts=attempts)
    gateway = start_gateway(configured(provider.url("seq:ill,well"), more))

    batch = done(gateway, [row("a")])

    assert batch["status"] == status
    assert len(provider.requests) == attempts


def test_json_that_does_not_fit_is_an_answer(gateway: Gateway) -> None:
    """Case 28: with `parsed` null."""
    batch = done(gateway, [{"function_name": "extract", "input": messages("{}")}])

    assert batch["inferences"][0]["output"] == {"raw": "{}", "parsed": None}


def test_a_result_stays_as_it_is(gateway: Gateway) -> None:
    """Case 29: byte for byte, and as `/inference` writes it."""
    answer = submitted(gateway, [row("a"), row("b")])
    finished(gateway, answer["batch_id"])
    first, second = [
        gateway.client.get(f"/batch_inference/{answer['batch_id']}").content for _ in range(2)
    ]
    single = gateway.infer(**row("a"))
    (element, _) = polled(gateway, answer["batch_id"])["inferences"]

    assert first == second
    assert list(element) == list(single)
    assert {**element, "inference_id": "", "episode_id": ""} == {
        **single,
        "inference_id": "",
        "episode_id": "",
    }


def test_batches_can_be_taken_without_being_run(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Case 43: until the bound is raised."""
    api_base = provider.will("box", by_text())
    gateway = start_gateway(configured(api_base, bounded(max_concurrency=0)))
    answer = submitted(gateway, [row("a")])
    assert polled(gateway, answer["batch_id"])["progress"]["pending"] == 1
    gateway.stop()
    gateway.configure(configured(api_base, bounded(max_concurrency=1)))
    gateway.start()

    assert texts(finished(gateway, answer["batch_id"])) == ["a"]


def test_an_item_may_take_several_calls(gateway: Gateway, box: FakeProviderThread) -> None:
    """Case 44: it is one inference, with a record of each call."""
    batch = done(gateway, [row("a", function_name="best", variant_name="chooser")])

    (inference,) = batch["inferences"]
    assert len(gateway.calls(inference["inference_id"])) == len(box.requests) == 3


def test_callers_go_before_a_batch(gateway: Gateway, box: FakeProviderThread) -> None:
    """Case 45: they are answered as quickly as alone, and the batch goes on meanwhile."""
    alone = median(seconds_of_an_answer(gateway) for _ in range(40))
    answer = submitted(gateway, [row(f"item {number}") for number in range(2_000)])
    box.wait_for_request(1)
    # Whatever else the machine has to do spoils some rounds, but a queue that makes no way all.
    are_first = any(callers_are_first(gateway, box, alone) for _ in range(8))
    cancelled(gateway, answer["batch_id"])

    assert are_first


def callers_are_first(gateway: Gateway, box: FakeProviderThread, alone_s: float) -> bool:
    """Whether callers wait no longer than alone, while a batch makes its few steps."""
    began = time.monotonic()
    box.forget()
    beside_s = median(seconds_of_an_answer(gateway) for _ in range(40))
    items = sum(text_of_request(each).startswith("item") for each in list(box.requests))
    took_s = time.monotonic() - began
    is_quick = beside_s < 3 * alone_s + 0.02
    return is_quick and 0 < items <= ITEMS_AT_ONCE + took_s / POLITE_PAUSE_S


def seconds_of_an_answer(gateway: Gateway) -> float:
    """How long somebody waits."""
    began = time.monotonic()
    gateway.infer(**row("caller"))
    return time.monotonic() - began


def test_large_results_come_in_pieces(gateway: Gateway) -> None:
    """They are one document all the same."""
    batch = done(gateway, [row(str(number)) for number in range(600)])

    assert texts(batch) == [str(number) for number in range(600)]
