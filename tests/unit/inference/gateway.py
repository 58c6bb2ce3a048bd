"""A gateway within the test's own process: the real service, and providers that are told things."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import attrs
import trio

from lsd.config import Loaded, Sources, load
from lsd.conversation import (
    EmbeddingInput,
    EmbeddingRequest,
    IdGenerator,
    ModelRequest,
    decode_json,
    encode_json,
)
from lsd.inference import (
    AdaptiveExperiments,
    EmbeddingAnswer,
    EmbeddingOptions,
    EmbeddingService,
    ExampleMemory,
    ExampleService,
    ExperimentStore,
    FileDesk,
    InferenceRequest,
    InferenceService,
    Prepared,
    Recorder,
    prepare,
    read_examples_request,
    read_inference_request,
)
from lsd.inference.accept import Accepted, accept
from lsd.inference.journal import ModelCall
from lsd.inference.model_request import model_request
from lsd.inference.open_stream import StartedStream, open_stream
from lsd.inference.prepared import PreparedGeneration, PreparedModel, PreparedProvider
from lsd.inference.provider_call import call_provider
from lsd.inference.routing import started_stream, whole_answer
from lsd.inference.run import Run
from lsd.store import (
    FileObjects,
    InferenceCache,
    InferenceRecord,
    ModelInferenceRecord,
    Selection,
    Store,
    Writer,
)
from lsd.telemetry import Metrics, SystemClock
from tests.unit.inference.fake_providers import FakeProvider, FakeProviders

NOW_MS = 1_770_000_000_000
"""The beginning of time, some day in February 2026."""

OPERATORS_KEY = "sk-operators-own"
"""What the environment holds as OPENAI_API_KEY."""

ENVIRONMENT = {"OPENAI_API_KEY": OPERATORS_KEY}

HI: Mapping[str, Any] = {"input": {"messages": [{"role": "user", "content": "Hi"}]}}

PLAIN = """
[models.m]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[functions.chat]
type = "chat"
variants.v.model = "m"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
variants.v.model = "m"
"""
"""A model with one provider, a chat function and a json function with one variant each."""

EMBEDDING = """
[embedding_models.emb]
routing = ["one", "two"]
[embedding_models.emb.providers.one]
type = "openai"
model_name = "small-1"
cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 2 }]
[embedding_models.emb.providers.two]
type = "vllm"
model_name = "small-2"
api_base = "http://gpu1/v1/"
"""
"""An embedding model with two providers."""

TWO_PROVIDERS = """
[models.m]
routing = ["one", "two"]
providers.one = { type = "openai", model_name = "gpt-1" }
providers.two = { type = "openai", model_name = "gpt-2" }

[functions.chat]
type = "chat"
variants.v.model = "m"
"""
"""The same model with a second provider behind the first."""

VERDICT_SCHEMA = {
    "type": "object",
    "properties": {"urgent": {"type": "boolean"}},
    "required": ["urgent"],
}


@attrs.define(eq=False)
class TrioClock:
    """A clock that goes with trio's own, which tests may let jump."""

    def now_ms(self) -> int:
        return NOW_MS + round(self.monotonic() * 1000)

    def now_ns(self) -> int:
        return self.now_ms() * 1_000_000

    def monotonic(self) -> float:
        return trio.current_time() - self.started_at

    started_at: float = attrs.field(factory=trio.current_time, init=False)


@attrs.define(eq=False)
class Client:
    """Takes a streamed answer piece by piece."""

    pieces: list[bytes] = attrs.field(factory=list, init=False)
    has_started: bool = attrs.field(default=False, init=False)

    async def start(self) -> Callable[[bytes], Awaitable[None]]:
        """What the service calls when there is something to send."""
        self.has_started = True
        await trio.lowlevel.checkpoint()
        return self.take

    async def take(self, piece: bytes) -> None:
        """Takes some events."""
        await trio.lowlevel.checkpoint()
        self.pieces.append(piece)

    @property
    def text(self) -> str:
        """Everything so far."""
        return b"".join(self.pieces).decode()

    @property
    def events(self) -> list[Any]:
        """The events so far, decoded; comments left out, `[DONE]` as it is."""
        lines = [line for line in self.text.split("\n\n") if line and not line.startswith(":")]
        payloads = [line.removeprefix("data: ") for line in lines]
        return [each if each == "[DONE]" else decode_json(each) for each in payloads]


