"""`lsd compact`: a copy of the store without the room that nothing fills any more."""

from pathlib import Path

import click

from lsd.cli.failures import CommandFailed
from lsd.cli.store_command import opened, store_command
from lsd.config import Storage


@click.command("compact")
@click.argument("folder", type=click.Path(path_type=Path))
@store_command
def command(storage: Storage, folder: Path) -> None:
    """Copy the store into FOLDER, which is new or empty, as small as it can be.

    A server may go on beside it; what it writes meanwhile is not in the copy. To use the copy, stop
    the server and let storage.path name FOLDER. Caches and rate limits are not copied.
    """
    with opened(storage) as store:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise CommandFailed(f"{folder}: found files in it; wanted a new or empty folder")
            copied = store.compact_into(folder)
        except OSError as error:
            raise CommandFailed(f"{folder}: {error.strerror or error}") from None
        click.echo(f"{store.size_bytes()['data']} bytes, {copied} in the copy")
