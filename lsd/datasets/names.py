"""Names of datasets: nearly everything."""

from typing import Final

from lsd.conversation import describe_json
from lsd.inference import BadRequest

NAME_BYTES_MAX: Final = 255
"""As much as file names may have: whoever exports a dataset wants to call a file by its name."""

_RESERVED_PREFIX: Final = "lsd::"
_RESERVED: Final = "builder"
"""Programs that were written for other gateways keep what is not yet a dataset under this name."""


def check_dataset_name(name: str) -> None:
    """Raises BadRequest with the rule that the name breaks."""
    if name == _RESERVED:
        raise _refused(name, "another one: this one is reserved")
    if name.startswith(_RESERVED_PREFIX):
        raise _refused(name, f"one that does not begin with {_RESERVED_PREFIX}, which is reserved")
    if any(character < " " or character == "\x7f" for character in name):
        raise _refused(name, "one without control characters")
    length = len(name.encode())
    if length > NAME_BYTES_MAX:
        raise _refused(name, f"at most {NAME_BYTES_MAX} bytes of UTF-8, not {length}")


def _refused(name: str, wanted: str) -> BadRequest:
    return BadRequest("dataset_name", f"found {describe_json(name)}; wanted {wanted}")
