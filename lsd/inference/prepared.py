"""A configuration made ready to serve: templates compiled, dialects built, draws set up.

All of it is made once, before the first request; requests only look things up.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import attrs

from lsd.config import (
    AwsProvider,
    AzureProvider,
    BestOfNVariant,
    ChatCompletionVariant,
    ChatFunction,
    Config,
    Function,
    GcpProvider,
    Generation,
    JsonFunction,
    Loaded,
    Location,
    MixtureOfNVariant,
    Model,
    PromptedGeneration,
    Provider,
    Variant,
    effective_location,
    shorthand_model,
)
from lsd.conversation import ApiType, Edits, Schema, SchemaCache
from lsd.experiments import AdaptiveDraw, UniformDraw
from lsd.inference.aws_sign_in import written_locations
from lsd.inference.configured_edits import configured_edits
from lsd.inference.costs import CostTable
from lsd.inference.draws import AnyDraw, draw_of
from lsd.inference.embedding_models import SHORTHANDS_MAX, EmbeddingMaker, EmbeddingModels
from lsd.inference.limits import STREAM_IDLE_MS, Limit, ScopeLimits, earlier
from lsd.inference.prompts import Prompts
from lsd.inference.sign_in import SignIn, SignInMaker, no_sign_in
from lsd.inference.written_credentials import WrittenCredentials
from lsd.network import Transport
from lsd.providers import BatchAPI, Counting, Dialect, Relaying, batch_api_for, begins_jobs

DEFAULT_FUNCTION = "lsd::default"
"""The built-in function behind `model_name`."""

OUTBOUND_KEY = "gateway.global_outbound_http_timeout_ms"

DialectMaker = Callable[[Provider, str, str], tuple[Dialect, Transport]]
"""From a provider's table, its model's and its own name to its dialect and what carries it."""


@attrs.frozen(kw_only=True)
class PreparedProvider:
    """One entry of a model's routing."""

    name: str
    config: Provider
    thought_type: str
    dialect: Dialect
    provider_type: str
    api_type: ApiType
    """What thoughts are marked with, and what the dialect tells of itself."""
    relaying: Relaying | None
    """The dialect once more, if it can relay what clients of its own API send."""
    counting: Counting | None
    """The same, if its provider counts the tokens of such a request."""
    batches: BatchAPI | None
    """What runs many requests as a job, if it is to be used."""
    begun_batches: BatchAPI | None
    """What is asked for jobs that it runs already, whether or not it is to be used for more."""
    transport: Transport
    written: WrittenCredentials
    sign_in: SignIn | None
    edits: Edits
    cost: CostTable | None
    limits: ScopeLimits
    whole_limit: Limit
    """What bounds a call of it that is not streamed: its own limit or that of every request."""
    opening_limit: Limit
    """The same up to the first chunk of a stream."""
    forgone: set[str] = attrs.field(factory=set, init=False, eq=False)
    """Parameters whose stand-ins the provider has refused since the start."""


@attrs.frozen(kw_only=True)
class PreparedModel:
    """A model with its providers in the order of its routing.

    `function` is the built-in one as it runs this model: one variant, called like the model.
    """

    name: str
    config: Model
    providers: tuple[PreparedProvider, ...]
    limits: ScopeLimits
    function: "PreparedFunction"


@attrs.frozen(kw_only=True)
class PreparedGeneration:
    """A call of a model as a variant makes it, with its templates compiled.

    `variant_name` is whose edits of requests reach it.
    """

    variant_name: str
    config: Generation
    prompts: Prompts
    edits: Edits
    models: tuple[str, ...]
    """The model, then its fallbacks."""


@attrs.frozen(kw_only=True)
class PreparedVariant:
    """A variant ready to run.

    `generation` is the one call of a chat model that it makes itself: that of its answer, of its
    evaluator or of its fuser.
    """

    name: str
    config: Variant
    generation: PreparedGeneration
    limits: ScopeLimits

    @property
    def candidates(self) -> tuple[str, ...]:
        """The variants of the same function that it runs, in order, perhaps one several times."""
        match self.config:
            case BestOfNVariant() | MixtureOfNVariant():
                return self.config.candidates
            case _:
                return ()


