"""Items as lines in the files that are sent to a provider's own batch API: which ones, and how."""

from collections.abc import Mapping

import attrs

from lsd.config import ChatCompletionVariant
from lsd.conversation import AttemptFailed
from lsd.inference import (
    Accepted,
    CostTable,
    InferenceService,
    Prepared,
    PreparedModel,
    PreparedProvider,
    PreparedVariant,
    call_elsewhere,
    costs_elsewhere,
)
from lsd.providers import FILE_BYTES_MAX, LINES_MAX, BatchAPI
from lsd.store import BatchItem


@attrs.frozen(kw_only=True)
class NativeLine:
    """One item as a line in a file of requests; items of one `group` may share a file.

    `place` is that of the provider in the model's routing.
    """

    variant: PreparedVariant
    model: PreparedModel
    place: int
    api: BatchAPI
    credentials: Mapping[str, str]
    text: bytes

    @property
    def provider(self) -> PreparedProvider:
        """Whom the file is for."""
        return self.model.providers[self.place]

    @property
    def costs(self) -> CostTable | None:
        """What answers to such lines cost, as things are configured."""
        return costs_elsewhere(self.provider)

    @property
    def group(self) -> tuple[str, str, int, tuple[tuple[str, str], ...]]:
        """What all lines of a file have in common."""
        secrets = tuple(sorted(self.credentials.items()))
        return self.variant.name, self.model.name, self.place, secrets


def is_native(prepared: Prepared, variant: PreparedVariant) -> bool:
    """Whether the provider that is asked first for a variant has a batch API, and is to use it."""
    if not isinstance(variant.config, ChatCompletionVariant):
        return False
    model = prepared.model(variant.config.model)
    return model is not None and model.providers[0].batches is not None


async def native_line(
    inferences: InferenceService,
    item: BatchItem,
    accepted: Accepted,
    variant: PreparedVariant,
    place: int = 0,
) -> NativeLine | None:
    """The line of an item for one provider; None if LSD itself is to run it from there on.

    Raises VariantFailed for an item that cannot be rendered.
    """
    run = inferences.run_elsewhere(item.inference_id, accepted)
    call = call_elsewhere(run, accepted, variant, place)
    if call is None:
        return None
    try:
        body = await call.body()
    except AttemptFailed:  # it does not fit this provider, and may fit the next one
        return None
    return NativeLine(
        variant=variant,
        model=call.model,
        place=place,
        api=call.api,
        credentials=accepted.request.credentials,
        text=call.api.line(item.inference_id, body),
    )


def in_files(lines: Mapping[int, NativeLine]) -> list[dict[int, NativeLine]]:
    """The lines of each file, by the index of their items; no file is too large."""
    files: list[dict[int, NativeLine]] = []
    open_files: dict[object, tuple[dict[int, NativeLine], int]] = {}
    for index, line in lines.items():
        file, size = open_files.get(line.group, ({}, 0))
        length = len(line.text) + 1
        if not file or len(file) == LINES_MAX or size + length > FILE_BYTES_MAX:
            file, size = {}, 0
            files.append(file)
        file[index] = line
        open_files[line.group] = (file, size + length)
    return files
