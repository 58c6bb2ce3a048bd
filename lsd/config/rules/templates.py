"""Templates against the schemas of their function."""

from minijinja import Environment, TemplateError

from lsd.config.findings import Findings, listed
from lsd.config.generations import prompts_of
from lsd.config.key_path import KeyPath, show_path
from lsd.config.places import schema_place, template_place
from lsd.config.tables.config import Config
from lsd.config.tables.functions import Function
from lsd.config.tables.variants import PromptedGeneration, Template

GLOBALS = frozenset(Environment().globals)
"""What every template may call without having been given it."""


def check_templates(config: Config, findings: Findings) -> None:
    """Every schema has its templates, and templates without schema see only their text."""
    for path, function, generation in prompts_of(config):
        _check_presence(path, function, generation, findings)
        for name, template in generation.templates.items():
            place = template_place(findings.document, path, name)
            if "input_wrappers" in place and name in function.schemas:
                schema = show_path(schema_place(findings.document, path[:2], name))
                wanted = f"write {show_path((*path, f'{name}_template'))}"
                findings.refuse(place, f"set beside {schema}", wanted)
            elif template.legacy:
                _check_variables(place, name, template, findings)


def _check_presence(
    path: KeyPath, function: Function, generation: PromptedGeneration, findings: Findings
) -> None:
    for name in function.schemas:
        if name not in generation.templates:
            schema = show_path(schema_place(findings.document, path[:2], name))
            wanted = f"it is needed because {schema} exists"
            findings.refuse((*path, "templates", name), "missing", wanted)


def _check_variables(path: KeyPath, name: str, template: Template, findings: Findings) -> None:
    allowed = f"{name}_text"
    try:
        used = Environment().undeclared_variables_in_str(template.text)
    except TemplateError:
        return  # told where templates are parsed
    undeclared = used - GLOBALS - {allowed}
    if undeclared:
        found = f"there is no schema for {name}, and the template uses {listed(undeclared)}"
        findings.refuse(path, found, f"wanted only {allowed}")
