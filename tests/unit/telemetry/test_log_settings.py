"""How the log is set up in each process."""

import logging

import orjson
import pytest

from lsd.telemetry import LogSettings, logger

pytestmark = pytest.mark.usefixtures("configure")
"""Which puts back what the log was like."""


def test_lines_carry_the_number_of_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    """All processes write to one log."""
    LogSettings(form="json").configure(debug=False, worker=3)

    logger("lsd.test").info("hello")

    assert orjson.loads(capsys.readouterr().err)["worker"] == 3


@pytest.mark.parametrize(
    ("level", "debug", "effective"),
    [(None, False, logging.INFO), (None, True, logging.DEBUG), ("error", True, logging.ERROR)],
)
def test_a_level_that_was_asked_for_beats_the_configuration(
    level: str | None, debug: bool, effective: int
) -> None:
    """Which counts where nobody asked."""
    LogSettings(level=level).configure(debug=debug)

    assert logging.getLogger("lsd.api").getEffectiveLevel() == effective
