"""The settings of the gateway."""

import pytest

from lsd.config import Gateway
from tests.unit.config.folder import Folder


def test_a_stop_waits_as_long_as_a_call_may_take() -> None:
    """Unless it is told otherwise."""
    assert Gateway().shutdown_timeout_ms == 900_000
    assert Gateway(global_outbound_http_timeout_ms=5).shutdown_timeout_ms == 5
    assert Gateway(shutdown_timeout_ms=7).shutdown_timeout_ms == 7


@pytest.mark.parametrize(
    ("written", "meant"), [("/", "/"), ("//", "/"), ("/a/b/", "/a/b"), ("/a//", "/a")]
)
def test_slashes_at_the_end_of_a_base_path_are_dropped(
    folder: Folder, written: str, meant: str
) -> None:
    """Routes begin with their own."""
    assert folder.load(f"gateway.base_path = '{written}'").config.gateway.base_path == meant


@pytest.mark.parametrize("written", ["llm", "", "/a?b", "/a#b", "/a b"])
def test_other_paths_are_refused(folder: Folder, written: str) -> None:
    """No request could match them."""
    assert "wanted a path that starts with /" in folder.problem(f"gateway.base_path = '{written}'")
