"""The lock files: complete, of one mind, and without addresses."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("build", "development", "runtime")


def read_lock(name: str) -> str:
    """The text of one lock file."""
    return (ROOT / ".lock" / f"{name}.txt").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    """The version of each package in a lock file."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", read_lock(name), re.MULTILINE))


def wanted(name: str) -> list[Requirement]:
    """What the project file asks for, for one lock file."""
    groups = PROJECT["dependency-groups"]
    texts = {
        "build": groups["build"],
        "development": PROJECT["project"]["dependencies"] + groups["dev"],
        "runtime": PROJECT["project"]["dependencies"],
    }
    return [Requirement(text) for text in texts[name]]


@pytest.mark.parametrize("name", LOCKS)
def test_what_the_project_asks_for_is_locked(name: str) -> None:
    """A dependency that was added without `.ci/lock` would be missing on every other machine."""
    locked = pins(name)

    for requirement in wanted(name):
        version = locked.get(canonicalize_name(requirement.name), "")
        assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_version_and_hashes_and_nothing_has_an_address(name: str) -> None:
    """Whatever index a machine uses, it gets these bytes or none."""
    text = read_lock(name)

    entries = re.split(r"\n(?=[a-z])", text.strip())

    assert "://" not in text
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_what_is_tested_is_what_is_shipped() -> None:
    """The tests run on the versions that are inside `lsd.pyz`."""
    tested, shipped = pins("development"), pins("runtime")

    assert {name: tested.get(name) for name in shipped} == shipped
