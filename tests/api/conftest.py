"""Fixtures for tests against a running gateway: real processes, real sockets, a fake provider."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from lsd.store import verify
from tests.api.asking import open_store
from tests.api.gateway import Gateway
from tests.fakes.provider_thread import FakeProviderThread


class StartGateway(Protocol):
    """What the fixture `start_gateway` is."""

    def __call__(
        self,
        config_text: str,
        *options: str,
        environment: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        may_log_tracebacks: bool = False,
    ) -> Gateway:
        """A gateway that serves.

        `options` are more words of its command line, `environment` more variables, `headers` go
        with each request of its client, `files` lie beside its configuration.
        """


@contextmanager
def starting_gateways(parent: Path) -> Iterator[StartGateway]:
    """Starts gateways, each with a folder of its own; ends them, reads their logs, checks stores.

    A traceback in a log is a bug that some answer may have hidden, and fails the test; so does a
    record without its index keys.
    """
    started: list[tuple[Gateway, bool]] = []

    def start(
        config_text: str,
        *options: str,
        environment: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        may_log_tracebacks: bool = False,
    ) -> Gateway:
        folder = parent / f"gateway-{len(started) + 1}"
        folder.mkdir()
        for name, text in (files or {}).items():
            (folder / name).write_text(text, encoding="utf-8")
        gateway = Gateway(
            folder, config_text, options=options, environment=environment, headers=headers
        )
        started.append((gateway, may_log_tracebacks))
        return gateway.start()

    yield start

    for gateway, _ in started:
        gateway.close()
    for gateway, may_log_tracebacks in started:
        log = gateway.log_text()
        assert may_log_tracebacks or "Traceback (most recent call last)" not in log, log
        if gateway.data_path.exists():
            with open_store(gateway) as store:
                assert verify(store) == []


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[StartGateway]:
    """Starts gateways for one test."""
    with starting_gateways(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def start_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartGateway]:
    """Starts gateways that all tests of a module use: a start costs most of a second."""
    with starting_gateways(tmp_path_factory.mktemp("shared")) as start:
        yield start


@pytest.fixture
def provider() -> Iterator[FakeProviderThread]:
    """A fake provider, running."""
    with FakeProviderThread() as running:
        yield running


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[FakeProviderThread]:
    """A fake provider for all tests of a module; `forget` makes it new for the next one."""
    with FakeProviderThread() as running:
        yield running
