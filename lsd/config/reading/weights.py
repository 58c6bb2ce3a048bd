"""The candidates of a static experiment: a list of names, or a table of weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lsd.config.annotations import words_for
from lsd.config.key_path import KeyPath
from lsd.config.reading.values import NotThis, as_number, as_text, shown

if TYPE_CHECKING:
    from lsd.config.reading.reader import Reader


def read_weights(
    reader: "Reader", annotation: Any, value: Any, path: KeyPath
) -> Mapping[str, float]:
    """Weights by name; a listed name has weight 1."""
    weights: dict[str, float] = {}
    if isinstance(value, Mapping):
        for name, each in value.items():
            try:
                weights[name] = as_number(each)
            except NotThis as error:
                reader.mismatch((*path, name), str(error), "a number")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            try:
                name = as_text(each)
            except NotThis as error:
                reader.mismatch((*path, at), str(error), "a string")
                continue
            if name in weights:
                reader.later.refuse((*path, at), f"{shown(name)} is listed twice")
            weights[name] = 1.0
    else:
        reader.mismatch(path, shown(value), words_for(annotation))
    return weights
