"""Examples of dicl variants over HTTP."""

from typing import Any

import attrs

from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.parameters import cursor_in, integer_in
from lsd.conversation import decode_json, encode_json, id_time_ms
from lsd.inference import ExampleService, read_examples_request
from lsd.store import Example
from lsd.telemetry import rfc3339_ms

PATH = "/internal/functions/{function_name}/variants/{variant_name}/dicl_examples"

LIMIT = 100
"""Examples of a page when the caller names no limit."""


@attrs.frozen
class ExampleEndpoints:
    """Serves the examples of all dicl variants."""

    _examples: ExampleService

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(method="POST", path=PATH, handle=self.add),
            Endpoint(method="GET", path=PATH, handle=self.list),
            Endpoint(method="DELETE", path=PATH, handle=self.delete),
        )

    async def add(self, request: Request, _start: Start) -> Answer:
        """`POST …/dicl_examples`: embeds and stores them all, or none."""
        asked = read_examples_request(request.body)
        ids = await self._examples.add(
            *_names(request), asked, api_key_public_id=request.api_key_public_id
        )
        return Answer(body=encode_json({"ids": ids}))

    async def list(self, request: Request, _start: Start) -> Answer:
        """`GET …/dicl_examples`: newest first."""
        cursor = cursor_in(request)
        limit = integer_in(request, "limit", default=LIMIT)
        page = await self._examples.page(*_names(request), before=cursor.before, limit=limit)
        return Answer(body=encode_json({"examples": [_example_json(each) for each in page]}))

    async def delete(self, request: Request, _start: Start) -> Answer:
        """`DELETE …/dicl_examples`: removes them all."""
        return Answer(body=encode_json({"deleted": await self._examples.delete(*_names(request))}))


def _names(request: Request) -> tuple[str, str]:
    return request.query["function_name"], request.query["variant_name"]


def _example_json(example: Example) -> dict[str, Any]:
    shown = {
        "id": example.id,
        "input": decode_json(example.input),
        "output": decode_json(example.output),
        "created_at": rfc3339_ms(id_time_ms(example.id)),
    }
    return shown if example.namespace is None else {**shown, "namespace": example.namespace}
