"""The model that a chat request names."""

import re

from lsd.api.compat.troubles import UnknownModel
from lsd.inference import BadRequest, Prepared, PreparedModel

_FUNCTION = "lsd::function_name::"

_SUFFIX = re.compile(r"\[[^\[\]]*\]\Z")
"""`[1m]` behind a name, by which one agent asks Anthropic for a longer context."""


def called_model(prepared: Prepared, name: str, *, may_have_suffix: bool = False) -> PreparedModel:
    """The configured model, or the one that a shorthand stands for.

    `may_have_suffix`: what stands in brackets at the end may be left away. Raises UnknownModel,
    and BadRequest for what is something else than a chat model.
    """
    model = prepared.model(name)
    if model is None and may_have_suffix:
        model = prepared.model(_SUFFIX.sub("", name))
    if model is not None:
        return model
    if name.startswith(_FUNCTION):
        raise BadRequest("model", f"found {name!r}; functions are called by POST /inference")
    if name in prepared.config.embedding_models:
        raise BadRequest("model", f"found {name!r}, which makes embeddings; wanted a chat model")
    raise UnknownModel(name)
