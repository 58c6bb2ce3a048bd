"""A configuration and a store put together: what is asked is answered, what is kept is kept."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import orjson
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.config import Loaded
from lsd.conversation import id_time_ms
from lsd.server.assembly import Assembled, assemble
from lsd.server.equipment import Equipment
from lsd.server.kept import Kept, open_kept
from lsd.store import verify
from lsd.telemetry import Metrics, SystemClock
from tests.unit.api.gateways import events, post
from tests.unit.api.in_memory import Exchange, ask, exchange
from tests.unit.config.folder import Folder

SMALL = '[storage]\nmap_size = "4 MiB"\nmax_map_size = "64 MiB"\ndurability = "none"\n'
ECHO = {
    "model_name": "echo::demo",
    "input": {"messages": [{"role": "user", "content": "An old silent pond"}]},
}
METRIC = '[metrics.solved]\ntype = "boolean"\noptimize = "max"\nlevel = "inference"\n'


@attrs.define(eq=False)
class Gateway:
    """A whole daemon, but for its socket."""

    loaded: Loaded
    kept: Kept | None
    equipment: Equipment
    assembled: Assembled
    metrics: Metrics

    async def post(self, path: str, body: Any) -> Exchange:
        """The answer to a JSON body."""
        return await post(self.assembled.front, path, body)

    async def get(self, path: str) -> Exchange:
        """The answer to a GET."""
        return await ask(self.assembled.front, "GET", path)

    async def stored(self, inference_id: str) -> Any:
        """The record of an inference, or None."""
        shown = await self.post("/v1/inferences/get_inferences", {"ids": [inference_id]})
        return next(iter(shown.json()["inferences"]), None)


Make = Callable[..., Any]


@pytest.fixture
async def make(folder: Folder, nursery: trio.Nursery) -> AsyncIterator[Make]:
    """Makes gateways on one data folder, each after the end of the one before."""
    made: list[Gateway] = []

    async def end() -> None:
        for gateway in made:
            await gateway.equipment.transport.aclose()
            if gateway.kept is not None:
                await gateway.kept.writer.close()
                problems = verify(gateway.kept.store)
                gateway.kept.store.close()
                assert problems == []
        made.clear()

    async def gateway(text: str = "") -> Gateway:
        await end()
        loaded, clock, metrics = folder.load(SMALL + text), SystemClock(), Metrics((0.001,))
        kept = open_kept(loaded, clock, metrics)
        if kept is not None:
            await nursery.start(kept.writer.run)
        equipment = Equipment.of(loaded, kept, clock, metrics)
        made.append(Gateway(loaded, kept, equipment, assemble(loaded, equipment), metrics))
        return made[-1]

    yield gateway
    await end()


async def test_the_first_call_needs_no_configuration(make: Make) -> None:
    """The offline provider answers, and the answer can be read back at once."""
    gateway = await make()

    answer = (await gateway.post("/inference", ECHO)).json()

    record = await gateway.stored(answer["inference_id"])
    assert answer["content"] == [{"type": "text", "text": "An old silent pond"}]
    assert record["output"] == answer["content"]
    assert record["snapshot_hash"] == gateway.loaded.hash


async def test_a_stream_is_recorded_like_an_answer(make: Make) -> None:
    """What was streamed is what is stored."""
    gateway = await make()

    *chunks, last = events(await gateway.post("/inference", {**ECHO, "stream": True}))

    record = await gateway.stored(last["inference_id"])
    text = "".join(block["text"] for chunk in chunks for block in chunk["content"])
    assert record["output"] == [{"type": "text", "text": text}]
    assert text == "An old silent pond"


async def test_feedback_finds_its_inference(make: Make) -> None:
    """Whatever was answered before counts; what was never answered does not."""
    gateway = await make(METRIC)
    inference_id = (await gateway.post("/inference", ECHO)).json()["inference_id"]
    feedback = {"metric_name": "solved", "value": True, "inference_id": inference_id}

    given = await gateway.post("/feedback", feedback)
    shown = (await gateway.get(f"/internal/feedback/{inference_id}")).json()["feedback"]
    unknown = await gateway.post("/feedback", {**feedback, "metric_name": "ghost"})

    assert [entry["id"] for entry in shown] == [given.json()["feedback_id"]]
    assert unknown.status == 404


@pytest.mark.parametrize(
    "observability",
    [
        "async_writes = true",
        "async_writes = false",
        "async_writes = false\nbatch_writes = { enabled = true, flush_interval_ms = 3_600_000 }",
    ],
    ids=["async", "sync", "batch"],
)
async def test_what_was_answered_can_be_read_in_every_mode(make: Make, observability: str) -> None:
    """A reader never waits for a flush to come by itself."""
    gateway = await make(f"[gateway.observability]\n{observability}\n")

    answer = (await gateway.post("/inference", ECHO)).json()

    assert await gateway.stored(answer["inference_id"]) is not None


async def test_in_sync_mode_the_answer_comes_after_the_commit(make: Make) -> None:
    """Who has the answer has the record, whatever happens then."""
    gateway = await make("[gateway.observability]\nasync_writes = false\n")

    answer = (await gateway.post("/inference", ECHO)).json()

    assert gateway.kept.writer.statistics().rows_waiting == 0
    assert gateway.kept.store.inferences.exists(answer["inference_id"])


async def test_nothing_is_recorded_where_nothing_is_wanted(make: Make) -> None:
    """Answers are unaffected; feedback has nothing to be about."""
    gateway = await make(METRIC + "[gateway.observability]\nenabled = false\n")

    answer = (await gateway.post("/inference", ECHO)).json()
    feedback = await gateway.post(
        "/feedback",
        {"metric_name": "solved", "value": True, "inference_id": answer["inference_id"]},
    )

    assert await gateway.stored(answer["inference_id"]) is None
    assert feedback.status == 400
    assert "gateway.observability.enabled" in feedback.error()
    assert (await gateway.get("/health")).json() == {"gateway": "ok", "store": "disabled"}


async def test_a_store_that_is_needed_is_told_of_though_nothing_is_recorded(make: Make) -> None:
    """Keys, limits and the like stand in it."""
    limits = "[[rate_limiting.rules]]\nalways = true\ntokens_per_day = 5\n"
    gateway = await make(METRIC + "[gateway.observability]\nenabled = false\n" + limits)

    assert (await gateway.get("/health")).json() == {"gateway": "ok", "store": "ok"}


async def test_without_a_store_inferences_go_on(make: Make, folder: Folder) -> None:
    """What needs the store says so."""
    folder.write("lsd-data", "a file where a folder should be")
    gateway = await make(METRIC)

    answer = await gateway.post("/inference", ECHO)
    feedback = await gateway.post(
        "/feedback",
        {
            "metric_name": "solved",
            "value": True,
            "inference_id": answer.json()["inference_id"],
        },
    )

    assert answer.status == 200
    assert feedback.status == 503
    assert (await gateway.get("/health")).json() == {"gateway": "ok", "store": "disabled"}


async def test_a_working_store_is_well(make: Make) -> None:
    """And a closed writer is not."""
    gateway = await make()

    well = await gateway.get("/health")
    await gateway.kept.writer.close()
    ill = await gateway.get("/health")

    assert (well.status, well.json()) == (200, {"gateway": "ok", "store": "ok"})
    assert (ill.status, ill.json()) == (503, {"gateway": "ok", "store": "error"})


async def test_the_status_tells_the_configuration(make: Make) -> None:
    """By the hash that records name."""
    gateway = await make()

    assert (await gateway.get("/status")).json()["config_hash"] == gateway.loaded.hash


async def test_requests_are_counted(make: Make) -> None:
    """Accepted ones, once each; those refused are none."""
    gateway = await make()

    await gateway.post("/inference", ECHO)
    await gateway.post("/inference", {**ECHO, "dryrun": True})
    await gateway.post("/inference", {})
    lines = (await gateway.get("/metrics")).body.decode().splitlines()

    counted = [line for line in lines if line.startswith("lsd_requests_total{")]
    assert len(counted) == 1
    assert counted[0].endswith(" 1.0")
    assert 'function_name="lsd::default"' in counted[0]
    assert 'model_name="echo::demo"' in counted[0]


async def test_ids_rise_over_restarts(make: Make, folder: Folder) -> None:
    """Even if the clock has gone back in between, new records come after old ones."""
    first = await make()
    old = (await first.post("/inference", ECHO)).json()["inference_id"]
    assert await first.stored(old) is not None
    far = first.kept.store.greatest_id()
    second = await make()

    new = (await second.post("/inference", ECHO)).json()["inference_id"]

    assert far >= old
    assert new > far
    assert id_time_ms(new) >= id_time_ms(old)
    assert await second.stored(old) is not None


@pytest.mark.parametrize(
    ("cache", "cached"), [("", [False, True]), ("enabled = false", [False, False])]
)
async def test_the_cache_answers_what_was_asked_before(
    make: Make, cache: str, cached: list[bool]
) -> None:
    """Unless there is none; then asking for it changes nothing."""
    gateway = await make(f"[gateway.cache]\n{cache}\n")
    body = {**ECHO, "cache_options": {"enabled": "on"}}

    found = []
    for _ in range(2):
        inference_id = (await gateway.post("/inference", body)).json()["inference_id"]
        shown = await gateway.get(f"/internal/model_inferences/{inference_id}")
        found.append(shown.json()["model_inferences"][0]["cached"])

    assert found == cached


async def test_the_edge_is_that_of_the_configuration(make: Make) -> None:
    """Base path, limit of bodies, hosts."""
    gateway = await make('[gateway]\nbase_path = "/llm/"\nmax_request_bytes = 200\n')
    front = gateway.assembled.front

    well = await post(front, "/llm/inference", ECHO)
    bare = await post(front, "/inference", ECHO)
    large = await ask(front, "POST", "/llm/inference", b"x" * 201)
    foreign = await ask(front, "GET", "/llm/status", headers={"host": "evil.example"})

    assert [each.status for each in (well, bare, large, foreign)] == [200, 404, 413, 403]


SLOW = '[models.slow]\nrouting = ["p"]\nproviders.p = { type = "echo", delay_ms = 200 }\n'


@pytest.mark.parametrize(("configured", "is_recorded"), [("cancel", False), ("finish", True)])
async def test_a_leaving_client_is_dealt_with_as_configured(
    make: Make, mock_clock: MockClock, configured: str, is_recorded: bool
) -> None:
    """Either the call is cancelled, or everything goes on as if the client had stayed."""
    gateway = await make(f'{SLOW}[gateway]\non_client_disconnect = "{configured}"\n')
    episode_id = (await gateway.post("/inference", ECHO)).json()["episode_id"]
    body = {**ECHO, "model_name": "slow", "episode_id": episode_id}
    asked = exchange(gateway.assembled.front, "POST", "/inference", orjson.dumps(body))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(asked.run)
        await wait_all_tasks_blocked()
        asked.leave()
        await wait_all_tasks_blocked()
        mock_clock.jump(1)

    await gateway.kept.writer.settle()
    episode = gateway.kept.store.episodes.get(episode_id)
    assert episode.count == (2 if is_recorded else 1)
    assert not asked.is_answered


async def test_files_of_requests_are_kept(make: Make) -> None:
    """Their bytes lie beside the records, which point at them."""
    gateway = await make()
    image = {
        "type": "file",
        "file_type": "base64",
        "mime_type": "image/png",
        "data": "iVBORw0KGgo=",
    }
    body = {
        "model_name": "echo::demo",
        "input": {"messages": [{"role": "user", "content": [image]}]},
    }

    answer = await gateway.post("/inference", body)

    assert answer.status == 200, answer.body
    record = await gateway.stored(answer.json()["inference_id"])
    (stored,) = record["input"]["messages"][0]["content"]
    objects = gateway.kept.store.path / "objects"
    assert (objects / stored["storage_path"]).is_file()
    assert "data" not in stored
