"""Batches on a disk without room: nothing is taken, nothing is lost, nobody is asked twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.api.asking import Box, model, open_store, wait_for
from tests.api.batching import (
    FUNCTION,
    bounded,
    configured,
    finished,
    polled,
    refused,
    row,
    submitted,
    text_of_request,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.native_batching import NATIVE, all_answered
from tests.fakes.openai_batches import FakeBatches
from tests.fakes.openai_scripts import completes
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Script, Until
from tests.faults.small_disk import SmallDisk, small_disk

LONG = "x" * 20_000
"""In every text, so that each commit needs room that a full disk does not have."""

MAP = "[storage]\nmap_size = 1048576\n"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """16 MiB, which is more than these tests need as long as nobody fills it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder, "16m") as mounted:
        yield mounted


def started(start_gateway: StartGateway, disk: SmallDisk, text: str) -> Gateway:
    """A daemon whose store lies on the disk."""
    path = disk.path / "data"
    gateway = start_gateway(text + MAP, "--data-dir", str(path))
    gateway.data_path = path
    return gateway


def texts_of(count: int) -> list[str]:
    """What so many items say."""
    return [f"{number} {LONG}" for number in range(count)]


def stored_inferences(gateway: Gateway) -> int:
    """How many records there are."""
    with open_store(gateway) as store, store.data.read() as transaction:
        return transaction.count("inf")


def test_what_has_been_answered_waits_for_room(
    disk: SmallDisk, start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """An item is not run a second time because its result could not be stored."""
    may_go_on = trio.Event()

    def answer(request: RecordedRequest) -> Script:
        said = completes({"role": "assistant", "content": text_of_request(request)})
        return Script((Until(may_go_on), *said.steps))

    text = configured(provider.will("box", answer), bounded(max_concurrency=2))
    gateway = started(start_gateway, disk, text)
    wanted = texts_of(4)
    batch_id = submitted(gateway, [row(each) for each in wanted])["batch_id"]
    provider.wait_for_request(2)
    disk.fill()
    provider.set(may_go_on)
    wait_for(lambda: gateway.log_records("the result of a batch item waits for the store"))
    pending = polled(gateway, batch_id)
    told = refused(gateway, 503, [row(each) for each in wanted])
    disk.make_room()

    batch = finished(gateway, batch_id)

    assert pending["status"] == "pending"
    assert "nothing was accepted" in told
    assert "disk is full" in told
    assert texts(batch) == wanted
    assert sorted(map(text_of_request, provider.requests)) == wanted
    assert stored_inferences(gateway) == 4


def test_the_results_of_a_job_wait_for_room(
    disk: SmallDisk, start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Whoever asks for the batch is told how it stands all the same."""
    fake = FakeBatches()
    box = Box("box", provider.will("box", fake), NATIVE)
    text = model("m", box) + FUNCTION + bounded(poll_interval_s=0)
    gateway = started(start_gateway, disk, text)
    wanted = texts_of(3)
    batch_id = submitted(gateway, [row(each) for each in wanted])["batch_id"]
    fake.output, fake.status = all_answered, "completed"
    disk.fill()
    pending = polled(gateway, batch_id)
    warned = gateway.log_records("batch not refreshed")
    disk.make_room()

    batch = finished(gateway, batch_id)

    assert (pending["status"], pending["progress"]["running"]) == ("pending", 3)
    assert "disk is full" in warned[0]["reason"]
    assert texts(batch) == wanted
    assert stored_inferences(gateway) == 3


def test_a_job_of_a_batch_that_finds_no_room_is_ended(
    disk: SmallDisk, start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """The disk is filled while the provider begins it; the batch was promised to nobody."""
    fake = FakeBatches()

    def answer(request: RecordedRequest) -> Any:
        if not fake.job and request.path.endswith("/batches"):
            disk.fill()
        return fake(request)

    box = Box("box", provider.will("box", answer), NATIVE)
    gateway = started(start_gateway, disk, model("m", box) + FUNCTION)
    rows = [row(each) for each in texts_of(20)]

    told = refused(gateway, 503, rows)
    batch_id = fake.job["metadata"]["lsd_batch_id"]
    unknown = gateway.client.get(f"/batch_inference/{batch_id}").status_code
    disk.make_room()
    fake.status = "in_progress"
    taken = submitted(gateway, rows)

    assert "disk is full" in told
    assert "POST /batches/batch_1/cancel" in fake.asked
    assert unknown == 404
    assert polled(gateway, taken["batch_id"])["progress"]["running"] == 20
