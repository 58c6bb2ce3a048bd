"""Each configured provider is spoken to in its own language."""

from lsd.config import OpenAIProvider
from lsd.conversation import ToolCall
from lsd.providers import dialect_for
from lsd.providers.openai_chat import OpenAIChat


def test_ids_are_unlike_each_other_without_a_generator() -> None:
    """Case 25: a call without an id gets one that no other call has."""
    body = b'{"choices":[{"message":{"tool_calls":[{"function":{"name":"wx"}}]}}]}'
    ids = set()
    for _ in range(2):
        dialect = dialect_for(
            OpenAIProvider(model_name="m-1"), model_name="local", provider_name="box"
        )
        assert isinstance(dialect, OpenAIChat)
        (call,) = dialect.decode(200, {}, body).output
        assert isinstance(call, ToolCall)
        ids.add(call.id)

    assert len(ids) == 2
