"""Sampling parameters, set by a request and by a variant."""

import attrs
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import PARAM_NAMES, UNSET_PARAMS, ChatCompletionParams

PARAMS = st.builds(
    ChatCompletionParams,
    temperature=st.none() | st.floats(0, 2),
    max_tokens=st.none() | st.integers(0, 9),
    seed=st.none() | st.just(0),
    stop_sequences=st.none() | st.just(()),
)


def test_a_request_overrides_its_variant_field_by_field() -> None:
    """What the request leaves open is the variant's; 0 and an empty list are values, too."""
    request = ChatCompletionParams(temperature=0.0, stop_sequences=())
    variant = ChatCompletionParams(temperature=0.7, stop_sequences=("END",), max_tokens=100)

    merged = request.over(variant)

    assert merged == ChatCompletionParams(temperature=0.0, stop_sequences=(), max_tokens=100)


@given(PARAMS, PARAMS)
def test_merging_takes_each_value_from_one_side(above: object, beneath: object) -> None:
    """The upper one where it is set, the lower one elsewhere; unset on both sides stays unset."""
    assert isinstance(above, ChatCompletionParams)
    assert isinstance(beneath, ChatCompletionParams)

    merged = attrs.asdict(above.over(beneath))

    upper, lower = attrs.asdict(above), attrs.asdict(beneath)
    for name in PARAM_NAMES:
        assert merged[name] == (upper[name] if upper[name] is not None else lower[name])


def test_only_what_is_set_is_shown() -> None:
    """Records and requests to providers hold no unset fields."""
    params = ChatCompletionParams(temperature=0, json_mode="off")

    assert params.set_values() == {"temperature": 0, "json_mode": "off"}
    assert UNSET_PARAMS.set_values() == {}
