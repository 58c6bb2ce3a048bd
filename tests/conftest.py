"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# A busy machine makes single examples slow; what is too slow in truth shows in the benchmarks.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names for bytes that are no text: what is compressed holds the time at which it was.

    The processes among which the tests are shared out must agree about their names.
    """
    return f"{len(val)} bytes" if isinstance(val, bytes) and not val.isascii() else None
