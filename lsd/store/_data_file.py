"""A look at LMDB's data file before LMDB maps it.

LMDB trusts its file: with its end cut off, the first read beyond kills the process by a signal.
So the header is read here, by plain file reads. Source: `MDB_meta` and `MDB_page` in `mdb.c` of
LMDB 0.9 (data version 1) and 1.0 (data version 3), 64-bit, in the machine's byte order.
"""

import struct
from pathlib import Path

_MAGIC = 0xBEEFC0DE
_HEADER_BYTES = {1: 16, 3: 24}
"""Size of a page's header, by data version; the meta data follow it."""

_META = struct.Struct("=II16xI92xQQ")
"""Magic, version, (address, map size,) page size, (two tables,) last page, transaction."""

_PROBE_BYTES = 24 + _META.size


class NotADataFile(Exception):
    """The file does not begin like a data file of LMDB."""


def missing_bytes(path: Path) -> int:
    """How many bytes the file is shorter than its header says; 0 for a whole or empty file.

    Pages at the very end may be missing if they are free. Raises NotADataFile and OSError.
    """
    with path.open("rb") as file:
        first = file.read(_PROBE_BYTES)
        if not first:
            return 0  # created, and not written yet: LMDB starts it anew
        page_bytes, first_commit, first_last_page = _meta(first)
        file.seek(page_bytes)
        _, second_commit, second_last_page = _meta(file.read(_PROBE_BYTES))
        # Commits write the two headers in turn; the one of the later commit counts.
        last_page = second_last_page if second_commit > first_commit else first_last_page
        # Asked for after the header was read: a writer beside us only makes the file longer.
        size = path.stat().st_size
    return max(0, (last_page + 1) * page_bytes - size)


def _meta(page: bytes) -> tuple[int, int, int]:
    """Bytes of a page, number of the commit, last page in use."""
    for version, header_bytes in _HEADER_BYTES.items():
        if len(page) < header_bytes + _META.size:
            continue
        magic, found, page_bytes, last_page, commit = _META.unpack_from(page, header_bytes)
        if magic == _MAGIC and found == version and page_bytes:
            return page_bytes, commit, last_page
    raise NotADataFile
