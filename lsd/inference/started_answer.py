"""A streamed answer that has started: its stream, and what it will be part of."""

from collections.abc import Callable

import attrs

from lsd.inference.answers import Answer
from lsd.inference.journal import ModelCall
from lsd.inference.open_stream import StartedStream


@attrs.frozen(kw_only=True)
class StartedAnswer:
    """What a variant has begun to give.

    `preceding` are the calls that were made for it before the one that is streamed, in the order
    in which raw bodies are shown. `answer` tells what has arrived so far. `calls_as_text`: the
    arguments of the one tool call are the text of the answer.
    """

    variant_name: str
    stream: StartedStream
    preceding: tuple[ModelCall, ...]
    calls_as_text: bool
    answer: Callable[[], Answer]