@attrs.frozen(kw_only=True)
class PreparedFunction:
    """A function with its variants and the draws among them."""

    name: str
    config: Function
    variants: Mapping[str, PreparedVariant]
    draw: AnyDraw
    namespaced_draws: Mapping[str, AnyDraw]
    is_json: bool = attrs.field(init=False)
    """Whether it answers with JSON, and not in a chat."""
    output_schema: Schema | None = attrs.field(init=False)
    """Of its JSON, for requests without one of their own."""
    has_tools: bool = attrs.field(init=False)
    """Whether it offers some to every request."""
    prompts: tuple[Prompts, ...] = attrs.field(init=False)
    """Those of all variants."""
    sole_variant: PreparedVariant | None = attrs.field(init=False)
    """The one that runs in any case, if there is no other, and no experiment about it."""

    @is_json.default
    def _answers_with_json(self) -> bool:
        return isinstance(self.config, JsonFunction)

    @output_schema.default
    def _own_output_schema(self) -> Schema | None:
        return self.config.output_schema if isinstance(self.config, JsonFunction) else None

    @has_tools.default
    def _offers_tools(self) -> bool:
        return isinstance(self.config, ChatFunction) and bool(self.config.tools)

    @prompts.default
    def _prompts_of_all(self) -> tuple[Prompts, ...]:
        return tuple(variant.generation.prompts for variant in self.variants.values())

    @sole_variant.default
    def _variant_without_other(self) -> PreparedVariant | None:
        is_sole = len(self.variants) == 1 and not self.namespaced_draws
        if not is_sole or not isinstance(self.draw, UniformDraw):
            return None
        return next(iter(self.variants.values()))

    def draw_for(self, namespace: str | None) -> AnyDraw:
        """The draw that requests with this namespace take part in."""
        return self.namespaced_draws.get(namespace, self.draw) if namespace else self.draw


@attrs.define(eq=False, kw_only=True)
class Prepared:
    """One configuration, ready. `hash` names its snapshot."""

    loaded: Loaded
    functions: Mapping[str, PreparedFunction]
    embeddings: EmbeddingModels
    outbound_limit: Limit
    schemas: SchemaCache = attrs.field(factory=SchemaCache)
    _make: DialectMaker
    _sign_in: SignInMaker
    _models: dict[str, PreparedModel]
    _shorthands: OrderedDict[str, PreparedModel] = attrs.field(factory=OrderedDict, init=False)

    @property
    def config(self) -> Config:
        """The tables of `lsd.toml`."""
        return self.loaded.config

    @property
    def adaptive_draws(self) -> list[AdaptiveDraw]:
        """The adaptive experiments of all functions, those of namespaces included."""
        draws = (
            draw
            for function in self.functions.values()
            for draw in (function.draw, *function.namespaced_draws.values())
        )
        return [draw for draw in draws if isinstance(draw, AdaptiveDraw)]

    def model(self, name: str) -> PreparedModel | None:
        """A configured model, or the one that a shorthand stands for."""
        model = self._models.get(name) or self._shorthands.get(name)
        if model is not None:
            return model
        config = shorthand_model(name, self.config)
        if config is None:
            return None
        model = _prepare_model(name, config, self.config, self._make, self._sign_in)
        self._shorthands[name] = model
        if len(self._shorthands) > SHORTHANDS_MAX:
            self._shorthands.popitem(last=False)
        return model


def prepare(
    loaded: Loaded,
    make: DialectMaker,
    make_embedding: EmbeddingMaker,
    sign_in: SignInMaker = no_sign_in,
) -> Prepared:
    """Everything that requests under this configuration will need."""
    config = loaded.config
    return Prepared(
        loaded=loaded,
        functions={
            name: _prepare_function(name, function, config)
            for name, function in config.functions.items()
        },
        embeddings=EmbeddingModels(config, make_embedding),
        outbound_limit=_outbound_limit(config),
        make=make,
        sign_in=sign_in,
        models={
            name: _prepare_model(name, model, config, make, sign_in)
            for name, model in config.models.items()
        },
    )


