"""Signing in to Google's cloud: which credential becomes which token, and how failures end."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs

import attrs
import pytest
import trio
from trio.testing import MockClock

from lsd.config import (
    CredentialMissing,
    DynamicLocation,
    EnvLocation,
    FallbackLocation,
    GcpVertexGeminiProvider,
    Location,
    SdkLocation,
    Secrets,
)
from lsd.conversation import AttemptFailed, encode_json
from lsd.inference.gcp_sign_in import METADATA_S_MAX, TRIES_MAX, GcpSignIn, GcpTokens
from tests.fakes.gcp_keys import authorized_user, pem, service_account
from tests.unit.inference.fake_providers import FakeProvider, Script, answers, drops, hangs
from tests.unit.inference.gateway import TrioClock

KEY = EnvLocation("KEY")


def token(value: str = "ya29.x", **headers: str) -> Script:
    """The answer of an endpoint that gives a token."""
    body = {"access_token": value, "expires_in": 3599, "token_type": "Bearer"}
    return answers(encode_json(body), headers=headers)


@attrs.define(eq=False)
class Cloud:
    """An endpoint for tokens, and what is signed in by it."""

    environment: dict[str, str]
    endpoint: FakeProvider = attrs.field(factory=FakeProvider)
    tokens: GcpTokens = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tokens = GcpTokens(
            transport=self.endpoint,
            clock=TrioClock(),
            random=Random(1),
            environment=self.environment,
        )

    def sign_in(self, location: Location, place: str = "us-central1") -> GcpSignIn:
        """How a provider at this place signs in with the credential at this location."""
        provider = GcpVertexGeminiProvider(project_id="p", location=place, model_id="m")
        return GcpSignIn(provider, location, Secrets(self.environment), self.tokens)

    @property
    def grants(self) -> list[str]:
        """The kinds of the questions so far."""
        forms = [parse_qs(request.body.decode()) for request in self.endpoint.requests]
        return [form["grant_type"][0].rpartition(":")[2] for form in forms]


@pytest.fixture
async def cloud(tmp_path: Path) -> Cloud:
    """A cloud whose environment holds a key, and whose home is an empty folder."""
    return Cloud({"KEY": service_account(), "HOME": str(tmp_path)})


async def failure_of(sign_in: GcpSignIn, dynamic: Mapping[str, str] | None = None) -> AttemptFailed:
    """Why there are no credentials."""
    with pytest.raises(AttemptFailed) as failed:
        await sign_in.credentials(dynamic or {})
    return failed.value


async def test_a_key_signs_its_own_tokens(cloud: Cloud) -> None:
    """One for each host, kept for the next calls, and nobody is asked."""
    here, there = cloud.sign_in(KEY), cloud.sign_in(KEY, "europe-west1")

    first, again = await here.credentials({}), await here.credentials({})
    other = await there.credentials({})

    assert first == again != other
    assert first["quota_project"] is None
    assert str(first["access_token"]).count(".") == 2
    assert cloud.endpoint.requests == []


async def test_a_token_for_the_whole_cloud_is_asked_for(cloud: Cloud) -> None:
    """What a key signs for itself opens Vertex AI, and not the storage."""
    cloud.endpoint.will(token("ya29.1"))
    here = cloud.sign_in(KEY)

    wide = await here.cloud_wide.credentials({})

    assert wide["access_token"] == "ya29.1"
    assert (await here.credentials({}))["access_token"] != "ya29.1"
    assert cloud.grants == ["jwt-bearer"]


async def test_a_refused_signature_is_exchanged_from_then_on(cloud: Cloud) -> None:
    """Some projects take no self-signed tokens: after the first refusal none is made any more."""
    cloud.endpoint.will(token("ya29.1"))
    here, there = cloud.sign_in(KEY), cloud.sign_in(KEY, "europe-west1")
    signed = await here.credentials({})

    assert here.forget(signed, {}, b"")

    assert (await here.credentials({}))["access_token"] == "ya29.1"
    assert (await there.credentials({}))["access_token"] == "ya29.1"
    assert cloud.grants == ["jwt-bearer"]


async def test_a_refused_exchange_is_made_again(cloud: Cloud) -> None:
    """A token may be revoked long before its end."""
    cloud.endpoint.will(token("ya29.1"), token("ya29.2"))
    here = cloud.sign_in(KEY)
    here.forget(await here.credentials({}), {}, b"")
    second = await here.credentials({})

    assert here.forget(second, {}, b"")
    assert (await here.credentials({}))["access_token"] == "ya29.2"
    assert here.forget(second, {}, b"")
    assert (await here.credentials({}))["access_token"] == "ya29.2"


async def test_only_a_401_is_about_the_token(cloud: Cloud) -> None:
    """A fresh token does not open what a good one does not."""
    here = cloud.sign_in(KEY)
    credentials = await here.credentials({})

    assert here.refusal_statuses == {401}
    assert here.forget(credentials, {}, b"")


async def test_the_login_of_a_user(cloud: Cloud, tmp_path: Path) -> None:
    """It is refreshed, and its project pays for the calls."""
    path = tmp_path / "adc.json"
    path.write_text(authorized_user(quota_project_id="payer"))
    cloud.environment["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
    cloud.endpoint.will(token())

    credentials = await cloud.sign_in(SdkLocation()).credentials({})

    assert credentials == {"access_token": "ya29.x", "quota_project": "payer"}
    assert cloud.grants == ["refresh_token"]


async def test_a_machine_in_the_cloud(cloud: Cloud) -> None:
    """Without any file the metadata server is asked."""
    cloud.endpoint.will(token(**{"metadata-flavor": "Google"}))

    credentials = await cloud.sign_in(SdkLocation()).credentials({})

    assert credentials["access_token"] == "ya29.x"
    (asked,) = cloud.endpoint.requests
    assert asked.url.startswith("http://metadata.google.internal/")


async def test_a_false_metadata_server(cloud: Cloud) -> None:
    """Case 57: an answer without the mark is not believed, and not asked for again."""
    cloud.endpoint.will(token())

    failure = await failure_of(cloud.sign_in(SdkLocation()))

    assert failure.kind == "config"
    assert len(cloud.endpoint.requests) == 1


async def test_a_token_of_the_request(cloud: Cloud) -> None:
    """It is used as it is, never kept, and never replaced."""
    here = cloud.sign_in(DynamicLocation("t"))

    first = await here.credentials({"t": "ya29.mine"})
    second = await here.credentials({"t": "ya29.yours"})

    assert (first, second) == ({"access_token": "ya29.mine"}, {"access_token": "ya29.yours"})
    assert not here.forget(first, {}, b"")
    with pytest.raises(CredentialMissing):
        await here.credentials({})


async def test_a_request_cannot_bring_a_key(cloud: Cloud) -> None:
    """Case 56: callers are not to hand their private keys around."""
    here = cloud.sign_in(DynamicLocation("t"))

    failure = await failure_of(here, {"t": ' {"private_key": "secret"}'})

    assert failure.kind == "config"
    assert failure.text == "gcp: dynamic::t: expects an access token, not key JSON"


async def test_a_pair_of_locations(cloud: Cloud) -> None:
    """What the request brings counts; without it the operator's key signs."""
    here = cloud.sign_in(FallbackLocation(default=DynamicLocation("t"), fallback=KEY))

    mine, operators = await here.credentials({"t": "ya29.mine"}), await here.credentials({})

    assert mine == {"access_token": "ya29.mine"}
    assert "quota_project" in operators


