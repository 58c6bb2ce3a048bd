"""Configurations with variants that run others, and what their models say."""

from typing import Any

from tests.unit.inference.fake_providers import USAGE, FakeProvider, Script, completes, says

MODELS = "".join(
    f"""
[models.{name}]
routing = ["{name}"]
providers.{name} = {{ type = "openai", model_name = "gpt-{name}" }}
"""
    for name in ("a", "b", "c", "judge")
)

CONFIG = (
    MODELS
    + """
[functions.chat]
type = "chat"
[functions.chat.variants]
A.model = "a"
B.model = "b"
C.model = "c"

[functions.chat.variants.pick]
type = "best_of_n_sampling"
candidates = ["A", "B", "C"]
evaluator.model = "judge"

[functions.chat.variants.mix]
type = "mixture_of_n"
candidates = ["A", "B", "C"]
fuser.model = "judge"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
[functions.verdict.variants]
A.model = "a"
B.model = "b"
C.model = "c"

[functions.verdict.variants.pick]
type = "best_of_n_sampling"
candidates = ["A", "B", "C"]
evaluator.model = "judge"

[functions.verdict.variants.mix]
type = "mixture_of_n"
candidates = ["A", "B", "C"]
fuser.model = "judge"
"""
)
"""A chat and a json function with three candidates, `pick` (best of n) and `mix` (mixture)."""


def chooses(choice: Any) -> Script:
    """An evaluator's answer with this `answer_choice`, as JSON text."""
    return says(f'{{"thinking":"x","answer_choice":{choice}}}')


def uses(text: str, tokens: int) -> Script:
    """A completion that says `text` and counts `tokens` on both sides."""
    usage = {"prompt_tokens": tokens, "completion_tokens": tokens}
    return completes({"role": "assistant", "content": text}, usage=usage)


def sent(provider: FakeProvider) -> Any:
    """The body of the only request that a provider got."""
    (body,) = provider.bodies
    return body


def usage_of(count: int) -> dict[str, Any]:
    """The usage of so many calls with the usual tokens."""
    return {
        "input_tokens": count * USAGE["prompt_tokens"],
        "output_tokens": count * USAGE["completion_tokens"],
        "cost": None,
    }
