"""Commands are found by their names, and imported no sooner."""

import click
import pytest

from lsd.cli.command import lsd
from lsd.cli.commands import Commands
from tests.unit.cli.stores import run


@pytest.mark.parametrize("name", lsd.list_commands(click.Context(lsd)))
def test_each_command_has_a_help_of_its_own(name: str) -> None:
    """With its options, and no start of anything."""
    result = run(name, "--help")

    assert result.exit_code == 0
    assert f"Usage: lsd {name}" in result.stdout


def test_an_unknown_command_is_a_bad_command_line() -> None:
    """As an unknown option is."""
    result = run("ghost")

    assert result.exit_code == 2
    assert "No such command 'ghost'" in result.stderr


def test_commands_may_also_be_given_directly() -> None:
    """A group takes what is added to it, too."""
    group = Commands("group")
    group.add_command(click.Command("own"))

    assert "own" in group.list_commands(click.Context(group))
    own = group.get_command(click.Context(group), "own")
    assert own is not None
    assert own.name == "own"
