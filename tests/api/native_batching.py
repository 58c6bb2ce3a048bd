"""A daemon whose model asks a fake of OpenAI's batch API, and results of jobs there."""

import random
from collections.abc import Callable

from tests.api.asking import Box, model
from tests.api.batching import FUNCTION, bounded
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_batches import FakeBatches, Line, answered
from tests.fakes.provider_thread import FakeProviderThread

NATIVE = 'batch = "native"'

StartNative = Callable[..., tuple[Gateway, FakeBatches]]


def starting_native(start_gateway: StartGateway, provider: FakeProviderThread) -> StartNative:
    """What starts a daemon whose model `m` asks OpenAI's batch API, and then `boxes`."""

    def start(*boxes: Box, more: str = NATIVE, tables: str = "") -> tuple[Gateway, FakeBatches]:
        fake = FakeBatches()
        first = Box("box", provider.will("box", fake), more)
        text = model("m", first, *boxes) + FUNCTION + bounded(poll_interval_s=0) + tables
        return start_gateway(text, files={"strict.minijinja": "{{ x.y }}"}), fake

    return start


def joined(*lines: bytes) -> bytes:
    """A file of these lines; the last one has no end."""
    return b"\n".join(lines)


def all_answered(lines: list[Line]) -> bytes:
    """Every line has an echo, in an order of its own."""
    shuffled = lines[:]
    random.Random(7).shuffle(shuffled)
    return joined(*map(answered, shuffled))
