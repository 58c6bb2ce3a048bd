"""The models that clients of compatible endpoints may name."""

from lsd.api.compat.troubles import UnknownModel
from lsd.inference import BadRequest, InferenceService, PreparedModel

_FUNCTIONS = "lsd::function_name::"


def chat_model(inferences: InferenceService, name: str) -> PreparedModel:
    """The model of this name, configured or by shorthand. Raises UnknownModel and BadRequest."""
    if name.startswith(_FUNCTIONS):
        reason = f"found {name!r}; wanted a model: functions are called by POST /inference"
        raise BadRequest("model", reason)
    model = inferences.find_model(name)
    if model is None:
        if name in inferences.prepared.config.embedding_models:
            raise BadRequest(
                "model", f"found {name!r}, which makes embeddings; wanted a chat model"
            )
        raise UnknownModel(name)
    return model
