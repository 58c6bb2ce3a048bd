"""Names of objects, and the requests for them."""

import pytest

from lsd.providers._cloud_storage import CloudStorage, StoredObject, uri_below

AUTHORIZED = {"Authorization": "Bearer ya29.secret"}


@pytest.mark.parametrize("uri", ["gs://b", "gs://b/", "gs:///o", "https://b/o", "b/o", ""])
def test_some_uris_are_those_of_no_object(uri: str) -> None:
    """A bucket alone, another scheme, none at all."""
    assert StoredObject.at(uri) is None


def test_an_object_has_a_bucket_and_a_name() -> None:
    """Whose slashes are like other characters."""
    stored = StoredObject.at("gs://b/in/2026/x.jsonl")

    assert stored == StoredObject("b", "in/2026/x.jsonl")
    assert stored.uri == "gs://b/in/2026/x.jsonl"


@pytest.mark.parametrize("prefix", ["gs://b/in", "gs://b/in/"])
def test_the_last_slash_of_a_folder_does_not_matter(prefix: str) -> None:
    """People write it or not."""
    assert uri_below(prefix, "x") == "gs://b/in/x"


@pytest.mark.parametrize(
    "base", ["https://storage.googleapis.com/", "https://storage.googleapis.com"]
)
def test_objects_are_written_and_read(base: str) -> None:
    """With what shows who asks; names are quoted as a whole."""
    storage, stored = CloudStorage(base), StoredObject("b", "in/ä?.jsonl")
    write, read = storage.write(stored, b"{}\n", AUTHORIZED), storage.read(stored, AUTHORIZED)

    assert (write.method, write.body) == ("POST", b"{}\n")
    assert write.url == (
        "https://storage.googleapis.com/upload/storage/v1/b/b/o"
        "?uploadType=media&name=in%2F%C3%A4%3F.jsonl"
    )
    assert write.headers["Content-Type"] == "application/jsonl"
    assert (read.method, read.body) == ("GET", b"")
    assert read.url == (
        "https://storage.googleapis.com/storage/v1/b/b/o/in%2F%C3%A4%3F.jsonl?alt=media"
    )
    assert write.headers["Authorization"] == read.headers["Authorization"] == "Bearer ya29.secret"
