"""A workbench for datasets: the real service, with a small configuration."""

from pathlib import Path
from typing import Any

import attrs

from lsd.conversation import encode_json
from lsd.datasets import DatasetService, read_new_datapoints, read_patches
from lsd.datasets.checks import Checks
from lsd.store import Datapoint, Store
from tests.unit.inference.gateway import Gateway, Shelf, start_gateway

CONFIG = """
[models.m]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[functions.chat]
type = "chat"
variants.v.model = "m"

[functions.office]
type = "chat"
tools = ["page"]
variants.v.model = "m"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
variants.v.model = "m"

[tools.page]
description = "Pages somebody"
parameters = "page.json"
"""

FILES = {"page.json": '{"type": "object", "properties": {"whom": {"type": "string"}}}'}

SAID: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}


@attrs.frozen(kw_only=True)
class Workbench:
    """The service, and what is around it."""

    gateway: Gateway
    service: DatasetService
    store: Store

    @classmethod
    def of(cls, folder: Path, shelf: Shelf) -> "Workbench":
        """A workbench whose configuration lies in `folder`."""
        gateway = start_gateway(folder, CONFIG, files=FILES, shelf=shelf)
        service = DatasetService(
            prepared=gateway.prepared,
            store=shelf.store,
            writer=shelf.writer,
            ids=gateway.service.ids,
            clock=gateway.clock,
            file_desk=gateway.service.file_desk,
        )
        return cls(gateway=gateway, service=service, store=shelf.store)

    @property
    def checks(self) -> Checks:
        """The checks of the configuration."""
        return Checks(prepared=self.gateway.prepared, file_desk=self.gateway.service.file_desk)

    async def create(self, *items: dict[str, Any]) -> list[str]:
        """The ids of new datapoints of `gold`; what is not said of them is usual."""
        whole = [{"type": "chat", "function_name": "chat", "input": SAID, **each} for each in items]
        asked = read_new_datapoints(encode_json({"datapoints": whole}))
        return await self.service.create("gold", asked)

    async def patch(self, *items: dict[str, Any]) -> list[str]:
        """The ids of new versions in `gold`."""
        whole = [{"type": "chat", **each} for each in items]
        return await self.service.update("gold", read_patches(encode_json({"datapoints": whole})))

    def stored(self, own_id: str) -> Datapoint:
        """A datapoint by its id."""
        (found,) = self.store.datapoints.get([own_id])
        return found
