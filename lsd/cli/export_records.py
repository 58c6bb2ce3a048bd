"""`lsd export`: the records of the store as lines of JSON."""

from typing import BinaryIO

import click

from lsd.cli.failures import CommandFailed
from lsd.cli.store_command import opened, store_command
from lsd.config import Storage
from lsd.store import export_lines


@click.command("export")
@click.argument("file", type=click.File("wb"), default="-")
@store_command
def command(storage: Storage, file: BinaryIO) -> None:
    """Write all records as lines of JSON to FILE, or to stdout.

    They are configurations, inferences with the calls of their models, embeddings, feedback,
    datapoints and judgements. A server may go on beside it; what it records meanwhile may be
    missing.
    """
    with opened(storage) as store:
        try:
            file.writelines(line + b"\n" for line in export_lines(store))
            file.flush()
        except OSError as error:
            raise CommandFailed(f"{file.name}: {error.strerror or error}") from None
