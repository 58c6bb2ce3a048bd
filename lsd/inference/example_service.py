"""The examples of dicl variants: checked, embedded, stored, listed, deleted."""

from collections.abc import Sequence
from typing import Any, Final

import attrs
import trio

from lsd.config import DiclVariant, JsonFunction
from lsd.conversation import (
    EmbeddingRequest,
    IdGenerator,
    Input,
    embedding_numbers,
    encode_json,
)
from lsd.inference.dicl import input_text, unfit_block
from lsd.inference.embedding_service import EmbeddingOptions, EmbeddingService
from lsd.inference.example_memory import vector_bytes
from lsd.inference.example_request import ExamplesRequest, NewExample, read_stored_input
from lsd.inference.input_checks import check_input
from lsd.inference.neighbours import unit_vector
from lsd.inference.prepared import Prepared, PreparedFunction
from lsd.inference.reference_outputs import (
    chat_reference,
    json_reference,
    read_reference_blocks,
    read_reference_value,
)
from lsd.inference.refusals import BadRequest, UnknownName
from lsd.inference.request import InferenceRequest
from lsd.inference.toolbox import Toolbox, toolbox_for
from lsd.store import DatapointQuery, Datapoints, Example, Examples, Writer

INPUTS_PER_CALL: Final = 128
"""Of one call of the embedding model: providers take many more, and answer late then."""


