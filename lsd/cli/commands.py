"""The commands beside serving, each in a module that is imported when it is asked for."""

from importlib import import_module
from typing import Final

import click

_MODULES: Final = {
    "batch": "lsd.cli.watch_batch",
    "compact": "lsd.cli.compact",
    "export": "lsd.cli.export_records",
    "import": "lsd.cli.import_records",
    "verify": "lsd.cli.verify",
}
"""By the words of the command line. Each module has its `command`."""


class Commands(click.Group):
    """A group whose commands cost a start nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, for the help."""
        return sorted({*super().list_commands(ctx), *_MODULES})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        module = _MODULES.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module(module).command
        return command
