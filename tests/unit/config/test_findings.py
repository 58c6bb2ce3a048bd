"""Problems and warnings on their way."""

from pathlib import Path

from lsd.config.findings import Findings, listed
from lsd.config.reading.document import merge
from lsd.config.reading.globs import ConfigFile


def test_each_finding_knows_its_file() -> None:
    """Whoever checks names only the key."""
    file = ConfigFile("a.toml", Path("/etc/a.toml"))
    document, _ = merge([(file, {"models": {"m": {}}})], Path("/etc"))
    findings = Findings(document)

    findings.refuse(("models", "m", "routing"), "missing")
    findings.warn(("gateway",), "odd", "wanted even")

    assert [str(each) for each in findings.problems] == ["a.toml: models.m.routing: missing"]
    assert [str(each) for each in findings.warnings] == ["gateway: odd; wanted even"]


def test_names_are_listed_for_choosing() -> None:
    """Sorted, and as they would be written."""
    assert listed(["b", "a b", "a"]) == 'a, "a b", b'
    assert listed([]) == "(there are none)"
