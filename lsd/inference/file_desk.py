"""Where files of requests are fetched from and kept: the same for all inferences."""

import attrs

from lsd.conversation import AttemptFailed, Input, UrlFile
from lsd.inference.files import RunFiles, files_of, stored_input
from lsd.inference.limits import Limit, TimeLimitReached, bounded_by
from lsd.inference.refusals import BadRequest
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
        if not files_of(request.input):
            return None
        return self._open(keeps=not request.dryrun)

    async def stored(self, value: Input, limit: Limit) -> Input:
        """`value` with pointers to its files, which are fetched from wherever they are.

        `limit` is for each of them. Raises BadRequest for one that is not to be had.
        """
        found = files_of(value)
        if not found:
            return value
        files = self._open(keeps=True)
        for file in found:
            try:
                with bounded_by(limit):
                    await files.bring(file)
            except AttemptFailed as failure:
                raise BadRequest("input", failure.text) from None
            except TimeLimitReached as reached:
                where = file.url if isinstance(file, UrlFile) else "that came along"
                raise BadRequest("input", f"file {where}: {reached}") from None
        return stored_input(value, files)

    async def keep_files_of(self, run: Run) -> None:
        """Stores the bytes that came with the request, before anything is asked of providers."""
        if run.files is not None:
            await run.files.keep(files_of(run.request.input))

    def _open(self, *, keeps: bool) -> RunFiles:
        return RunFiles(
            transport=self._transport,
            objects=self._objects,
            keeps=keeps,
            fetches_all=self.fetches_all,
        )
