"""What the running configuration says of functions."""

import attrs

from lsd.api.errors import Refused
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.conversation import encode_json
from lsd.inference import InferenceService


@attrs.frozen
class Functions:
    """Serves what is known of functions without a store."""

    _inferences: InferenceService

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(
                method="GET",
                path="/internal/functions/{function_name}/variant_sampling_probabilities",
                handle=self.sampling_probabilities,
            ),
        )

    async def sampling_probabilities(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/functions/{f}/variant_sampling_probabilities`."""
        name = request.query["function_name"]
        shown = self._inferences.sampling(name, request.query.get("namespace"))
        if shown is None:
            raise Refused(404, f"found the function {name!r}; wanted a configured one")
        return Answer(body=encode_json(shown))