@attrs.define(eq=False, kw_only=True)
class ExampleService:
    """Serves the examples of the variants of one configuration."""

    _prepared: Prepared
    _examples: Examples
    _datapoints: Datapoints
    _writer: Writer
    _embeddings: EmbeddingService
    _ids: IdGenerator

    async def add(
        self,
        function_name: str,
        variant_name: str,
        request: ExamplesRequest,
        *,
        api_key_public_id: str | None = None,
    ) -> list[str]:
        """The ids of the new examples, in the order of the request: all are stored, or none.

        `api_key_public_id` tells who asks.

        Raises UnknownName, BadRequest, Malformed, InferenceFailed if they cannot be embedded, or
        StoreFull, StoreFailed and WriteFailed.
        """
        function, variant = self._dicl_variant(function_name, variant_name)
        given = await self._given(function, request)
        outputs = [self._checked_output(function, where, each) for where, each in given.items()]
        texts = [input_text(each.input) for each in given.values()]
        options = EmbeddingOptions(api_key_public_id=api_key_public_id)
        vectors = await self._vectors(variant.embedding_model, texts, options)
        await self._check_dimensions(function_name, variant_name, len(vectors[0]) // 4)
        made = [
            Example(
                id=self._ids.new(),
                input=text,
                output=output,
                namespace=each.namespace,
                vector=vector,
            )
            for each, text, output, vector in zip(
                given.values(), texts, outputs, vectors, strict=True
            )
        ]
        await self._writer.commit(self._examples.add(function_name, variant_name, made))
        return [each.id for each in made]

    async def page(
        self, function_name: str, variant_name: str, *, before: str | None, limit: int
    ) -> list[Example]:
        """The `limit` newest examples older than `before`, newest first. Raises UnknownName."""
        self._require_known(function_name, variant_name)
        return await trio.to_thread.run_sync(
            lambda: self._examples.page(function_name, variant_name, before=before, limit=limit)
        )

    async def delete(self, function_name: str, variant_name: str) -> int:
        """Removes all examples of a variant, and tells how many. Raises as `page`, and as `add`."""
        self._require_known(function_name, variant_name)
        deleted: list[int] = []
        await self._writer.commit(self._examples.delete(function_name, variant_name, deleted))
        return deleted[0]

    def _dicl_variant(
        self, function_name: str, variant_name: str
    ) -> tuple[PreparedFunction, DiclVariant]:
        function = self._prepared.functions.get(function_name)
        if function is None:
            raise UnknownName("function_name", "function", function_name)
        variant = function.variants.get(variant_name)
        if variant is None:
            raise UnknownName("variant_name", "variant", variant_name)
        if not isinstance(variant.config, DiclVariant):
            reason = f"found a variant of type {variant.config.type!r}; wanted one of type 'dicl'"
            raise BadRequest("variant_name", reason)
        return function, variant.config

    def _require_known(self, function_name: str, variant_name: str) -> None:
        """Examples outlive the configuration of their variant, and can still be got rid of."""
        if self._examples.version(function_name, variant_name) == 0:
            self._dicl_variant(function_name, variant_name)

    async def _given(
        self, function: PreparedFunction, request: ExamplesRequest
    ) -> dict[str, NewExample]:
        """The examples by the places where they are. Raises BadRequest if there are none."""
        if (request.examples is None) == (request.dataset_name is None):
            found = "neither" if request.examples is None else "both"
            reason = f"found {found}; wanted exactly one of them"
            raise BadRequest("examples, dataset_name", reason)
        if request.dataset_name is not None:
            return await self._from_dataset(function.name, request.dataset_name)
        if not request.examples:
            raise BadRequest("examples", "found an empty array; wanted at least one example")
        return {f"examples[{place}]": each for place, each in enumerate(request.examples)}

    async def _from_dataset(self, function_name: str, dataset_name: str) -> dict[str, NewExample]:
        """The datapoints of the function that have an output, the oldest first."""
        query = DatapointQuery(dataset_name=dataset_name, function_name=function_name)
        found = await trio.to_thread.run_sync(self._datapoints.select, query)
        given = {
            f"datapoint {each.id}": NewExample(
                input=read_stored_input(each.body.input), output=each.body.output
            )
            for each in reversed(found)
            if each.body is not None and each.body.output is not None
        }
        if not given:
            reason = (
                f"found no datapoint of the function {function_name!r} with an output in "
                f"{dataset_name!r}; wanted at least one"
            )
            raise BadRequest("dataset_name", reason)
        return given

    def _checked_output(self, function: PreparedFunction, where: str, given: NewExample) -> str:
        """The output as it is stored, of an example that may be. Raises BadRequest, Malformed."""
        self._check_input(function, given.input, where)
        config = function.config
        if isinstance(config, JsonFunction):
            value = read_reference_value(given.output, f"{where}.output")
            output: Any = json_reference(value, f"{where}.output", config.output_schema)
        else:
            request = InferenceRequest(function_name=function.name, input=given.input)
            tools, schemas = self._prepared.config.tools, self._prepared.schemas
            toolbox = toolbox_for(config, tools, request, schemas)
            output = _chat_output(given.output, f"{where}.output", toolbox)
        return encode_json(output).decode()

    def _check_input(self, function: PreparedFunction, value: Input, path: str) -> None:
        block = unfit_block(value)
        if block is not None:
            reason = f"found a block of type {block!r}; examples of dicl are text only"
            raise BadRequest(f"{path}.input", reason)
        try:
            check_input(
                value,
                function.config.schemas,
                function.prompts,
                show_values=self._prepared.config.gateway.debug,
            )
        except BadRequest as bad:
            raise BadRequest(f"{path}.{bad.where}", bad.reason) from None

    async def _vectors(
        self, model_name: str, texts: Sequence[str], options: EmbeddingOptions
    ) -> list[bytes]:
        vectors: list[bytes] = []
        for start in range(0, len(texts), INPUTS_PER_CALL):
            inputs = tuple(texts[start : start + INPUTS_PER_CALL])
            request = EmbeddingRequest(inputs=inputs)
            answer = await self._embeddings.embed(model_name, request, options)
            for embedding in answer.embeddings:
                vector = unit_vector(embedding_numbers(embedding))
                if vector is None:
                    reason = "its embedding has no direction: all numbers are 0"
                    raise BadRequest(f"examples[{len(vectors)}].input", reason)
                vectors.append(vector_bytes(vector))
        lengths = sorted({len(vector) // 4 for vector in vectors})
        if len(lengths) > 1:
            reason = f"found embeddings of {lengths} numbers; wanted one length for all"
            raise BadRequest("examples", reason)
        return vectors

    async def _check_dimensions(
        self, function_name: str, variant_name: str, dimensions: int
    ) -> None:
        """Raises BadRequest if the new vectors cannot be compared with those that are stored."""
        newest = self._examples.page(function_name, variant_name, before=None, limit=1)
        stored = self._examples.get(function_name, variant_name, [each.id for each in newest])
        for each in stored:
            if len(each.vector) // 4 != dimensions:
                reason = (
                    f"found embeddings of {dimensions} numbers; the stored examples have "
                    f"{len(each.vector) // 4}: was the embedding model changed? Delete them first"
                )
                raise BadRequest("examples", reason)


def _chat_output(value: Any, path: str, toolbox: Toolbox | None) -> list[dict[str, Any]]:
    blocks = read_reference_blocks(value, path)
    if not blocks:
        raise BadRequest(path, "found no content; an example needs an output")
    return chat_reference(blocks, toolbox)
