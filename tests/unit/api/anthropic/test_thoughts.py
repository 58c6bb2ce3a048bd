"""Thoughts of other providers survive a client that knows Anthropic's only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.api.anthropic.thoughts import read_thought, thought_block, visible_text
from lsd.conversation import Thought, foreign_signature, is_foreign_signature

DEEPSEEK = Thought(text="Need the file.", provider_type="deepseek")
SIGNED = Thought(signature="c2ln", provider_type="gcp_vertex_gemini")
WORDS = st.text(max_size=6)


def test_a_thought_without_a_secret_carries_its_origin() -> None:
    """The signature tells the type of the provider and nothing more."""
    assert thought_block(DEEPSEEK) == {
        "type": "thinking",
        "thinking": "Need the file.",
        "signature": "lsd1:deepseek:",
    }


@pytest.mark.parametrize("kind", ["anthropic", "gcp_vertex_anthropic"])
def test_a_thought_of_claudes_is_shown_as_it_was(kind: str) -> None:
    """Such a one comes from the cache, where it is kept in neutral words."""
    thought = Thought(text="Hm.", signature="c2ln", provider_type=kind)
    redacted = Thought(signature="EnQ=", provider_type=kind)

    assert thought_block(thought) == {
        "type": "thinking",
        "thinking": "Hm.",
        "signature": "c2ln",
    }
    assert thought_block(redacted) == {"type": "redacted_thinking", "data": "EnQ="}


def test_a_bare_signature_of_gemini_is_a_thought_without_words() -> None:
    """It belongs to the tool call behind it."""
    block = thought_block(SIGNED)

    assert block == {
        "type": "thinking",
        "thinking": "",
        "signature": "lsd1:gcp_vertex_gemini:YzJsbg",
    }
    assert read_thought("", block["signature"]) == SIGNED


def test_a_thought_without_words_is_redacted() -> None:
    """So it is at other providers: what it holds is for them alone."""
    thought = Thought(signature="AAECAw==", provider_type="aws_bedrock")

    block = thought_block(thought)

    assert block == {"type": "redacted_thinking", "data": "lsd1:aws_bedrock:QUFFQ0F3PT0"}
    assert read_thought(None, block["data"]) == thought


def test_a_summary_is_shown_and_kept() -> None:
    """The client sees its texts, the provider gets it back as it was."""
    summary = ({"type": "summary_text", "text": "One"}, {"type": "summary_text", "text": "Two"})
    thought = Thought(summary=summary, signature="sealed", provider_type="openai")

    block = thought_block(thought)

    assert block["thinking"] == "One\n\nTwo"
    assert read_thought(block["thinking"], block["signature"]) == thought
    assert visible_text(Thought(text="", summary=summary)) == ""


@given(
    text=st.none() | WORDS,
    signature=st.none() | WORDS.filter(lambda text: text and not text.startswith("{")),
    data=st.none() | st.dictionaries(WORDS, st.booleans(), max_size=2),
    summary=st.none() | st.tuples(st.fixed_dictionaries({"type": WORDS, "text": WORDS})),
    kind=st.sampled_from(["deepseek", "aws_bedrock", "aws_sagemaker::openai"]),
)
def test_every_thought_comes_back(
    text: str | None, signature: str | None, data: object, summary: object, kind: str
) -> None:
    """Whatever a provider wants to see again, it does."""
    thought = Thought(
        text=text if summary is None else None,
        signature=signature,
        extra_data=data,
        summary=summary,  # type: ignore[arg-type]  # a tuple of one object
        provider_type=kind,
    )

    block = thought_block(thought)

    text_or_none = block.get("thinking")
    assert read_thought(text_or_none, block.get("signature", block.get("data"))) == thought


@pytest.mark.parametrize("signature", ["", "EqQBCkYIARgCKkBvbmUtb2YtdGhlaXJz"])
def test_all_other_thoughts_are_anthropics(signature: str) -> None:
    """Their signatures hold no colon; a thought without any is taken back by nobody."""
    assert not is_foreign_signature(signature)
    assert read_thought("Hm.", signature) == Thought(
        text="Hm.", signature=signature or None, provider_type="anthropic"
    )


@pytest.mark.parametrize(
    "signature",
    [
        "lsd1:",
        "lsd1:deepseek",
        "lsd1:deepseek:!!!",
        "lsd1:deepseek:gICA",
        "lsd1:deepseek:eyJh",
        "lsd1:deepseek:e30",
        "lsd1:deepseek:eyJzdW1tYXJ5Ijo1LCJzaWduYXR1cmUiOjV9",
    ],
)
def test_a_broken_signature_is_no_reason_to_fail(signature: str) -> None:
    """Clients may send anything; the words of the thought are still there."""
    thought = read_thought("Hm.", signature)

    assert is_foreign_signature(signature)
    assert (thought.text, thought.summary) == ("Hm.", None)
    assert foreign_signature(thought).startswith("lsd1:")