async def test_a_key_that_cannot_be_used(cloud: Cloud) -> None:
    """The location and the field are told, and nothing of the key."""
    cloud.environment["KEY"] = service_account(private_key=pem("ec_pkcs8"))

    failure = await failure_of(cloud.sign_in(KEY))

    assert failure.kind == "config"
    assert failure.text == (
        "gcp: env::KEY: private_key: found a key of another kind; wanted an RSA key"
    )


@pytest.mark.parametrize(
    ("ill", "kind"),
    [
        (answers(b"", status=503), "server"),
        (answers(b"", status=429), "rate_limited"),
        (drops(), "transport"),
        (hangs(), "timeout"),
        (answers(b"x" * 100_000), "transport"),
    ],
    ids=["503", "429", "dropped", "hanging", "endless"],
)
async def test_an_endpoint_that_is_ill_is_asked_again(
    cloud: Cloud, ill: Script, kind: str, autojump_clock: MockClock
) -> None:
    """Three times in all; then the attempt fails, and may be repeated later."""
    cloud.endpoint.will(ill)
    here = cloud.sign_in(SdkLocation())

    failure = await failure_of(here)

    assert (failure.kind, failure.transient) == (kind, True)
    assert len(cloud.endpoint.requests) == TRIES_MAX
    assert cloud.endpoint.open_responses == 0
    cloud.endpoint.will(ill, token(**{"metadata-flavor": "Google"}))
    assert (await here.credentials({}))["access_token"] == "ya29.x"


async def test_the_metadata_server_answers_soon_or_never(
    cloud: Cloud, autojump_clock: MockClock
) -> None:
    """Outside of the cloud there is none, and nobody should wait for it for long."""
    cloud.endpoint.will(hangs())
    started_at = trio.current_time()

    failure = await failure_of(cloud.sign_in(SdkLocation()))

    assert f"no answer within {METADATA_S_MAX} s" in failure.text
    assert trio.current_time() - started_at < TRIES_MAX * (METADATA_S_MAX + 1)


async def test_a_refused_credential_is_read_again(cloud: Cloud, tmp_path: Path) -> None:
    """Whoever logs in again need not start LSD again."""
    path = tmp_path / "adc.json"
    path.write_text(authorized_user(refresh_token="old"))
    cloud.environment["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
    refusal: Any = {"error": "invalid_grant", "error_description": "revoked"}
    cloud.endpoint.will(answers(encode_json(refusal), status=400), token())
    here = cloud.sign_in(SdkLocation())

    failure = await failure_of(here)
    path.write_text(authorized_user(refresh_token="new"))
    await here.credentials({})

    assert (failure.kind, failure.transient) == ("auth", False)
    forms = [parse_qs(request.body.decode()) for request in cloud.endpoint.requests]
    assert [form["refresh_token"] for form in forms] == [["old"], ["new"]]
