"""When the offline provider fails, and how long it takes."""

from typing import Any

import pytest

from lsd.config import EchoEmbeddingProvider, EchoProvider
from lsd.providers.echo_script import EchoScript

SETTINGS: tuple[Any, ...] = (EchoProvider, EchoEmbeddingProvider)


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_script_goes_around(settings: Any) -> None:
    """Call n takes entry n; 200 is no failure, 0 a dropped connection."""
    script = EchoScript(settings(statuses=(429, 200, 0), delay_ms=7))

    failures = [script.next_failure() for _ in range(4)]

    assert [each and each.status for each in failures] == [429, None, 0, 429]
    assert [each.dropped for each in failures if each] == [False, True, False]
    assert [each.pieces[0][0] for each in failures if each] == [7, 7, 7]


def test_waits_stand_before_the_pieces() -> None:
    """One before the first, another before each further one."""
    script = EchoScript(EchoProvider(delay_ms=5, chunk_delay_ms=2))

    answer = script.answer(200, {}, [b"a", b"b", b"c"])

    assert answer.pieces == ((5, b"a"), (2, b"b"), (2, b"c"))
