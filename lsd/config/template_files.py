"""The files that templates include: all of them are read once, at the start."""

from collections.abc import Callable, Mapping
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

ReadTemplate = Callable[[str], str | None]
"""The text of an included template, None if there is none. Raises OSError and ValueError."""


def collect_template_files(config: Config, findings: Findings) -> Mapping[str, str]:
    """The text of every template that can be included, by the name under which it is.

    Templates that do not parse, and includes that cannot be resolved, are told to `findings`.
    """
    base_path = config.gateway.template_filesystem_access.base_path
    if base_path is not None and not base_path.is_dir():
        findings.refuse(ACCESS_KEY, f"{base_path} is not a folder")
        base_path = None
    collection = TemplateCollection(findings, None if base_path is None else _reading(base_path))
    for path, _, generation in prompts_of(config):
        for name, template in generation.templates.items():
            place = template_place(findings.document, path, name)
            collection.add(place, template.path, template.text)
    return collection.files


@attrs.define(eq=False)
class TemplateCollection:
    """Follows includes from template to template; `files` are those that were found."""

    findings: Findings
    read: ReadTemplate | None
    files: dict[str, str] = attrs.field(factory=dict, init=False)

    def add(self, path: KeyPath, name: str, text: str) -> None:
        """Checks a template and collects what it includes; `path` is where problems are told."""
        try:
            Environment().add_template(name, text)
        except TemplateError as error:
            reason = f"{error.message}: {error.detail}" if error.detail else error.message
            self.findings.refuse(path, f'"{name}" line {error.line}: {reason}')
            return
        for include in includes_of(text):
            where = f'"{name}" line {include.line}, column {include.column}'
            self._follow(path, where, include)

    def _follow(self, path: KeyPath, where: str, include: Include) -> None:
        if include.names is None:
            found = f"{where}: the included template is computed: {include.expression}"
            self.findings.refuse(path, found, "write its path as a string")
            return
        if self.read is None:
            found = f"{where}: includes {include.expression}"
            wanted = "includes need gateway.template_filesystem_access.base_path"
            self.findings.refuse(path, found, wanted)
            return
        for group in include.names:
            exist = [self._collect(path, each, self.read) for each in group]
            if not any(exist) and not include.optional:
                found = f"{where}: there is no template {' or '.join(group) or '(none named)'}"
                wanted = "wanted a file below gateway.template_filesystem_access.base_path"
                self.findings.refuse(path, found, wanted)

    def _collect(self, path: KeyPath, name: str, read: ReadTemplate) -> bool:
        """Whether there is such a template; a new one is kept and followed."""
        if name in self.files:
            return True
        try:
            text = read(name)
        except (OSError, ValueError) as error:
            self.findings.refuse(path, f'cannot read "{name}": {error}')
            return True
        if text is None:
            return False
        self.files[name] = text
        self.add(path, name, text)
        return True


def _reading(base_path: Path) -> ReadTemplate:
    """Reads below a folder; hidden parts and backslashes lead nowhere."""

    def read(name: str) -> str | None:
        parts = name.split("/")
        if any(not part or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        file = base_path.joinpath(*parts)
        return read_text(file) if file.is_file() else None

    return read