def _prepare_function(name: str, function: Function, config: Config) -> PreparedFunction:
    variants = {
        variant_name: prepare_variant(variant_name, variant, config.template_files)
        for variant_name, variant in function.variants.items()
    }
    names = tuple(variants)
    experimentation = function.experimentation
    return PreparedFunction(
        name=name,
        config=function,
        variants=variants,
        draw=draw_of(name, None, experimentation.base, names, config),
        namespaced_draws={
            namespace: draw_of(name, namespace, experiment, names, config)
            for namespace, experiment in experimentation.namespaces.items()
        },
    )


def prepare_variant(name: str, variant: Variant, included: Mapping[str, str]) -> PreparedVariant:
    """A variant ready to run; `included` are the files that its templates may include."""
    generation = _generation(variant)
    templates = generation.templates if isinstance(generation, PromptedGeneration) else {}
    return PreparedVariant(
        name=name,
        config=variant,
        generation=PreparedGeneration(
            variant_name=name,
            config=generation,
            prompts=Prompts.compile(templates, included),
            edits=configured_edits(generation),
            models=(generation.model, *generation.fallback),
        ),
        limits=ScopeLimits.of("variant", name, variant.timeouts),
    )


def _generation(variant: Variant) -> Generation:
    match variant:
        case BestOfNVariant():
            return variant.evaluator
        case MixtureOfNVariant():
            return variant.fuser
        case _:
            return variant


def _prepare_model(
    name: str, model: Model, config: Config, make: DialectMaker, sign_in: SignInMaker
) -> PreparedModel:
    return PreparedModel(
        name=name,
        config=model,
        providers=tuple(
            _prepare_provider(
                name, provider_name, model.providers[provider_name], config, make, sign_in
            )
            for provider_name in model.routing
        ),
        limits=ScopeLimits.of("model", name, model.timeouts),
        function=_function_of_model(name),
    )


def _function_of_model(name: str) -> PreparedFunction:
    variant = ChatCompletionVariant(model=name)
    return PreparedFunction(
        name=DEFAULT_FUNCTION,
        config=ChatFunction(variants={name: variant}),
        variants={name: prepare_variant(name, variant, {})},
        draw=UniformDraw(variants=(name,)),
        namespaced_draws={},
    )


def _prepare_provider(
    model_name: str,
    name: str,
    provider: Provider,
    config: Config,
    make: DialectMaker,
    sign_in: SignInMaker,
) -> PreparedProvider:
    dialect, transport = make(provider, model_name, name)
    batch_api = batch_api_for(provider, dialect, config.provider_types)
    limits = ScopeLimits.of("provider", name, provider.timeouts, idle_ms=STREAM_IDLE_MS)
    outbound_limit = _outbound_limit(config)
    return PreparedProvider(
        name=name,
        config=provider,
        thought_type=provider.thought_type,
        dialect=dialect,
        provider_type=dialect.provider_type,
        api_type=dialect.api_type,
        relaying=dialect if isinstance(dialect, Relaying) else None,
        counting=dialect if isinstance(dialect, Counting) else None,
        batches=batch_api if begins_jobs(provider) else None,
        begun_batches=batch_api,
        transport=transport,
        written=WrittenCredentials(_locations(provider, config)),
        sign_in=sign_in(provider),
        edits=configured_edits(provider),
        cost=CostTable.of(provider.cost),
        limits=limits,
        whole_limit=earlier(limits.plain, outbound_limit) or outbound_limit,
        opening_limit=earlier(limits.opening, outbound_limit) or outbound_limit,
    )


def _outbound_limit(config: Config) -> Limit:
    value_ms = config.gateway.global_outbound_http_timeout_ms
    return Limit("gateway", "", OUTBOUND_KEY, value_ms)


def _locations(provider: Provider, config: Config) -> dict[str, Location]:
    """What WrittenCredentials looks up."""
    if isinstance(provider, GcpProvider):
        return {}
    if isinstance(provider, AwsProvider):
        return written_locations(provider)
    locations = {"api_key": effective_location(provider, config.provider_types)}
    if isinstance(provider, AzureProvider):
        locations["endpoint"] = provider.endpoint
    return locations
