"""Signing in to AWS: which credentials a provider's calls get, and when they are asked for anew."""

from typing import Any

import pytest

from lsd.config import (
    AwsBedrockProvider,
    AwsProvider,
    AwsSagemakerProvider,
    DynamicLocation,
    EnvLocation,
    LiteralLocation,
    NoneLocation,
    SdkLocation,
)
from lsd.inference.aws_key_chain import AwsKeyChain
from lsd.inference.aws_sign_in import AwsSignIn, written_locations
from tests.unit.inference.fake_providers import FakeProvider
from tests.unit.inference.gateway import TrioClock

REGION = LiteralLocation("eu-west-1")
CHAIN = {
    "AWS_ACCESS_KEY_ID": "AKIAENV",
    "AWS_SECRET_ACCESS_KEY": "env-secret",
    "AWS_REGION": "us-east-2",
}
EXPIRED = {"x-amzn-errortype": "ExpiredTokenException"}


def bedrock(**keys: Any) -> AwsBedrockProvider:
    """A provider in a region."""
    return AwsBedrockProvider(model_id="m", **{"region": REGION, **keys})


def sagemaker(**keys: Any) -> AwsSagemakerProvider:
    """An endpoint in a region."""
    settings = {"region": REGION, "hosted_provider": "openai", **keys}
    return AwsSagemakerProvider(endpoint_name="e", model_name="m", **settings)


def sign_in(provider: AwsProvider, **environment: str) -> AwsSignIn:
    """How it signs in on a machine with keys in its environment."""
    clock = TrioClock()
    chain = AwsKeyChain(transport=FakeProvider(), clock=clock, environment={**CHAIN, **environment})
    return AwsSignIn(provider, chain, clock)


KEYS = {
    "access_key_id": "AKIAENV",
    "secret_access_key": "env-secret",
    "session_token": None,
}


async def test_keys_are_good_for_the_whole_cloud() -> None:
    """Every service checks the same signatures."""
    signing = sign_in(bedrock())

    assert signing.cloud_wide is signing


async def test_the_keys_of_the_machine() -> None:
    """And the time, which a request is signed with."""
    for provider in (bedrock(), sagemaker()):
        given = dict(await sign_in(provider).credentials({}))

        assert given.pop("signed_at") == "20260202T024000Z"
        assert given == KEYS


async def test_keys_that_are_written_down() -> None:
    """Then only the time is added."""
    keys = {"access_key_id": EnvLocation("A"), "secret_access_key": EnvLocation("B")}

    assert set(await sign_in(bedrock(**keys)).credentials({})) == {"signed_at"}


async def test_keys_that_are_to_be_found() -> None:
    """`sdk` says so in words, and goes before the token of the environment."""
    keys = {"access_key_id": SdkLocation(), "secret_access_key": SdkLocation()}
    here = sign_in(bedrock(**keys), AWS_BEARER_TOKEN_BEDROCK="bearer")

    assert (await here.credentials({}))["access_key_id"] == "AKIAENV"


async def test_the_key_of_bedrock() -> None:
    """Nothing is signed, so nothing is given."""
    here = sign_in(bedrock(api_key=EnvLocation("K")), AWS_BEARER_TOKEN_BEDROCK="bearer")

    assert await here.credentials({}) == {}


async def test_the_token_of_the_environment() -> None:
    """It serves Bedrock alone; keys that are configured go before it."""
    token = {"AWS_BEARER_TOKEN_BEDROCK": "bearer"}
    keys = {"access_key_id": EnvLocation("A"), "secret_access_key": EnvLocation("B")}

    assert await sign_in(bedrock(), **token).credentials({}) == {"api_key": "bearer"}
    assert "api_key" not in await sign_in(bedrock(**keys), **token).credentials({})
    assert "api_key" not in await sign_in(sagemaker(), **token).credentials({})


async def test_an_empty_token_is_none() -> None:
    """Case 43: the chain counts."""
    here = sign_in(bedrock(), AWS_BEARER_TOKEN_BEDROCK="")

    assert (await here.credentials({}))["access_key_id"] == "AKIAENV"


@pytest.mark.parametrize("region", [SdkLocation(), None])
async def test_a_region_that_is_to_be_found(region: Any) -> None:
    """It comes with the keys, also with a key that signs nothing."""
    for provider in (bedrock(region=region), bedrock(region=region, api_key=EnvLocation("K"))):
        assert provider.finds_region
        assert (await sign_in(provider).credentials({}))["region"] == "us-east-2"
    assert not bedrock().finds_region
    assert "region" not in await sign_in(bedrock()).credentials({})


async def test_expired_keys_are_asked_for_anew() -> None:
    """Whether the name of the error is in a header or in the body."""
    here = sign_in(bedrock())
    given = await here.credentials({})

    assert here.refusal_statuses >= {400, 403}
    assert here.forget(given, EXPIRED, b"")
    assert here.forget(given, {}, b'{"__type":"com.amazon#ExpiredTokenException"}')
    assert await here.credentials({}) == given


async def test_other_refusals_are_for_good() -> None:
    """Fresh keys would be refused, too."""
    here = sign_in(bedrock())
    given = await here.credentials({})

    for name in ("AccessDeniedException", "UnrecognizedClientException", "ValidationException"):
        assert not here.forget(given, {"x-amzn-errortype": name}, b"{}")
    assert not here.forget(given, {}, b"<html>")


async def test_keys_of_a_request_are_all_that_there_is() -> None:
    """Nobody but the caller has others."""
    keys = {"access_key_id": DynamicLocation("a"), "secret_access_key": DynamicLocation("b")}
    here = sign_in(bedrock(**keys))

    assert not here.forget({"access_key_id": "x"}, EXPIRED, b"")
    assert not here.forget({"api_key": "x"}, EXPIRED, b"")


def test_what_is_written_down_is_looked_up() -> None:
    """What is to be found is not among it, nor what is none."""
    provider = bedrock(
        endpoint_url=DynamicLocation("where"),
        access_key_id=EnvLocation("A"),
        secret_access_key=EnvLocation("B"),
        session_token=SdkLocation(),
    )

    assert written_locations(provider) == {
        "region": REGION,
        "endpoint": DynamicLocation("where"),
        "access_key_id": EnvLocation("A"),
        "secret_access_key": EnvLocation("B"),
    }
    assert written_locations(bedrock(region=SdkLocation(), endpoint_url=NoneLocation())) == {}
    key = EnvLocation("K")
    assert written_locations(bedrock(api_key=key)) == {"region": REGION, "api_key": key}
    assert written_locations(sagemaker()) == {"region": REGION}
