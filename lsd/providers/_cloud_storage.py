"""Objects in Google's Cloud Storage: their names, and the requests that write and read them.

Source: Cloud Storage JSON API v1, "Objects: insert" and "Objects: get", autumn 2026.
"""

from collections.abc import Mapping
from urllib.parse import quote

import attrs

from lsd.conversation import WireRequest
from lsd.providers._sealing import USER_AGENT

_SCHEME = "gs://"


@attrs.frozen
class StoredObject:
    """One object: the name of its bucket, and its own."""

    bucket: str
    name: str

    @classmethod
    def at(cls, uri: str) -> "StoredObject | None":
        """The object with this URI; None if it is that of no object."""
        bucket, _, name = uri.removeprefix(_SCHEME).partition("/")
        return cls(bucket, name) if uri.startswith(_SCHEME) and bucket and name else None

    @property
    def uri(self) -> str:
        """What others call it."""
        return f"{_SCHEME}{self.bucket}/{self.name}"


def uri_below(prefix: str, name: str) -> str:
    """The URI of `name` in a folder, whether the folder's has a last slash or not."""
    return f"{prefix.removesuffix('/')}/{name}"


@attrs.frozen
class CloudStorage:
    """The API at `base`."""

    base: str

    def write(
        self, target: StoredObject, content: bytes, headers: Mapping[str, str]
    ) -> WireRequest:
        """Stores an object, in place of what was there before."""
        bucket, name = _segment(target.bucket), _segment(target.name)
        return WireRequest(
            method="POST",
            url=f"{self._root}upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}",
            headers={"Content-Type": "application/jsonl", "User-Agent": USER_AGENT, **headers},
            body=content,
        )

    def read(self, source: StoredObject, headers: Mapping[str, str]) -> WireRequest:
        """Fetches the bytes of an object."""
        bucket, name = _segment(source.bucket), _segment(source.name)
        return WireRequest(
            method="GET",
            url=f"{self._root}storage/v1/b/{bucket}/o/{name}?alt=media",
            headers={"User-Agent": USER_AGENT, **headers},
        )

    @property
    def _root(self) -> str:
        return self.base if self.base.endswith("/") else f"{self.base}/"


def _segment(name: str) -> str:
    """A name in a URL: its slashes are no borders there."""
    return quote(name, safe="")
