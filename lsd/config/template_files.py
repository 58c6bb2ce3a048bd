"""The files that templates include: all of them are read once, at the start."""

from collections.abc import Mapping
from pathlib import Path

import attrs
from minijinja import Environment, TemplateError

from lsd.config.findings import Findings
from lsd.config.generations import prompts_of
from lsd.config.includes import Include, includes_of
from lsd.config.key_path import KeyPath
from lsd.config.places import template_place
from lsd.config.reading.texts import read_text
from lsd.config.tables.config import Config

ACCESS_KEY: KeyPath = ("gateway", "template_filesystem_access", "base_path")


def collect_template_files(config: Config, findings: Findings) -> Mapping[str, str]:
    """The text of every template that can be included, by the name under which it is.

    Templates that do not parse, and includes that cannot be resolved, are told to `findings`.
    """
    base_path = config.gateway.template_filesystem_access.base_path
    if base_path is not None and not base_path.is_dir():
        findings.refuse(ACCESS_KEY, f"{base_path} is not a folder")
        base_path = None
    collection = _Collection(base_path, findings, ACCESS_KEY in findings.document.origins)
    for path, _, generation in prompts_of(config):
        for name, template in generation.templates.items():
            place = template_place(findings.document, path, name)
            collection.add(place, template.path, template.text)
    return collection.files


@attrs.define(eq=False)
class _Collection:
    base_path: Path | None
    findings: Findings
    is_access_set: bool
    files: dict[str, str] = attrs.field(factory=dict)

    def add(self, path: KeyPath, name: str, text: str) -> None:
        """Checks a template and reads what it includes; `path` is where problems are told."""
        try:
            Environment().add_template(name, text)
        except TemplateError as error:
            reason = f"{error.message}: {error.detail}" if error.detail else error.message
            self.findings.refuse(path, f'"{name}" line {error.line}: {reason}')
            return
        for include in includes_of(text):
            self._follow(path, name, include)

    def _follow(self, path: KeyPath, name: str, include: Include) -> None:
        where = f'"{name}" line {include.line}, column {include.column}'
        if include.names is None:
            found = f"{where}: the included template is computed: {include.expression}"
            self.findings.refuse(path, found, "write its path as a string")
            return
        if self.base_path is None:
            if not self.is_access_set:
                found = f"{where}: includes {include.expression}"
                wanted = "includes need gateway.template_filesystem_access.base_path"
                self.findings.refuse(path, found, wanted)
            return
        for group in include.names:
            read = [self._read(path, each) for each in group]
            if not any(read) and not include.optional:
                found = f"{where}: no file {' or '.join(group) or '(none named)'}"
                self.findings.refuse(path, found, f"wanted below {self.base_path}")

    def _read(self, path: KeyPath, name: str) -> bool:
        """Whether there is such a file; a new one is kept and followed."""
        if name in self.files:
            return True
        file = self._resolve(name)
        if file is None or not file.is_file():
            return False
        try:
            self.files[name] = read_text(file)
        except (OSError, ValueError) as error:
            self.findings.refuse(path, f'cannot read "{name}": {error}')
            return True
        self.add(path, name, self.files[name])
        return True

    def _resolve(self, name: str) -> Path | None:
        """The file below the base; hidden parts and backslashes lead nowhere."""
        parts = name.split("/")
        is_plain = all(part and not part.startswith(".") and "\\" not in part for part in parts)
        if self.base_path is None or not is_plain or "\0" in name:
            return None
        return self.base_path.joinpath(*parts)
