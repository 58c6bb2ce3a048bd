"""`lsd import`: lines of JSON into the store."""

from typing import BinaryIO

import click

from lsd.cli.failures import CommandFailed
from lsd.cli.store_command import opened, store_command
from lsd.config import Storage
from lsd.store import BadLine, WriteFailed, import_lines


@click.command("import")
@click.argument("file", type=click.File("rb"), default="-")
@store_command
def command(storage: Storage, file: BinaryIO) -> None:
    """Read lines that `export` has written from FILE, or from stdin, into the store.

    What the store has already stays as it is, so that a broken import can be repeated. A server may
    go on beside it.
    """
    with opened(storage, may_create=True) as store:
        try:
            imported = import_lines(store, file)
        except (BadLine, WriteFailed) as error:
            raise CommandFailed(f"{file.name}: {error}") from None
    click.echo(f"{imported.new} new, {imported.known} known before")
