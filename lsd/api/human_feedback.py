"""What a person said in an evaluator's place of an output for a datapoint."""

from typing import Final

import attrs

from lsd.api.bodies import parse_body
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.parameters import id_in
from lsd.api.reading import Reading
from lsd.conversation import (
    Malformed,
    NotJson,
    Problem,
    Structurer,
    decode_json,
    encode_json,
)


@attrs.frozen(kw_only=True)
class _Body:
    metric_name: str
    output: str
    """JSON text."""


@attrs.frozen
class HumanFeedback:
    """Serves the judgements of the store."""

    _reading: Reading

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(
                method="POST",
                path="/internal/evaluations/datapoints/{datapoint_id}/get_human_feedback",
                handle=self.find,
            ),
        )

    async def find(self, request: Request, _start: Start) -> Answer:
        """`POST /internal/evaluations/datapoints/{datapoint_id}/get_human_feedback`."""
        datapoint_id = id_in(request, "datapoint_id")
        asked = await parse_body(lambda body: _STRUCTURER.read(body, _Body), request.body)
        try:
            output = decode_json(asked.output)
        except NotJson as error:
            reason = f"found no JSON text ({error}); wanted the output as JSON"
            raise Malformed((Problem("output", reason),)) from None
        found = await self._reading.read(
            lambda: self._reading.store.feedback.judgement(
                metric_name=asked.metric_name, datapoint_id=datapoint_id, output=output
            )
        )
        if found is None:
            return Answer(body=b"{}")
        shown = {"value": found.value, "evaluator_inference_id": found.evaluator_inference_id}
        return Answer(body=encode_json({"feedback": shown}))


_STRUCTURER: Final = Structurer()
