"""Whether the store is as quick with a million inferences as with few.

    .venv/bin/python -m bench.store [--inferences 1000000] [--durability none]

Fills a store in a temporary folder, then prints how many inferences per second are recorded in it,
and, in turn, in one with ten thousand; the bytes that an inference takes; and the median and the
99th percentile of the queries that people wait for. Over HTTP, a thread and JSON come to them. A
million inferences take some minutes and seven gigabytes.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from lsd.conversation import IdGenerator
from lsd.store import (
    FeedbackRecord,
    InferenceBody,
    InferenceQuery,
    InferenceRecord,
    MetricIs,
    ModelInferenceBody,
    ModelInferenceRecord,
    Selection,
    Store,
    StoreSettings,
    TagIs,
    Write,
)
from lsd.store._group_commit import commit_group

FUNCTIONS, VARIANTS, TENANTS = 20, 3, 1_000
GROUP = 100
"""Inferences of one commit, as under some load."""

FEW = 10_000
"""Inferences in the store that the great one is compared with."""

MEASURED_GROUPS = 100
"""Commits that are measured, by turns in both."""

QUERIES = 200
LONG_EPISODE = "0198f3a2-7b40-7c11-a5d2-9e0f41c6b3aa"
"""One inference in fifty belongs to it; the others are three to an episode."""

BEGINNING_MS = 1_760_000_000_000
STEP_MS = 250


class Generated(NamedTuple):
    """An inference with its call, and what is said about it."""

    record: InferenceRecord
    call: ModelInferenceRecord
    feedback: list[FeedbackRecord]


def generated(random: Random) -> Iterator[Generated]:
    """Inferences without end, four a second, of plain length."""
    now_ms = BEGINNING_MS
    ids = IdGenerator(lambda: now_ms * 1_000_000, random)
    words = ["pond", "frog", "water", "silence", "moon", "leaf", "rain", "stone", "wind", "light"]
    episode = ids.new()
    for number in range(1 << 62):
        now_ms += STEP_MS
        if number % 3 == 0:
            episode = ids.new()
        text = " ".join(random.choices(words, k=60))
        own = ids.new()
        call = model_inference(ids.new(), own, number, text, random)
        record = InferenceRecord(
            inference_id=own,
            episode_id=LONG_EPISODE if number % 50 == 7 else episode,
            function_name=f"function_{number % FUNCTIONS}",
            variant_name=f"variant_{random.randrange(VARIANTS)}",
            function_type="chat",
            tags={"tenant": f"tenant-{random.randrange(TENANTS)}", "stage": "live"},
            processing_time_ms=call.response_time_ms,
            snapshot_hash="5e" * 32,
            body=InferenceBody(
                input={"messages": [{"role": "user", "content": [block(text)]}]},
                output=[block(text[::-1])],
                inference_params={"chat_completion": {"temperature": 0.5}},
            ),
        )
        yield Generated(record, call, said_about(own, number, ids, random))


def model_inference(
    own: str, inference_id: str, number: int, text: str, random: Random
) -> ModelInferenceRecord:
    """The one call of an inference."""
    return ModelInferenceRecord(
        id=own,
        inference_id=inference_id,
        function_name=f"function_{number % FUNCTIONS}",
        variant_name="variant_0",
        model_name=f"model_{number % 5}",
        model_provider_name="provider",
        input_tokens=80,
        output_tokens=60,
        response_time_ms=int(random.lognormvariate(6, 0.6)),
        finish_reason="stop",
        snapshot_hash="5e" * 32,
        body=ModelInferenceBody(
            raw_request=text,
            raw_response=text,
            input_messages=[{"role": "user", "content": [block(text)]}],
            output=[block(text[::-1])],
        ),
    )


def block(text: str) -> dict[str, str]:
    """A block of content."""
    return {"type": "text", "text": text}


def said_about(
    inference_id: str, number: int, ids: IdGenerator, random: Random
) -> list[FeedbackRecord]:
    """A number for every fifth inference, a boolean for every tenth."""
    found = []
    if number % 5 == 0:
        found.append(("float", "rating", random.random()))
    if number % 10 == 0:
        found.append(("boolean", "resolved", random.random() < 0.7))
    return [
        FeedbackRecord(
            id=ids.new(),
            kind=kind,
            target_id=inference_id,
            target_type="inference",
            metric_name=name,
            value=value,
        )
        for kind, name, value in found
    ]


def main() -> None:
    """Fills a store and measures it."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--inferences", type=int, default=1_000_000)
    parser.add_argument("--durability", choices=("sync", "lazy", "none"), default="none")
    options = parser.parse_args()
    settings = StoreSettings(map_size=64 << 30, durability=options.durability)
    with tempfile.TemporaryDirectory(prefix="lsd-bench-") as folder:
        small = Store.open(Path(folder) / "small", settings, is_server=True)
        record(small, islice(generated(Random(5)), FEW))
        store = Store.open(Path(folder) / "great", settings, is_server=True)
        source = generated(Random(7))
        began = time.perf_counter()
        record(store, islice(source, options.inferences))
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
        compare(small, store, source)
        report(store)
        small.close()
        store.close()


