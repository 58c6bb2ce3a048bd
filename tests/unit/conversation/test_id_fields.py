"""Ids in documents."""

import pytest

from lsd.conversation import Id, Malformed, Structurer, register_ids

STRUCTURER = Structurer()
register_ids(STRUCTURER)

CANONICAL = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@pytest.mark.parametrize(
    "found", [CANONICAL, CANONICAL.upper(), f"chatcmpl-{CANONICAL.replace('-', '')}"]
)
def test_an_id_may_have_any_of_its_forms(found: str) -> None:
    """What is made has one."""
    assert STRUCTURER.structure([found], tuple[Id, ...]) == (CANONICAL,)


@pytest.mark.parametrize("found", [None, 7, "", "0199e3a2", CANONICAL + "\n"])
def test_what_is_no_id_is_refused(found: object) -> None:
    """With its place, and what would be right."""
    with pytest.raises(Malformed, match=r"ids\[0\]: found .*; wanted .*UUID"):
        STRUCTURER.structure([found], tuple[Id, ...], "ids")
