"""Models, page by page."""

from typing import Any

import pytest

from lsd.api.anthropic.listing import model_body, page_of_models
from lsd.conversation import Malformed

CREATED = "2026-11-29T12:00:00Z"
NAMES = ["a", "b", "c", "d"]


def page(names: list[str] = NAMES, **query: str) -> dict[str, Any]:
    """A page with ids alone as its data."""
    made = page_of_models(names, query, CREATED)
    return {**made, "data": [model["id"] for model in made["data"]]}


def test_a_model() -> None:
    """All of them have been there since the daemon has."""
    assert model_body("a/b", CREATED) == {
        "type": "model",
        "id": "a/b",
        "display_name": "a/b",
        "created_at": CREATED,
        "lifecycle": "active",
    }


def test_all_models_fit_on_one_page() -> None:
    """Other parameters are not looked at."""
    assert page(beta="true") == {
        "data": NAMES,
        "has_more": False,
        "first_id": "a",
        "last_id": "d",
    }


def test_a_page_holds_twenty_models_unless_told_otherwise() -> None:
    """A thousand at most."""
    names = [f"m{number}" for number in range(1200)]

    assert page(names)["data"] == names[:20]
    assert page(names)["has_more"] is True
    assert page(names, limit="1000")["data"] == names[:1000]


def test_page_after_page() -> None:
    """Case 44: the last id of a page leads to the next one."""
    first = page(limit="1")
    second = page(limit="2", after_id=first["last_id"])
    last = page(limit="2", after_id=second["last_id"])

    assert (first["data"], first["has_more"], first["last_id"]) == (["a"], True, "a")
    assert (second["data"], second["has_more"]) == (["b", "c"], True)
    assert (last["data"], last["has_more"]) == (["d"], False)


def test_page_before_page() -> None:
    """The models right before an id, in their usual order."""
    page_before = page(limit="2", before_id="d")

    assert (page_before["data"], page_before["has_more"]) == (["b", "c"], True)
    assert page(limit="2", before_id="b")["data"] == ["a"]
    assert page(limit="2", before_id="b")["has_more"] is False


def test_the_models_between_two_ids() -> None:
    """Both bounds hold."""
    assert page(after_id="a", before_id="d")["data"] == ["b", "c"]
    assert page(after_id="c", before_id="a")["data"] == []


def test_no_models() -> None:
    """An empty page has no ids."""
    assert page([]) == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"limit": "0"}, "limit: found '0'; wanted an integer from 1 to 1000"),
        ({"limit": "1001"}, "limit: found '1001'; wanted"),
        ({"limit": "-1"}, "limit: found '-1'; wanted"),
        ({"limit": "ten"}, "limit: found 'ten'; wanted"),
        ({"limit": ""}, "limit: found ''; wanted"),
        ({"after_id": "z"}, "after_id: found 'z'; wanted the id of a model"),
        ({"before_id": "z"}, "before_id: found 'z'; wanted the id of a model"),
    ],
)
def test_a_page_that_does_not_exist(query: dict[str, str], told: str) -> None:
    """What is wrong is told."""
    with pytest.raises(Malformed) as caught:
        page(**query)

    assert str(caught.value).startswith(told)
