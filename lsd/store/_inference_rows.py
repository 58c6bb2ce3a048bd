"""An inference and its calls as bytes: all of their rows that depends on nothing but themselves."""

from collections.abc import Collection

from lsd.conversation import encode_json_to_keep, frozen
from lsd.store import _encoding as encoding
from lsd.store._attribution import NAMESPACE_TAG
from lsd.store._usage_writes import call_figures, inference_figures
from lsd.store.layout import id_key
from lsd.store.new_inference import Fields, NewCall, NewInference
from lsd.store.usage import Figures


@frozen
class CallRows:
    """One call. `key` is that of its inference, and its own; without `figures` it is no usage."""

    key: bytes
    head: bytes
    body: bytes | None
    model: tuple[str, str]
    """Of the model and the provider, the names."""
    figures: Figures | None


@frozen
class InferenceRows:
    """One inference."""

    key: bytes
    episode: bytes
    variant: tuple[str, str, str | None]
    """Of the function, the variant and the namespace, the names."""
    tags: Collection[tuple[str, str]]
    head: bytes
    body: bytes | None
    figures: Figures
    calls: list[CallRows]


def inference_rows(new: NewInference) -> InferenceRows:
    """The rows of an inference. Raises TypeError if a field is no JSON."""
    key = id_key(new.inference_id)
    calls, call_heads = [], []
    for call in new.calls:
        call_head = encoding.model_inference_head(call.head)
        call_heads.append(call_head)
        calls.append(_call_rows(key, call, call_head))
    head = encoding.inference_head(new.head, call_heads)
    tags = head["tags"]
    return InferenceRows(
        key,
        id_key(head["episode_id"]),
        (head["function_name"], head["variant_name"], tags.get(NAMESPACE_TAG)),
        tags.items(),
        encode_json_to_keep(head),
        None if new.body is None else encode_json_to_keep(new.body),
        inference_figures(head),
        calls,
    )


def call_rows(owner: bytes, call: NewCall, episode_id: str | None = None) -> CallRows:
    """The rows of a call; it names its episode if there is no inference that does."""
    head = encoding.model_inference_head(call.head)
    if episode_id is not None:
        head = {**head, "episode_id": episode_id}
    return _call_rows(owner, call, head)


def _call_rows(owner: bytes, call: NewCall, head: Fields) -> CallRows:
    body = call.body
    return CallRows(
        owner + id_key(call.id),
        encode_json_to_keep(head),
        None if body is None else encode_json_to_keep(body),
        (head["model_name"], head["model_provider_name"]),
        call_figures(head),
    )