@attrs.define(eq=False)
class Gateway:
    """A gateway with a configuration; with a store, everything is committed before it answers."""

    loaded: Loaded
    providers: FakeProviders
    service: InferenceService
    embeddings: EmbeddingService
    examples: ExampleService | None
    clock: TrioClock
    store: Store | None
    writer: Writer | None

    @property
    def prepared(self) -> Prepared:
        """What the configuration was made into."""
        return self.service.prepared

    def __getitem__(self, name: str) -> FakeProvider:
        """The provider of this name."""
        return self.providers[name]

    async def infer(self, **fields: Any) -> Any:
        """The decoded answer; by default the function `chat` is told "Hi"."""
        return decode_json(await self.service.infer(request(**fields)))

    async def stream(self, **fields: Any) -> list[Any]:
        """The decoded events; `[DONE]` must be the last, and is left out."""
        client = Client()
        await self.service.stream(request(stream=True, **fields), client.start)
        *events, end = client.events
        assert end == "[DONE]"
        return events

    async def embed(
        self, *inputs: EmbeddingInput, model: str = "emb", **options: Any
    ) -> EmbeddingAnswer:
        """The vectors of these inputs."""
        asked = EmbeddingRequest(inputs=inputs)
        return await self.embeddings.embed(model, asked, EmbeddingOptions(**options))

    def accept(self, **fields: Any) -> Accepted:
        """The plan of a request."""
        return accept(request(**fields), self.prepared, now_ms=self.clock.now_ms)

    def begin(self, **fields: Any) -> tuple[Accepted, Run]:
        """A request that was accepted, and is about to run."""
        accepted = self.accept(**fields)
        return accepted, self.service._begin(accepted, self.clock.monotonic())

    async def add_examples(self, variant_name: str, *examples: Any, function: str = "chat") -> Any:
        """The ids of new examples."""
        assert self.examples is not None
        asked = read_examples_request(encode_json({"examples": list(examples)}))
        return await self.examples.add(function, variant_name, asked)

    async def stored(self, inference_id: str) -> InferenceRecord | None:
        """The record of an inference."""
        assert self.store is not None
        assert self.writer is not None
        await self.writer.settle()
        return next(iter(self.store.inferences.get((inference_id,))), None)

    async def stored_calls(self, inference_id: str) -> list[ModelInferenceRecord]:
        """The records of the calls of an inference, failed ones included."""
        assert self.store is not None
        assert self.writer is not None
        await self.writer.settle()
        return self.store.inferences.model_inferences(inference_id, include_failed=True)

    async def all_stored(self) -> list[InferenceRecord]:
        """All records, newest first, without their bodies."""
        assert self.store is not None
        assert self.writer is not None
        await self.writer.settle()
        return self.store.inferences.page(Selection(), limit=100)


@attrs.define(eq=False)
class Shelf:
    """Where a gateway keeps things: a store with its writer, a cache, the files of requests."""

    store: Store
    writer: Writer
    cache: InferenceCache
    objects: FileObjects


def start_gateway(
    folder: Path,
    config: str,
    *,
    files: Mapping[str, str] | None = None,
    environment: Mapping[str, str] = ENVIRONMENT,
    shelf: Shelf | None = None,
    waits_for_commit: bool = True,
) -> Gateway:
    """A gateway on the configuration `config`, written into `folder` with its other files."""
    loaded = _load(folder, config, files or {}, environment)
    providers = FakeProviders()
    clock = TrioClock()
    gateway = loaded.config.gateway
    prepared = prepare(loaded, providers.make, providers.make_embedding)
    service = InferenceService(
        prepared=prepared,
        recorder=None if shelf is None else Recorder(shelf.store, shelf.writer, waits_for_commit),
        ids=IdGenerator(clock.now_ns, Random(7)),
        clock=clock,
        random=Random(7),
        metrics=Metrics((0.1, 1.0)),
        cache=None if shelf is None else shelf.cache,
        examples=None if shelf is None else ExampleMemory(shelf.store.examples),
        experiments=AdaptiveExperiments(
            draws=prepared.adaptive_draws,
            kept=None if shelf is None else experiment_store(shelf),
            clock=clock,
            random=Random(7),
        ),
        file_desk=FileDesk(
            transport=providers["files"],
            objects=None if shelf is None else shelf.objects,
            fetches_all=gateway.fetch_and_encode_input_files_before_inference,
        ),
    )
    embeddings = EmbeddingService(
        prepared=service.prepared,
        recorder=service.recorder,
        ids=service.ids,
        clock=clock,
        metrics=service.metrics,
        cache=service.cache,
    )
    return Gateway(
        loaded=loaded,
        providers=providers,
        service=service,
        embeddings=embeddings,
        examples=None if shelf is None else _examples(service, embeddings, shelf),
        clock=clock,
        store=None if shelf is None else shelf.store,
        writer=None if shelf is None else shelf.writer,
    )


