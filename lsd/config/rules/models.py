"""`[models]` and `[embedding_models]`: routing."""

from lsd.config.findings import Findings, listed
from lsd.config.key_path import KeyPath, quote
from lsd.config.tables.config import Config
from lsd.config.tables.models import EmbeddingModel, Model


def check_models(config: Config, findings: Findings) -> None:
    """The routing lists of all models, against their providers."""
    for name, model in config.models.items():
        _check_routing(("models", name), model, findings)
    for name, embedding_model in config.embedding_models.items():
        _check_routing(("embedding_models", name), embedding_model, findings)


def _check_routing(path: KeyPath, model: Model | EmbeddingModel, findings: Findings) -> None:
    routing = (*path, "routing")
    if not model.routing:
        findings.refuse(routing, "found an empty list", f"wanted one of {listed(model.providers)}")
    for at, name in enumerate(model.routing):
        if name in model.routing[:at]:
            findings.refuse((*routing, at), f"{quote(name)} is listed twice")
        elif name not in model.providers:
            found = f"there is no provider {quote(name)}"
            findings.refuse((*routing, at), found, f"wanted one of {listed(model.providers)}")
    for name in model.providers:
        if name not in model.routing:
            found = f"the provider {quote(name)} is not in routing"
            findings.refuse((*path, "providers", name), found, "add it there, or remove it here")
