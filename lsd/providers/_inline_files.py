"""Files whose bytes go into the request itself."""

from typing import Any

import attrs

from lsd.conversation import Base64File, File, StoredFile, UrlFile
from lsd.providers._encoding import EncodingFor


@attrs.frozen
class InlineFile:
    """The bytes in base64, and what they are, with the parameters of the type."""

    mime_type: str
    data: str

    @property
    def bare_type(self) -> str:
        """The type without its parameters, in lower case."""
        return bare_mime_type(self.mime_type)


def inline_file(file: File, encoding: EncodingFor[Any]) -> InlineFile:
    """What is sent of a file. Raises AttemptFailed (config) for one whose bytes are not here."""
    match file:
        case UrlFile():
            kind = file.mime_type or "of unknown type"
            raise encoding.refusal(f"the file at {file.url} is {kind}; it is not sent as a URL")
        case StoredFile(data=None):
            raise encoding.refusal("the bytes of a stored file are not at hand")
        case Base64File(data=data) | StoredFile(data=str(data)):
            return InlineFile(file.mime_type, data)
        case _:
            raise AssertionError(f"no file of this kind exists: {type(file).__name__}")


def bare_mime_type(mime_type: str) -> str:
    """The type without its parameters, in lower case."""
    return mime_type.partition(";")[0].strip().lower()
