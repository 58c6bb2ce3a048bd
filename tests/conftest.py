"""What holds for all tests."""

import os

from hypothesis import HealthCheck, settings

# A busy machine makes single examples slow; what is too slow in truth shows in the benchmarks.
# Each run has the same examples, so that nobody's change is refused for what another one finds;
# with LSD_TEST_SEARCH=1 each run looks for new ones.
settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="LSD_TEST_SEARCH" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names for bytes that are no text: what is compressed holds the time at which it was.

    The processes among which the tests are shared out must agree about their names.
    """
    return f"{len(val)} bytes" if isinstance(val, bytes) and not val.isascii() else None