def experiment_store(shelf: Shelf) -> ExperimentStore:
    """Where experiments are kept, as one process sees it."""
    return ExperimentStore(shelf.store, shelf.writer, shelf.store.leases(SystemClock()))


def _examples(
    service: InferenceService, embeddings: EmbeddingService, shelf: Shelf
) -> ExampleService:
    return ExampleService(
        prepared=service.prepared,
        examples=shelf.store.examples,
        datapoints=shelf.store.datapoints,
        writer=shelf.writer,
        embeddings=embeddings,
        ids=service.ids,
    )


_LOADED: dict[tuple[Any, ...], Loaded] = {}
"""Configurations by their texts: many tests share one, and loading is most of a gateway's start."""


def _load(
    folder: Path, config: str, files: Mapping[str, str], environment: Mapping[str, str]
) -> Loaded:
    key = (config, *sorted(files.items()), *sorted(environment.items()))
    if key not in _LOADED:
        written = {"verdict.json": encode_json(VERDICT_SCHEMA).decode(), "lsd.toml": config}
        for name, text in {**written, **files}.items():
            (folder / name).write_text(text, encoding="utf-8")
        _LOADED[key] = load(Sources(environment=environment, working_directory=folder))
    return _LOADED[key]


def request(**fields: Any) -> InferenceRequest:
    """A request of these fields; by default the function `chat` is told "Hi"."""
    target = {} if {"model_name", "function_name"} & fields.keys() else {"function_name": "chat"}
    return read_inference_request(encode_json({**HI, **target, **fields}))


def journal(run: Run) -> list[tuple[str, str, str]]:
    """Model, provider and status of all calls of a run."""
    return [(call.model_name, call.provider_name, call.status) for call in run.journal.calls]


@attrs.frozen
class Attempt:
    """Everything that is needed to ask one provider of a run."""

    run: Run
    accepted: Accepted
    generation: PreparedGeneration
    model: PreparedModel
    provider: PreparedProvider
    request: ModelRequest

    async def answer(self) -> ModelCall:
        """A whole answer."""
        return await call_provider(
            self.run, self.generation, self.model, self.provider, self.request
        )

    async def open(self) -> StartedStream:
        """A stream that has started."""
        return await open_stream(self.run, self.generation, self.model, self.provider, self.request)

    @property
    def call(self) -> ModelCall:
        """The newest entry of the journal."""
        return self.run.journal.calls[-1]


def attempt(gateway: Gateway, provider: str = "one", **fields: Any) -> Attempt:
    """The attempt of a provider to answer a request."""
    accepted, run = gateway.begin(**fields)
    variant = accepted.pinned or next(iter(accepted.function.variants.values()))
    generation = variant.generation
    model = run.shared.prepared.model(generation.config.model)
    assert model is not None
    (chosen,) = (each for each in model.providers if each.name == provider)
    asked = model_request(accepted, generation)
    return Attempt(run, accepted, generation, model, chosen, asked)


@attrs.frozen
class VariantRun:
    """Everything that is needed to ask the models of one variant of a run."""

    run: Run
    accepted: Accepted
    generation: PreparedGeneration
    request: ModelRequest

    async def answer(self) -> ModelCall:
        """A whole answer."""
        return await whole_answer(self.run, self.generation, self.request)

    async def open(self) -> StartedStream:
        """A stream that has started."""
        return await started_stream(self.run, self.generation, self.request)


def variant_run(gateway: Gateway, variant: str = "v", **fields: Any) -> VariantRun:
    """A request that is about to run as this variant."""
    accepted, run = gateway.begin(**fields)
    chosen = accepted.function.variants[variant].generation
    return VariantRun(run, accepted, chosen, model_request(accepted, chosen))
