"""Fixtures for faults of a whole daemon: those of the tests against running gateways."""

from tests.api.conftest import provider, start_gateway

__all__ = ["provider", "start_gateway"]