def compare(small: Store, great: Store, source: Iterator[Generated]) -> None:
    """Prints how quickly both record; by turns, so that a busy machine is busy for both."""
    seconds = [0.0, 0.0]
    for _ in range(MEASURED_GROUPS):
        group = list(islice(source, GROUP))
        for place, store in enumerate((small, great)):
            seconds[place] += record(store, iter(group))
    few, many = (MEASURED_GROUPS * GROUP / each for each in seconds)
    print(f"recorded per second: {few:.0f} beside {FEW}, {many:.0f} in all ({many / few:.2f})")


def record(store: Store, some: Iterator[Generated]) -> float:
    """Records inferences with what is said about them; the seconds of the commits alone."""
    seconds = 0.0
    while group := list(islice(some, GROUP)):
        writes: list[Write] = []
        for each in group:
            writes.append(store.inferences.record(each.record, [each.call]))
            writes += [store.feedback.record(entry) for entry in each.feedback]
        began = time.perf_counter()
        assert commit_group(store.data, writes) == [None] * len(writes)
        seconds += time.perf_counter() - began
    return seconds


def report(store: Store) -> None:
    """Prints sizes and times."""
    count = store.inferences.count(Selection())
    size = store.size_bytes()["data"]
    print(f"{count} inferences, {size / count:.0f} bytes each with calls, feedback and indexes")
    print(f"{'query':<44}{'median ms':>12}{'p99 ms':>10}")
    for name, act in queries(store, Random(11)):
        times = sorted(timed(act) for _ in range(QUERIES))
        median, late_ms = statistics.median(times) * 1e3, times[int(0.99 * QUERIES)] * 1e3
        print(f"{name:<44}{median:>12.3f}{late_ms:>10.3f}", flush=True)


def timed(act: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def queries(store: Store, random: Random) -> Iterator[tuple[str, Callable[[], object]]]:
    """What people wait for, each time with other names."""

    def newest(make: Callable[[], Selection]) -> Callable[[], object]:
        return lambda: store.inferences.select(InferenceQuery(selection=make(), limit=20))

    def function() -> str:
        return f"function_{random.randrange(FUNCTIONS)}"

    def rating(least: float) -> MetricIs:
        return MetricIs(metric_name="rating", level="inference", comparison=">", value=least)

    def tenant() -> TagIs:
        return TagIs(key="tenant", value=f"tenant-{random.randrange(TENANTS)}")

    episodes = [each.episode_id for each in store.episodes.page(limit=100)]
    lists = {
        "newest 20": Selection,
        "newest 20 of a function": lambda: Selection(function_name=function()),
        "newest 20 of an episode": lambda: Selection(episode_id=random.choice(episodes)),
        "newest 20 of a long episode": lambda: Selection(episode_id=LONG_EPISODE),
        "newest 20 by tag": lambda: Selection(filter=tenant()),
        "newest 20 of a function by tag": lambda: Selection(
            function_name=function(), filter=tenant()
        ),
        "newest 20 by metric > 0.5": lambda: Selection(filter=rating(0.5)),
        "newest 20 by metric > 0.999": lambda: Selection(filter=rating(0.999)),
        "newest 20 of a function by metric > 0.9": lambda: Selection(
            function_name=function(), filter=rating(0.9)
        ),
        "newest 20 by boolean metric": lambda: Selection(
            filter=MetricIs(metric_name="resolved", level="inference", value=False)
        ),
    }
    for name, make in lists.items():
        yield name, newest(make)
    yield "inferences of a function, counted", lambda: store.inferences.counts(function())
    yield (
        "usage of a function, all time",
        lambda: store.usage.variants_between(function(), None, None),
    )
    yield (
        "usage of a function, last 10 days",
        lambda: store.usage.variant_periods(function(), "day", 10),
    )
    yield (
        "usage of a function, last 10 hours",
        lambda: store.usage.variant_periods(function(), "hour", 10),
    )
    yield (
        "means of a metric, by variant",
        lambda: store.feedback_statistics.by_variant(function(), "rating"),
    )
    yield (
        "entries of all metrics of a function",
        lambda: store.feedback_statistics.metric_counts(function()),
    )


if __name__ == "__main__":
    main()
