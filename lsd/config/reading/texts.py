"""Where the contents of files come from: the disk, a snapshot, or nowhere yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs


@attrs.frozen
class Texts:
    """Finds the text that belongs to a file-valued key.

    `path_of` gives the path as it is written, None for a value that does not have the form of
    such a key. `text_of` gets the folder where relative paths start, and the value; it raises
    OSError and ValueError. Where texts are inline, they stand in the document itself, in the place
    of a path or of a table with `path`.
    """

    is_inline: bool
    path_of: Callable[[Any], str | None]
    text_of: Callable[[Path, Any], str]


def read_text(path: Path) -> str:
    """The UTF-8 text of a file, line ends as they are. Raises OSError and ValueError."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text at byte {error.start}") from None


def _written_path(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _kept_path(value: Any) -> str | None:
    is_whole = isinstance(value, dict) and {"path", "text"} <= value.keys()
    return str(value["path"]) if is_whole else None


def _inline_path(value: Any) -> str | None:
    return "inline" if isinstance(value, str) else None


NO_TEXTS: Final = Texts(is_inline=False, path_of=_written_path, text_of=lambda _folder, _value: "")
"""Before the shape is known to be right, no file is touched."""

DISK_TEXTS: Final = Texts(
    is_inline=False,
    path_of=_written_path,
    text_of=lambda folder, value: read_text(folder / value),
)
"""Files, relative to the folder of the file that holds the key."""

SNAPSHOT_TEXTS: Final = Texts(
    is_inline=True, path_of=_kept_path, text_of=lambda _folder, value: str(value["text"])
)
"""Tables of a path and its text."""

INLINE_TEXTS: Final = Texts(
    is_inline=True, path_of=_inline_path, text_of=lambda _folder, value: str(value)
)
"""Texts in the place of paths, as variants have them that come with a request."""
