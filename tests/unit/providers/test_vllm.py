"""vLLM takes thoughts back under their newer name."""

from lsd.conversation import Text, Thought
from tests.unit.providers.recorded import body, make_dialect, request


def test_thoughts_go_back_as_reasoning() -> None:
    """The older name is read, but no longer sent."""
    asked = request("a", [Thought(text="Hm."), Text(text="b")])

    assert body(make_dialect("vllm"), asked)["messages"][1] == {
        "role": "assistant",
        "content": "b",
        "reasoning": "Hm.",
    }
