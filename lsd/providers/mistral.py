"""Mistral AI: thoughts as parts of the content, and names of its own for a few fields."""

from lsd.conversation import Thought
from lsd.providers._openai_body import unstrict_response_format
from lsd.providers._openai_family import Body, Encoding, Member
from lsd.providers._openai_thoughts import leave_out_thoughts, put_tagged


def _put_thoughts(message: Body, thoughts: list[Thought], encoding: Encoding) -> None:
    """A thinking part in front; models that do not reason may refuse thoughts of others."""
    wanted = [
        thought
        for thought in thoughts
        if thought.provider_type == "mistral" or encoding.target.prompt_mode is not None
    ]
    if len(wanted) < len(thoughts):
        leave_out_thoughts(thoughts, encoding)
    texts = [thought.text for thought in put_tagged(message, wanted, encoding) if thought.text]
    if not texts:
        return
    content = message["content"]
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    thinking = [{"type": "text", "text": "\n\n".join(texts)}]
    message["content"] = [{"type": "thinking", "thinking": thinking}, *(content or [])]


def _finish_body(body: Body, encoding: Encoding) -> None:
    if body.get("tool_choice") == "required":
        body["tool_choice"] = "any"
    if encoding.target.prompt_mode is not None:
        body["prompt_mode"] = encoding.target.prompt_mode


MISTRAL = Member(
    provider_type="mistral",
    seed_key="random_seed",
    takes_stream_options=False,
    takes_strict_tools=False,
    tool_call_ids="mistral",
    response_format=unstrict_response_format,
    always_has_content=True,
    put_thoughts=_put_thoughts,
    finish_body=_finish_body,
    has_thinking_parts=True,
)
