"""Entries of the inference cache: an answer or a stream, and back again."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    ContentChunk,
    ModelChunk,
    ModelRequest,
    ModelResponse,
    OutputBlock,
    Text,
    TextChunk,
    Thought,
    ThoughtChunk,
    ToolCall,
    ToolCallChunk,
    Unknown,
    UnknownChunk,
    Usage,
    decode_json,
)
from lsd.inference.cache_entries import (
    answer_from_cache,
    answer_to_cache,
    stream_from_cache,
    stream_to_cache,
)
from lsd.inference.journal import ModelCall

TEXT = st.text(max_size=8)
MAYBE = st.none() | TEXT
COUNT = st.none() | st.integers(0, 2**53)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
SUMMARIES = st.lists(
    st.builds(lambda text: {"type": "summary_text", "text": text}, TEXT), min_size=1, max_size=2
)

BLOCKS: st.SearchStrategy[OutputBlock] = st.one_of(
    st.builds(Text, text=TEXT),
    st.builds(ToolCall, id=TEXT, name=TEXT, arguments=TEXT),
    st.builds(
        Thought,
        text=MAYBE,
        signature=MAYBE,
        summary=st.none() | SUMMARIES.map(tuple),
        provider_type=MAYBE,
        extra_data=JSON,
    ),
    st.builds(Unknown, data=JSON, model_name=MAYBE, provider_name=MAYBE),
)
CHUNKS: st.SearchStrategy[ContentChunk] = st.one_of(
    st.builds(TextChunk, id=TEXT, text=TEXT),
    st.builds(ToolCallChunk, id=TEXT, raw_name=TEXT, raw_arguments=TEXT),
    st.builds(
        ThoughtChunk,
        id=TEXT,
        text=MAYBE,
        signature=MAYBE,
        summary_id=MAYBE,
        summary_text=MAYBE,
        provider_type=MAYBE,
        extra_data=JSON,
    ),
    st.builds(UnknownChunk, id=TEXT, data=JSON, model_name=MAYBE, provider_name=MAYBE),
)
USAGES = st.builds(
    Usage,
    input_tokens=COUNT,
    output_tokens=COUNT,
    provider_cache_read_input_tokens=COUNT,
    provider_cache_write_input_tokens=COUNT,
    reasoning_tokens=COUNT,
)
ANSWERED = st.fixed_dictionaries(
    {
        "raw_request": MAYBE,
        "raw_response": MAYBE,
        "usage": USAGES,
        "finish_reason": st.sampled_from([None, "stop", "length"]),
        "stop_sequence": MAYBE,
    }
)


OF_ANSWER = ("usage", "raw_usage", "finish_reason", "stop_sequence")


def call(output: tuple[OutputBlock, ...] = (), **fields: Any) -> ModelCall:
    """A call of a provider, with the fields of its answer among the others."""
    answered = {name: fields.pop(name) for name in OF_ANSWER if name in fields}
    return ModelCall(
        id="c-1",
        variant_name="v",
        model_name="m",
        provider_name="one",
        provider_type="openai",
        api_type="chat_completions",
        request=ModelRequest(messages=()),
        started_at=0.0,
        answer=ModelResponse(output, **answered),
        **fields,
    )


def told(made: ModelCall) -> dict[str, Any]:
    """What an entry keeps of a call beside its output."""
    texts = {"raw_request": made.raw_request, "raw_response": made.raw_response}
    kept = ("usage", "finish_reason", "stop_sequence")
    return texts | {name: getattr(made.answer, name) for name in kept}


@given(fields=ANSWERED, output=st.lists(BLOCKS, max_size=4))
def test_an_answer_comes_out_as_it_went_in(
    fields: dict[str, Any], output: list[OutputBlock]
) -> None:
    """Blocks, raw texts, token counts and finish reason are all there again."""
    before, after = call(**fields, output=tuple(output)), call()

    answer_from_cache(after, decode_json(answer_to_cache(before)))

    assert told(after) == fields
    assert after.answer.output == before.answer.output


@given(fields=ANSWERED, contents=st.lists(st.lists(CHUNKS, max_size=3), max_size=4))
def test_a_stream_comes_out_as_it_was_cut(
    fields: dict[str, Any], contents: list[list[ContentChunk]]
) -> None:
    """The chunks with content are played again, and the finish reason comes last."""
    after = call()
    chunks = [ModelChunk(content=content) for content in contents]

    replayed = stream_from_cache(after, decode_json(stream_to_cache(call(**fields), chunks)))

    assert told(after) == fields
    assert replayed == [
        *(chunk for chunk in chunks if chunk.content),
        ModelChunk(finish_reason=fields["finish_reason"]),
    ]


def test_what_a_provider_said_beside_its_content_is_not_played_again() -> None:
    """Usage and raw events belong to the call that was paid for."""
    chunk = ModelChunk(
        content=[TextChunk(id="0", text="Hi")],
        usage=Usage(input_tokens=5),
        raw_usage={"prompt_tokens": 5},
        raw="{}",
        document={},
        finish_reason="stop",
    )

    replayed = stream_from_cache(call(), decode_json(stream_to_cache(call(), [chunk])))

    assert replayed == [ModelChunk(content=[TextChunk(id="0", text="Hi")]), ModelChunk()]


def test_a_call_from_the_cache_costs_nothing() -> None:
    """What the first call had cost is not kept; the second is known to be free."""
    paid = call(cost=Decimal("0.5"), raw_usage={"prompt_tokens": 5})
    answered, streamed = call(), call()

    answer_from_cache(answered, decode_json(answer_to_cache(paid)))
    stream_from_cache(streamed, decode_json(stream_to_cache(paid, [])))

    for again in (answered, streamed):
        assert again.cached
        assert again.cost == 0
        assert again.raw_usage == []
