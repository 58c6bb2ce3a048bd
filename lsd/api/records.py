"""What was recorded, read back by id: model inferences, and what an id stands for."""

from typing import Any, assert_never

import attrs

from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.parameters import flag_in, id_in
from lsd.api.reading import Reading
from lsd.api.record_json import model_inference_json
from lsd.conversation import encode_json
from lsd.store import Datapoint, FeedbackRecord, InferenceRecord, Meaning, ModelInferenceRecord


@attrs.frozen
class Records:
    """Serves what the store holds under an id."""

    _reading: Reading

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(
                method="GET",
                path="/internal/model_inferences/{inference_id}",
                handle=self.model_inferences,
            ),
            Endpoint(method="GET", path="/internal/resolve_uuid/{id}", handle=self.resolve),
        )

    async def model_inferences(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/model_inferences/{inference_id}`: the calls of one inference.

        With `include_failed`, an episode's id shows the calls of its inferences that had no answer.
        """
        inference_id = id_in(request, "inference_id")
        failed = flag_in(request, "include_failed")
        inferences = self._reading.store.inferences

        def read() -> bytes:
            calls = inferences.model_inferences(inference_id, include_failed=failed)
            if failed and not calls:
                calls = inferences.failed_attempts(inference_id)
            return encode_json({"model_inferences": [model_inference_json(e) for e in calls]})

        return Answer(body=await self._reading.read(read))

    async def resolve(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/resolve_uuid/{id}`: everything that an id stands for."""
        own_id = id_in(request, "id")
        meanings = await self._reading.read(lambda: self._reading.store.resolve(own_id))
        types = [_meaning(each) for each in meanings]
        return Answer(body=encode_json({"id": own_id, "object_types": types}))


def _meaning(meaning: Meaning) -> dict[str, Any]:
    match meaning:
        case InferenceRecord():
            return {
                "type": "inference",
                "function_name": meaning.function_name,
                "function_type": meaning.function_type,
                "variant_name": meaning.variant_name,
                "episode_id": meaning.episode_id,
            }
        case ModelInferenceRecord():
            return {
                "type": "model_inference",
                "inference_id": meaning.inference_id,
                "model_name": meaning.model_name,
                "model_provider_name": meaning.model_provider_name,
            }
        case FeedbackRecord():
            return {"type": f"{meaning.kind}_feedback"}
        case "episode":
            return {"type": "episode"}
        case Datapoint():
            return {
                "type": f"{meaning.function_type}_datapoint",
                "dataset_name": meaning.dataset_name,
                "function_name": meaning.function_name,
            }
        case never:
            assert_never(never)
