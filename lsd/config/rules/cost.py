"""`cost` and `batch_cost`."""

from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath
from lsd.config.rules.extras import pointer_problem
from lsd.config.tables.cost import CostEntry


def check_cost(
    path: KeyPath, cost: tuple[CostEntry, ...], findings: Findings, *, can_split: bool = True
) -> None:
    """Each entry; without `can_split`, streams have no pointer of their own."""
    for at, entry in enumerate(cost):
        _check_rate((*path, at), entry, findings)
        _check_pointers((*path, at), entry, can_split, findings)


def _check_rate(path: KeyPath, entry: CostEntry, findings: Findings) -> None:
    if (entry.cost_per_million is None) == (entry.cost_per_unit is None):
        found = "neither" if entry.cost_per_million is None else "both"
        found = f"found {found} of cost_per_million and cost_per_unit"
        findings.refuse(path, found, "wanted exactly one of them")


def _check_pointers(path: KeyPath, entry: CostEntry, can_split: bool, findings: Findings) -> None:
    split = {
        name: pointer
        for name in ("pointer_nonstreaming", "pointer_streaming")
        if (pointer := getattr(entry, name)) is not None
    }
    if split and not can_split:
        findings.refuse((*path, next(iter(split))), "nothing is streamed here", "wanted pointer")
    elif entry.pointer is not None and split:
        found = f"found pointer and {' and '.join(split)}"
        findings.refuse(path, found, "wanted either pointer or the other two")
    elif entry.pointer is None and len(split) < 2:
        found = f"found only {next(iter(split))}" if split else "found no pointer"
        wanted = "wanted pointer" + (
            ", or pointer_nonstreaming and pointer_streaming" if can_split else ""
        )
        findings.refuse(path, found, wanted)
    for name, pointer in {"pointer": entry.pointer, **split}.items():
        if pointer is not None and (problem := pointer_problem(pointer)):
            findings.refuse((*path, name), problem)
