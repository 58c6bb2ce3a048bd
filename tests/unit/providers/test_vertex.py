"""Where models of Vertex AI are, and whom tokens for them are made out to."""

from typing import Any

import pytest

from lsd.config import GcpVertexAnthropicProvider
from lsd.conversation import AttemptFailed
from lsd.providers.vertex import place_url, resource_url, vertex_audience, vertex_url


def provider(**keys: Any) -> GcpVertexAnthropicProvider:
    """A provider; by default of one model in us-central1."""
    given = {"location": "us-central1", "project_id": "proj", **keys}
    if "endpoint_id" not in keys:
        given.setdefault("model_id", "m-1")
    return GcpVertexAnthropicProvider(**given)


PATH = "projects/proj/locations/us-central1/"
HERE = f"https://us-central1-aiplatform.googleapis.com/v1/{PATH}"
GLOBAL = "https://aiplatform.googleapis.com/v1/projects/proj/locations/global/"


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        ({}, HERE + "publishers/anthropic/models/m-1:rawPredict"),
        ({"endpoint_id": "123"}, HERE + "endpoints/123:rawPredict"),
        ({"model_id": "m@2025"}, HERE + "publishers/anthropic/models/m@2025:rawPredict"),
        ({"model_id": "a b/?#"}, HERE + "publishers/anthropic/models/a%20b%2F%3F%23:rawPredict"),
        ({"location": "global"}, GLOBAL + "publishers/anthropic/models/m-1:rawPredict"),
        (
            {"api_base": "http://h:1/v1"},
            f"http://h:1/v1/{PATH}publishers/anthropic/models/m-1:rawPredict",
        ),
        (
            {"api_base": "http://h:1/v1/", "endpoint_id": "e"},
            f"http://h:1/v1/{PATH}endpoints/e:rawPredict",
        ),
    ],
)
def test_the_url_of_a_model(keys: dict[str, Any], url: str) -> None:
    """Case 25: the location makes the host, unless a base was given; `global` has no prefix."""
    assert vertex_url(provider(**keys), "anthropic", "rawPredict") == url


def test_the_urls_of_other_things() -> None:
    """What belongs to a project, and what Vertex AI has given a name of its own."""
    name = "projects/123/locations/us-central1/batchPredictionJobs/7"

    assert place_url(provider()) == HERE.removesuffix("/")
    assert resource_url(provider(), name) == HERE.replace(PATH, name)
    assert resource_url(provider(api_base="http://h:1/v1"), "a/b c") == "http://h:1/v1/a/b%20c"


def test_the_audience_is_the_host_of_the_location() -> None:
    """A base of one's own does not change for whom the token is good."""
    here = provider(api_base="http://127.0.0.1:1/")

    assert vertex_audience(here) == "https://us-central1-aiplatform.googleapis.com/"
    assert vertex_audience(provider(location="global")) == "https://aiplatform.googleapis.com/"


@pytest.mark.parametrize("location", ["evil.example/#", "a@evil", "", "a/../b"])
def test_a_location_is_never_a_host(location: str) -> None:
    """Tokens would go to a stranger."""
    for call in (
        lambda: vertex_audience(provider(location=location)),
        lambda: vertex_url(provider(location=location, api_base="http://h/"), "x", "y"),
    ):
        with pytest.raises(AttemptFailed) as failed:
            call()
        assert failed.value.kind == "config"
