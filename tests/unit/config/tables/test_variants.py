"""The ways in which a function can run."""

from lsd.config import ChatCompletionVariant, DiclVariant
from lsd.conversation import PARAM_NAMES, UNSET_PARAMS, ChatCompletionParams


def test_a_variant_tells_its_parameters_as_a_request_does() -> None:
    """What it does not set stays unset."""
    variant = ChatCompletionVariant(model="m", seed=3, service_tier="flex", json_mode="on")

    assert variant.params == ChatCompletionParams(seed=3, service_tier="flex", json_mode="on")
    assert ChatCompletionVariant(model="m").params == UNSET_PARAMS
    assert DiclVariant(model="m", embedding_model="e", k=1, top_p=0.5).params.top_p == 0.5


def test_every_parameter_of_a_request_can_be_configured() -> None:
    """None is forgotten."""
    assert all(hasattr(ChatCompletionVariant(model="m"), name) for name in PARAM_NAMES)
