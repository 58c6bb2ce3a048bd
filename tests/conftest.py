"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# A busy machine makes single examples slow; what is too slow in truth shows in the benchmarks.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
