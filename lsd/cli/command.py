"""`lsd`: serves, or with one of the commands does that one thing and exits."""

import os
import sys
from pathlib import Path
from typing import Any

import attrs
import click
from click.core import ParameterSource

from lsd import __version__
from lsd.cli.commands import Commands
from lsd.cli.failures import CommandFailed
from lsd.cli.logging_options import logging_from
from lsd.config import ConfigRefused, Loaded, Sources, load, load_storage
from lsd.telemetry import LogSettings, SystemClock, logger

log = logger(__name__)

_OF_KEYS = ("--create-api-key", "--disable-api-key", "--list-api-keys")


@attrs.frozen(kw_only=True)
class _Options:
    config: tuple[str, ...]
    default_config: bool
    bind_address: str | None
    workers: str | None
    data_dir: str | None
    log_format: str | None
    log_level: str | None
    pid_file: Path | None
    skip_credential_validation: bool
    check: bool
    create_api_key: bool
    expiration: str | None
    description: str | None
    disable_api_key: str | None
    list_api_keys: bool
    as_json: bool
    version: bool

    def command(self) -> str | None:
        """The one thing to do instead of serving. Raises click.UsageError for several."""
        asked = {
            "--check": self.check,
            "--create-api-key": self.create_api_key,
            "--disable-api-key": self.disable_api_key is not None,
            "--list-api-keys": self.list_api_keys,
            "--version": self.version,
        }
        given = [name for name, is_given in asked.items() if is_given]
        if len(given) > 1:
            raise click.UsageError(f"{' and '.join(given)} exclude each other.")
        return given[0] if given else None

    def check_together(self) -> None:
        """Raises click.UsageError for options that do not go with each other."""
        if self.config and self.default_config:
            raise click.UsageError("--config and --default-config exclude each other.")
        if not self.create_api_key:
            for name, value in (
                ("--expiration", self.expiration),
                ("--description", self.description),
            ):
                if value is not None:
                    raise click.UsageError(f"{name} goes with --create-api-key only.")
        if self.as_json and not self.list_api_keys:
            raise click.UsageError("--json goes with --list-api-keys only.")

    def sources(self) -> Sources:
        """Where the configuration comes from."""
        return Sources(
            environment=os.environ,
            working_directory=Path.cwd(),
            config=self.config,
            default=self.default_config,
            bind_address=self.bind_address,
            data_dir=self.data_dir,
            workers=self.workers,
            skip_credential_validation=self.skip_credential_validation,
        )


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["--help"], "max_content_width": 100},
)
@click.option("--config", multiple=True, metavar="PATH", help="File or glob; repeatable.")
@click.option("--default-config", is_flag=True, help="Serve without any file.")
@click.option("--bind-address", metavar="A:P", help="Listen here; port 0 takes a free one.")
@click.option("--workers", metavar="N|auto", help="Processes that serve.")
@click.option("--data-dir", metavar="DIR", help="Where the store is.")
@click.option("--log-format", type=click.Choice(["pretty", "json"]), help="Default: pretty.")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warn or error; default: info.")
@click.option("--pid-file", type=click.Path(path_type=Path), help="Holds the pid while serving.")
@click.option("--skip-credential-validation", is_flag=True, help="Only warn of missing ones.")
@click.option("--check", "--validate", is_flag=True, help="Check the configuration, and exit.")
@click.option("--create-api-key", is_flag=True, help="Print a new key, and exit.")
@click.option("--expiration", metavar="TIME", help="Until when the new key counts (RFC 3339).")
@click.option("--description", metavar="TEXT", help="What the new key is for.")
@click.option("--disable-api-key", metavar="ID", help="Let a key open nothing more, and exit.")
@click.option("--list-api-keys", is_flag=True, help="List the keys, and exit.")
@click.option("--json", "as_json", is_flag=True, help="List them as JSON.")
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.pass_context
def lsd(context: click.Context, /, **values: Any) -> None:
    """Serve LSD, the gateway between applications and language models.

    A command does one thing instead; its options stand behind it.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    options = _Options(**values)
    options.check_together()
    command = options.command()
    if command == "--version":
        click.echo(f"lsd, version {__version__}")
        return
    logging = logging_from(options.log_format, options.log_level, os.environ)
    logging.configure(debug=False)
    if command in _OF_KEYS:
        sys.exit(_run_key_command(options))
    as_records = logging.form == "json" and command is None
    loaded = _load(options, as_records=as_records)
    logging.configure(debug=loaded.config.gateway.debug)
    _tell(loaded)
    if options.check:
        click.echo(f"valid {loaded.hash}")
        return
    sys.exit(_serve(loaded, options, logging, as_records=as_records))


def _refuse_options(context: click.Context) -> None:
    """Raises click.UsageError for options of serving before a command, which would not count."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source == ParameterSource.COMMANDLINE:
            name = max(parameter.opts, key=len)
            command = context.invoked_subcommand
            raise click.UsageError(f"{name} stands before {command}; wanted it behind, if at all.")


def _run_key_command(options: _Options) -> int:
    # All else does without a store, or with one later; to import it takes its time.
    from lsd.cli.api_keys import ask_for_keys  # noqa: PLC0415

    try:
        told = ask_for_keys(
            load_storage(options.sources()),
            SystemClock(),
            disable=options.disable_api_key,
            lists=options.list_api_keys,
            as_json=options.as_json,
            expiration=options.expiration,
            description=options.description,
        )
    except ConfigRefused as refused:
        click.echo(str(refused), err=True)
        return 1
    except CommandFailed as failed:
        click.echo(f"lsd: {failed}", err=True)
        return 1
    if told is not None:
        click.echo(told)
    return 0


def main() -> None:
    """Runs the command line of this process, and ends it."""
    lsd()


def _load(options: _Options, *, as_records: bool) -> Loaded:
    try:
        return load(options.sources())
    except ConfigRefused as refused:
        for line in str(refused).splitlines():
            _tell_refusal(line, as_record=as_records)
        sys.exit(1)


def _tell_refusal(text: str, *, as_record: bool) -> None:
    """Tells the operator, on stderr, what keeps the daemon from serving."""
    if as_record:
        log.error(text)
    else:
        click.echo(text, err=True)


def _tell(loaded: Loaded) -> None:
    for warning in loaded.warnings:
        log.warning(warning)
    for note in loaded.notes:
        log.info(note)


def _serve(loaded: Loaded, options: _Options, logs: LogSettings, *, as_records: bool) -> int:
    # `--check` and `--version` do without a web server, which takes its time to import.
    from lsd.server import StartRefused, run_daemon  # noqa: PLC0415

    try:
        return run_daemon(loaded, sources=options.sources(), logs=logs, pid_file=options.pid_file)
    except StartRefused as refused:
        _tell_refusal(f"lsd: {refused}", as_record=as_records)
        return 1
