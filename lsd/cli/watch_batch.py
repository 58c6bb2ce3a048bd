"""`lsd batch`: watches a batch until its last item has ended."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from lsd.batches import batch_head
from lsd.cli.failures import CommandFailed
from lsd.cli.store_command import opened, store_command
from lsd.config import Storage
from lsd.conversation import BadId, encode_json, parse_id
from lsd.store import Batches

LOOK_EVERY_S = 0.5
"""Often enough for a bar that moves, and nothing for the store."""


@click.command("batch")
@click.argument("batch_id")
@store_command
def command(storage: Storage, batch_id: str) -> None:
    """Watch the batch BATCH_ID until its last item has ended.

    A terminal is shown a bar; anything else gets a line of JSON for every change. The exit code is
    0 if all items have been completed, else 1. It reads the store, beside a server that runs.
    """
    try:
        canonical = parse_id(batch_id)
    except BadId as error:
        raise CommandFailed(f"BATCH_ID: {error}") from None
    with opened(storage) as store:
        sleep = time.sleep  # noqa: TID251 (a command has no event loop)
        states = states_of(store.batches, canonical, sleep)
        last = show_bar(states) if sys.stderr.isatty() else print_changes(states)
    if last["progress"]["completed"] < last["progress"]["total"]:
        sys.exit(1)


def states_of(
    batches: Batches, batch_id: str, sleep: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    """What is told of the batch, again and again, at last when nothing of it is under way.

    Raises CommandFailed if there is no such batch.
    """
    while True:
        batch = batches.get(batch_id)
        if batch is None:
            raise CommandFailed(f"BATCH_ID: found {batch_id!r}; wanted the id of a batch")
        yield batch_head(batch, batches.parts(batch_id))
        if not batch.is_under_way:
            return
        sleep(LOOK_EVERY_S)


def print_changes(states: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """A line of JSON for each change; the last state."""
    shown = last = None
    for last in states:
        if last != shown:
            click.echo(encode_json(last).decode())
            shown = last
    assert last is not None, "there is a state, or an error"
    return last


def show_bar(states: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """A bar on the terminal, then the last line; the last state."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[running]} running, {task.fields[failed]} failed"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[trouble]}", style="red", markup=False),
    )
    last = None
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=None, running=0, failed=0, trouble="")
        for last in states:
            counts = last["progress"]
            progress.update(
                task,
                total=counts["total"],
                completed=counts["completed"] + counts["failed"] + counts["cancelled"],
                running=counts["running"],
                failed=counts["failed"],
                trouble=last.get("poll_error", ""),
            )
    assert last is not None, "there is a state, or an error"
    click.echo(encode_json(last).decode())
    return last
