"""Where files of requests are fetched from and kept: the same for all inferences."""

import attrs

from lsd.inference.files import RunFiles, files_in
from lsd.inference.request import InferenceRequest
from lsd.inference.run import Run
from lsd.network import Transport
from lsd.store import FileObjects


@attrs.frozen(kw_only=True)
class FileDesk:
    """Opens the files of requests. `objects` None: there is no place to keep their bytes in."""

    _transport: Transport
    _objects: FileObjects | None
    fetches_all: bool

    def files_for(self, request: InferenceRequest) -> RunFiles | None:
        """The files of a request; None if it has none. A dry run keeps no bytes."""
        if not any(files_in(message.content) for message in request.input.messages):
            return None
        return RunFiles(
            transport=self._transport,
            objects=self._objects,
            keeps=not request.dryrun,
            fetches_all=self.fetches_all,
        )

    async def keep_files_of(self, run: Run) -> None:
        """Stores the bytes that came with the request, before anything is asked of providers."""
        if run.files is not None:
            for message in run.request.input.messages:
                await run.files.keep(files_in(message.content))
