"""Ids in documents: fields that take an id in any of its forms, and hold its canonical one."""

from typing import Any, NewType

from lsd.conversation.ids import BadId, parse_id
from lsd.conversation.json import describe_json
from lsd.conversation.problems import Mismatch
from lsd.conversation.structure import Structurer

Id = NewType("Id", str)
"""An id in its canonical form."""


def register_ids(structurer: Structurer) -> None:
    """Teaches `structurer` to make `Id`."""
    structurer.hook(Id, _id)


def _id(value: Any, _: Any) -> str:
    wanted = "a UUID, such as 0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
    if type(value) is not str:
        raise Mismatch(describe_json(value), f"a string, {wanted}")
    try:
        return parse_id(value)
    except BadId:
        raise Mismatch(describe_json(value), wanted) from None
