"""Which routes want a key, and where it is looked for."""

from pathlib import Path

import pytest

from lsd.access import Authenticator, NotAuthenticated, new_api_key
from lsd.api import Answer, Authentication, Endpoint, Request
from lsd.api.exchange import Start
from lsd.store import ApiKey, Store
from tests.unit.api.endpoints import endpoint, front_of
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import HandClock, open_store

OPEN = [
    *((method, path) for method in ("GET", "HEAD") for path in ("/status", "/health")),
    *(("HEAD", path) for path in ("/", "/openai", "/openai/v1", "/anthropic", "/anthropic/v1")),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return open_store(tmp_path / "lsd-data")


@pytest.fixture
def key(store: Store) -> str:
    """A key that is good."""
    made = new_api_key()
    kept = ApiKey(public_id=made.public_id, secret_hash=made.secret_hash, created_ms=0)
    store.api_keys.add(kept)
    return made.text


@pytest.fixture
def wanting(store: Store) -> Authentication:
    """Wants a key."""
    return Authentication(authenticator=Authenticator(store.api_keys, HandClock(), 1.0))


async def seen_key(request: Request, _start: Start) -> Answer:
    """Answers with the public id that the endpoint is told."""
    return Answer(body=(request.api_key_public_id or "nobody").encode(), media_type="text/plain")


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_some_routes_are_open(wanting: Authentication, method: str, path: str) -> None:
    """Case 39: for probes, which have no key."""
    assert wanting.public_id(method, path, {}) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/status"),
        ("GET", "/"),
        ("GET", "/openai/v1/models"),
        ("POST", "/inference"),
        ("GET", "/metrics"),
        ("GET", "/nothing/there"),
        ("GET", None),
    ],
)
def test_all_others_want_a_key(wanting: Authentication, method: str, path: str | None) -> None:
    """Case 39: unknown ones, too."""
    with pytest.raises(NotAuthenticated):
        wanting.public_id(method, path, {})


def test_metrics_may_be_public(store: Store) -> None:
    """Case 39: for scrapers without a key."""
    public = Authentication(
        authenticator=Authenticator(store.api_keys, HandClock(), None), metrics_are_public=True
    )

    assert public.public_id("GET", "/metrics", {}) is None
    assert public.public_id("HEAD", "/metrics", {}) is None


@pytest.mark.parametrize("path", ["/openai/v1/chat/completions", "/anthropic/v1/messages"])
def test_the_compatible_routes_look_into_x_api_key_as_well(
    wanting: Authentication, key: str, path: str
) -> None:
    """The native ones do not."""
    assert wanting.public_id("POST", path, {"x-api-key": key}) == key[7:19]
    with pytest.raises(NotAuthenticated):
        wanting.public_id("POST", "/inference", {"x-api-key": key})


def test_without_auth_no_header_is_looked_at() -> None:
    """Case 41: garbage is as good as nothing."""
    off = Authentication(authenticator=None)

    assert off.public_id("POST", "/inference", {"authorization": "garbage"}) is None


@pytest.mark.parametrize("is_hot", [True, False])
async def test_an_endpoint_is_told_whose_key_it_is(
    wanting: Authentication, key: str, is_hot: bool
) -> None:
    """Served directly or by the framework."""
    app = front_of(endpoint(seen_key, is_hot=is_hot), authentication=wanting)

    asked = await ask(app, "POST", "/work", headers={"authorization": f"Bearer {key}"})

    assert (asked.status, asked.body.decode()) == (200, key[7:19])


async def test_without_a_key_the_body_is_not_read(wanting: Authentication) -> None:
    """Case 38: 401, and the reason."""
    app = front_of(endpoint(seen_key, is_hot=True), authentication=wanting)

    asked = await ask(app, "POST", "/work", b"a body")

    assert (asked.status, asked.received) == (401, 0)
    assert asked.headers["www-authenticate"] == "Bearer"
    assert asked.error().startswith("LSD authentication error: the header Authorization is missing")


async def test_the_key_comes_before_the_route(wanting: Authentication, key: str) -> None:
    """Case 39: unknown routes are 401 without it, 404 with it; bare ones beside a base path too."""
    nothing: tuple[Endpoint, ...] = ()
    app = front_of(*nothing, authentication=wanting, base_path="/llm")
    shown = {"authorization": f"Bearer {key}"}

    statuses = [
        (await ask(app, "GET", path, headers=headers)).status
        for path in ("/llm/nothing", "/status", "//")
        for headers in ({}, shown)
    ]

    assert statuses == [401, 404] * 3


async def test_options_wants_no_key(wanting: Authentication) -> None:
    """Browsers send it without one."""
    app = front_of(authentication=wanting)

    assert (await ask(app, "OPTIONS", "/work")).status == 204
