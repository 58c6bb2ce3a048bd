"""The metadata service of an instance is asked in three steps, and keeps nobody waiting."""

import pytest
import trio
from trio.testing import MockClock

from lsd.conversation import AttemptFailed, encode_json
from lsd.inference.aws_metadata import ANSWER_S_MAX, InstanceMetadata
from tests.unit.inference.fake_providers import FakeProvider, Script, answers, drops, hangs

KEYS = {"Code": "Success", "AccessKeyId": "ASIAX", "SecretAccessKey": "s", "Token": "t"}
TOKEN = answers(b"metadata-token")


def metadata(*scripts: Script, **environment: str) -> tuple[InstanceMetadata, FakeProvider]:
    """A service that answers so, and what it was asked."""
    service = FakeProvider()
    service.will(*scripts)
    return InstanceMetadata(service, environment), service


async def failure_of(*scripts: Script, **environment: str) -> AttemptFailed:
    """Why there are no keys."""
    service, _ = metadata(*scripts, **environment)
    with pytest.raises(AttemptFailed) as failed:
        await service.keys(7)
    return failed.value


async def test_the_keys_of_the_role(mock_clock: MockClock) -> None:
    """The token is shown with each question; the first role is that of the instance."""
    asked, service = metadata(TOKEN, answers(b"my-role\nother"), answers(encode_json(KEYS)))

    keys = await asked.keys(7)

    assert (keys.access_key_id, keys.session_token, keys.issued_at_s) == ("ASIAX", "t", 7)
    first, *others = service.requests
    assert first.method == "PUT"
    assert others[-1].url.endswith("/security-credentials/my-role")
    assert all(each.headers == {"x-aws-ec2-metadata-token": "metadata-token"} for each in others)


async def test_the_region(mock_clock: MockClock) -> None:
    """At an address that the environment may change."""
    asked, service = metadata(
        TOKEN, answers(b"eu-west-1\n"), AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:1/"
    )

    assert await asked.region() == "eu-west-1"
    assert [each.url for each in service.requests] == [
        "http://127.0.0.1:1/latest/api/token",
        "http://127.0.0.1:1/latest/meta-data/placement/region",
    ]


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
async def test_it_may_be_forbidden(value: str) -> None:
    """Then nobody is asked."""
    asked, service = metadata(TOKEN, AWS_EC2_METADATA_DISABLED=value)

    with pytest.raises(AttemptFailed) as failed:
        await asked.keys(7)

    assert failed.value.kind == "config"
    assert "AWS_EC2_METADATA_DISABLED forbids to ask it" in failed.value.text
    assert service.requests == []


@pytest.mark.parametrize("ill", [drops(), hangs()], ids=["dropped", "hanging"])
async def test_a_machine_that_is_no_instance(ill: Script, autojump_clock: MockClock) -> None:
    """It hears so after a second, and is not asked again for this request."""
    started_at = trio.current_time()

    failure = await failure_of(ill)

    assert failure.kind == "config"
    assert trio.current_time() - started_at <= ANSWER_S_MAX


async def test_a_service_that_fails_later(autojump_clock: MockClock) -> None:
    """It was there a moment ago, so it may come back."""
    assert (await failure_of(TOKEN, hangs())).kind == "timeout"
    assert (await failure_of(TOKEN, answers(b"", status=503))).kind == "server"


@pytest.mark.parametrize("script", [answers(b"", status=404), answers(b" \n")])
async def test_an_instance_without_a_role(script: Script, mock_clock: MockClock) -> None:
    """It has no keys to give."""
    failure = await failure_of(TOKEN, script)

    assert failure.transient is False


async def test_an_instance_without_a_region(mock_clock: MockClock) -> None:
    """An empty answer is no region."""
    asked, _ = metadata(TOKEN, answers(b""))

    with pytest.raises(AttemptFailed) as failed:
        await asked.region()

    assert failed.value.text == "metadata service: it has no region"
