"""`lsd verify`: whether everything in the store fits together."""

import sys

import click

from lsd.cli.store_command import opened, store_command
from lsd.config import Storage
from lsd.store import verify


@click.command("verify")
@store_command
def command(storage: Storage) -> None:
    """Check that records, indexes and counters fit together.

    It reads everything, as of one moment; a server may go on beside it. Each thing that is wrong is
    a line; with any, the exit code is 1.
    """
    with opened(storage) as store:
        problems = verify(store)
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    click.echo("nothing is wrong")
