"""Commands that work on a store, beside a running server or without one."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

from lsd.cli.failures import CommandFailed
from lsd.cli.logging_options import logging_from
from lsd.config import ConfigRefused, Sources, Storage, load_storage
from lsd.store import Store, StoreFailed, StoreFull, StoreRefused, StoreSettings


def store_command(act: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that say where the store is, and calls `act(storage, …)`.

    What the command cannot do is told on stderr, and it ends with 1.
    """

    @click.option("--config", multiple=True, metavar="PATH", help="File or glob; repeatable.")
    @click.option("--default-config", is_flag=True, help="Without any file.")
    @click.option("--data-dir", metavar="DIR", help="Where the store is.")
    @wraps(act)
    def command(
        config: tuple[str, ...], default_config: bool, data_dir: str | None, **others: Any
    ) -> None:
        if config and default_config:
            raise click.UsageError("--config and --default-config exclude each other.")
        logging_from(None, None, os.environ).configure(debug=False)
        sources = Sources(
            environment=os.environ,
            working_directory=Path.cwd(),
            config=config,
            default=default_config,
            data_dir=data_dir,
        )
        try:
            act(load_storage(sources), **others)
        except ConfigRefused as refused:
            click.echo(str(refused), err=True)
            sys.exit(1)
        except (CommandFailed, StoreRefused, StoreFull, StoreFailed) as failed:
            click.echo(f"lsd: {failed}", err=True)
            sys.exit(1)

    return command


@contextmanager
def opened(storage: Storage, *, may_create: bool = False) -> Iterator[Store]:
    """The store, open beside whatever server there is. Raises CommandFailed for none at all."""
    if not may_create and not (storage.path / "data" / "data.mdb").exists():
        raise CommandFailed(f"{storage.path}: found no store; wanted the folder of one")
    store = Store.open(storage.path, StoreSettings.of(storage), is_server=False)
    try:
        yield store
    finally:
        store.close()
