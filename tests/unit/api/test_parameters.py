"""Parameters of queries, read strictly."""

from collections.abc import Callable
from typing import Any

import pytest

from lsd.api.errors import Refused
from lsd.api.exchange import Request
from lsd.api.parameters import (
    choice_in,
    cursor_in,
    flag_in,
    id_in,
    integer_in,
    maybe_id_in,
    text_in,
)

OWN = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


def asking(**query: str) -> Request:
    """A request with these parameters."""
    return Request(query=query, headers={})


def test_parameters_have_their_types() -> None:
    """And what is left away its default."""
    request = asking(id=OWN.upper(), all="true", n="0007", word="b", text="")

    assert id_in(request, "id") == OWN
    assert (maybe_id_in(request, "id"), maybe_id_in(request, "other")) == (OWN, None)
    assert (flag_in(request, "all"), flag_in(request, "none")) == (True, False)
    assert (integer_in(request, "n", default=3), integer_in(request, "m", default=3)) == (7, 3)
    assert choice_in(request, "word", ("a", "b")) == "b"
    assert choice_in(request, "other", ("a", "b"), default="a") == "a"
    assert text_in(request, "text") == ""


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (lambda: id_in(asking(id="x"), "id"), 'id: found "x"; wanted a UUID'),
        (lambda: flag_in(asking(all="1"), "all"), "all: found"),
        (lambda: integer_in(asking(n="-1"), "n", default=0), "n: found"),
        (lambda: choice_in(asking(), "word", ("a", "b")), "word: missing; wanted one of a, b"),
        (lambda: choice_in(asking(word="c"), "word", ("a", "b")), 'word: found "c"; wanted one'),
        (lambda: text_in(asking(), "text"), "text: missing"),
        (lambda: cursor_in(asking(before=OWN, after=OWN)), "before, after: found both"),
    ],
)
def test_a_wrong_parameter_is_told(read: Callable[[], Any], told: str) -> None:
    """With its name."""
    with pytest.raises(Refused) as raised:
        read()

    assert raised.value.status == 400
    assert str(raised.value).startswith(told)
