"""What must be freed as soon as nobody needs it, and not when Python looks for garbage cycles.

LSD lets it look rarely, and what a cycle holds may be large.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Within it, a cycle is not freed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Burden:
    """Something that a task holds, of which a test may ask whether it is still there."""
