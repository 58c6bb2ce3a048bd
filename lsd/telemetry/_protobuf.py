"""Fields as protobuf writes them: a tag, which tells number and type, and what follows it.

Source: Protocol Buffers' documentation, "Encoding".
"""

from typing import Final

VARINT, EIGHT_BYTES, BYTES = 0, 1, 2
"""Types of what follows a tag."""

_ONE_BYTE_MAX: Final = 0x7F
_SHORT: Final = [bytes((number,)) for number in range(_ONE_BYTE_MAX + 1)]


def tag(field: int, wire_type: int) -> bytes:
    """What stands before a field of this number."""
    return varint(field << 3 | wire_type)


def varint(number: int) -> bytes:
    """A number that is not negative, in as many bytes as it needs."""
    if number <= _ONE_BYTE_MAX:
        return _SHORT[number]
    digits = bytearray()
    while number > _ONE_BYTE_MAX:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def message(field: bytes, body: bytes) -> bytes:
    """Bytes behind the tag `field`."""
    return field + varint(len(body)) + body


def text(field: bytes, value: str) -> bytes:
    """A text behind the tag `field`; what no encoding has becomes a question mark."""
    return message(field, value.encode("utf-8", "replace"))
