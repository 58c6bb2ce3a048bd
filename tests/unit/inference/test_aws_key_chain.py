"""Keys are looked for where AWS's own tools look, kept, and renewed in time."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.conversation import AttemptFailed, encode_json
from lsd.inference.aws_key_chain import AwsKeyChain
from tests.unit.inference.fake_providers import (
    FakeProvider,
    Pause,
    Script,
    Until,
    answers,
    drops,
)
from tests.unit.inference.gateway import TrioClock

STATIC = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "env-secret"}
PROFILE = "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = file-secret\n"


@attrs.define(eq=False)
class Machine:
    """A machine with an environment, a home, and one endpoint that answers everything."""

    home: Path
    environment: dict[str, str]
    clock: TrioClock = attrs.field(factory=TrioClock)
    endpoint: FakeProvider = attrs.field(factory=FakeProvider)
    chain: AwsKeyChain = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.chain = AwsKeyChain(
            transport=self.endpoint, clock=self.clock, environment=self.environment
        )

    def write(self, name: str, text: str) -> str:
        """A file of the home; its path."""
        path = self.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def keys(self, number: int, lifetime_s: float = 3600) -> dict[str, Any]:
        """Keys that are good for so long from now."""
        ends_at = datetime.fromtimestamp(self.clock.now_ms() / 1000 + lifetime_s, UTC)
        return {
            "AccessKeyId": f"ASIA{number}",
            "SecretAccessKey": f"secret-{number}",
            "Token": f"token-{number}",
            "Expiration": ends_at.isoformat(),
        }

    async def found(self) -> str:
        """The id of the keys that are found."""
        return (await self.chain.keys()).access_key_id

    async def failure(self) -> AttemptFailed:
        """Why none are."""
        with pytest.raises(AttemptFailed) as failed:
            await self.chain.keys()
        return failed.value

    @property
    def asked(self) -> list[str]:
        """The URLs that were asked."""
        return [request.url for request in self.endpoint.requests]


def gives(document: Any) -> Script:
    """An endpoint's answer."""
    return answers(encode_json(document))


@pytest.fixture
async def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing is set up."""
    return Machine(tmp_path, {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"})


async def test_the_environment_goes_first(machine: Machine) -> None:
    """With the token of a session, if there is one."""
    machine.write(".aws/credentials", PROFILE)
    machine.environment |= STATIC | {"AWS_SESSION_TOKEN": "session"}

    keys = await machine.chain.keys()

    assert (keys.access_key_id, keys.secret_access_key) == ("AKIAENV", "env-secret")
    assert keys.session_token == "session"
    assert machine.asked == []


async def test_half_a_pair_is_passed_over(machine: Machine) -> None:
    """As is one with an empty half."""
    machine.write(".aws/credentials", PROFILE)
    machine.environment |= STATIC | {"AWS_SECRET_ACCESS_KEY": ""}

    assert await machine.found() == "AKIAFILE"


def assumed(keys: dict[str, Any]) -> Script:
    """The answer of the token service."""
    names = {"Token": "SessionToken"}
    tags = "".join(f"<{names.get(n, n)}>{v}</{names.get(n, n)}>" for n, v in keys.items())
    return answers(f"<R><Credentials>{tags}</Credentials></R>".encode())


async def test_a_web_identity(machine: Machine, mock_clock: MockClock) -> None:
    """The token service changes its token for keys; the file is read again each time."""
    path = machine.write("token", "first\n")
    machine.environment |= {
        "AWS_WEB_IDENTITY_TOKEN_FILE": path,
        "AWS_ROLE_ARN": "arn:role",
        "AWS_REGION": "eu-west-1",
    }
    machine.endpoint.will(assumed(machine.keys(1)))

    keys = await machine.chain.keys()
    assert (keys.access_key_id, keys.session_token) == ("ASIA1", "token-1")
    machine.write("token", "second\n")
    mock_clock.jump(3301)
    machine.endpoint.will(assumed(machine.keys(2)))
    assert await machine.found() == "ASIA2"

    assert machine.asked == ["https://sts.eu-west-1.amazonaws.com/"] * 2
    forms = [parse_qs(request.body.decode()) for request in machine.endpoint.requests]
    assert [form["WebIdentityToken"] for form in forms] == [["first"], ["second"]]
    assert forms[0]["RoleSessionName"][0].startswith("lsd-")


async def test_a_web_identity_at_an_address_of_its_own(machine: Machine) -> None:
    """And under a name of its own."""
    machine.environment |= {
        "AWS_WEB_IDENTITY_TOKEN_FILE": machine.write("token", "t"),
        "AWS_ROLE_ARN": "arn:role",
        "AWS_ROLE_SESSION_NAME": "night",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1/s",
    }
    machine.endpoint.will(assumed(machine.keys(1)))

    await machine.found()

    assert machine.asked == ["http://127.0.0.1:1/s"]
    form = parse_qs(machine.endpoint.requests[0].body.decode())
    assert form["RoleSessionName"] == ["night"]


async def test_a_web_identity_without_its_file(machine: Machine) -> None:
    """What is set up and fails is not passed over for keys of another account."""
    machine.write(".aws/credentials", PROFILE)
    machine.environment |= {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "arn:role"}

    failure = await machine.failure()

    assert failure.kind == "config"
    assert "AWS_WEB_IDENTITY_TOKEN_FILE: file /nowhere: No such file" in failure.text


async def test_a_profile(machine: Machine) -> None:
    """Static keys are read once."""
    machine.write(".aws/credentials", PROFILE)

    assert await machine.found() == "AKIAFILE"
    machine.write(".aws/credentials", "")
    assert await machine.found() == "AKIAFILE"


async def test_a_refused_profile_is_read_again(machine: Machine) -> None:
    """Whoever writes new keys there need not start LSD again."""
    machine.write(".aws/credentials", PROFILE)
    first = await machine.found()

    machine.chain.forget(first)
    machine.write(".aws/credentials", PROFILE.replace("AKIAFILE", "AKIANEW"))

    assert await machine.found() == "AKIANEW"


PRINTED = {"Version": 1, "AccessKeyId": "ASIAP", "SecretAccessKey": "s", "SessionToken": "t"}


def process(machine: Machine, code: str) -> None:
    """Makes this code the process that gives keys."""
    script = machine.write("give_keys.py", code)
    machine.write(".aws/config", f"[default]\ncredential_process = {sys.executable} {script}\n")


async def test_a_process(machine: Machine) -> None:
    """What it prints are the keys."""
    process(machine, f"print('''{encode_json(PRINTED).decode()}''')")

    keys = await machine.chain.keys()

    assert (keys.access_key_id, keys.session_token) == ("ASIAP", "t")


async def test_a_process_that_fails(machine: Machine) -> None:
    """Its code is told; what it has printed is not."""
    process(machine, "print('very-secret'); raise SystemExit(3)")

    failure = await machine.failure()

    assert failure.text == "aws: profile 'default': credential_process ended with 3"
    assert not failure.transient


async def test_a_process_that_is_not_there(machine: Machine) -> None:
    """Nor one whose line cannot be read."""
    machine.write(".aws/config", "[default]\ncredential_process = /nowhere/x\n")
    assert "credential_process cannot be started" in (await machine.failure()).text

    machine.write(".aws/config", "[default]\ncredential_process = x 'y\n")
    assert "credential_process cannot be started" in (await machine.failure()).text


async def test_a_profile_by_way_of_somebody_else(machine: Machine) -> None:
    """It is refused, and nobody else is asked."""
    machine.write(".aws/config", "[default]\nsource_profile = other\nrole_arn = arn:x\n")

    assert "source_profile, role_arn" in (await machine.failure()).text


async def test_a_profile_without_keys_is_passed_over(machine: Machine) -> None:
    """Most have a region and nothing else."""
    machine.write(".aws/config", "[default]\nregion = eu-west-1\n")
    machine.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x"
    machine.endpoint.will(gives(machine.keys(1)))

    assert await machine.found() == "ASIA1"
    assert machine.asked == ["http://169.254.170.2/v2/x"]


async def test_a_container(machine: Machine) -> None:
    """The token that its agent wants may be in a file."""
    machine.environment |= {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/x",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "old",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": machine.write("token", "new\n"),
    }
    machine.endpoint.will(gives(machine.keys(1)))

    assert await machine.found() == "ASIA1"
    assert machine.endpoint.requests[0].headers == {"Authorization": "new"}


async def test_an_instance(machine: Machine, mock_clock: MockClock) -> None:
    """The last place of all."""
    del machine.environment["AWS_EC2_METADATA_DISABLED"]
    machine.endpoint.will(answers(b"t"), answers(b"role"), gives(machine.keys(1)))

    assert await machine.found() == "ASIA1"
    assert len(machine.asked) == 3


async def test_nothing_anywhere(machine: Machine) -> None:
    """What was looked at is told; waiting would not help."""
    failure = await machine.failure()

    assert (failure.kind, failure.transient) == ("config", False)
    assert failure.text.startswith("aws: found no keys in the environment, a profile or")
    assert "AWS_EC2_METADATA_DISABLED" in failure.text


@pytest.fixture
def container(machine: Machine) -> Machine:
    """A machine whose keys come from an agent, and end."""
    machine.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x"
    machine.endpoint.will(gives(machine.keys(1)))
    return machine


async def test_keys_are_renewed_five_minutes_before_their_end(
    container: Machine, mock_clock: MockClock
) -> None:
    """Until then nobody is asked again."""
    await container.found()
    mock_clock.jump(3299)
    assert await container.found() == "ASIA1"
    assert len(container.asked) == 1

    mock_clock.jump(2)
    container.endpoint.will(gives(container.keys(2)))

    assert await container.found() == "ASIA2"
    assert len(container.asked) == 2


async def test_keys_that_cannot_be_renewed_serve_to_their_end(
    container: Machine, mock_clock: MockClock
) -> None:
    """An agent that is ill for some minutes is not noticed."""
    await container.found()
    container.endpoint.will(drops())

    mock_clock.jump(3400)
    assert await container.found() == "ASIA1"
    mock_clock.jump(201)

    assert (await container.failure()).kind == "transport"


async def test_one_question_serves_all_who_wait(
    container: Machine, autojump_clock: MockClock
) -> None:
    """Case 54: fifty requests at once are one question."""
    answer = gives(container.keys(1))
    container.endpoint.will(attrs.evolve(answer, before=(Pause(1),)))
    found: list[str] = []

    async def ask() -> None:
        found.append(await container.found())

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)

    assert found == ["ASIA1"] * 50
    assert len(container.asked) == 1


async def test_who_leaves_takes_nothing_from_those_who_wait(container: Machine) -> None:
    """Case 54: if it was the one who had asked, another asks."""
    gate = trio.Event()
    container.endpoint.will(attrs.evolve(gives(container.keys(1)), before=(Until(gate),)))
    found: list[str] = []

    async def ask(scope: trio.CancelScope) -> None:
        with scope:
            found.append(await container.found())

    first, second = trio.CancelScope(), trio.CancelScope()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, first)
        while not container.asked:
            await wait_all_tasks_blocked()
        nursery.start_soon(ask, second)
        await wait_all_tasks_blocked()
        first.cancel()
        while len(container.asked) < 2:
            await wait_all_tasks_blocked()
        gate.set()

    assert found == ["ASIA1"]


async def test_the_region(machine: Machine) -> None:
    """As it is written down on the machine."""
    machine.write(".aws/config", "[default]\nregion = eu-3\n")

    assert await machine.chain.region() == "eu-3"
    assert machine.asked == []


async def test_the_region_of_an_instance(machine: Machine) -> None:
    """Asked for once."""
    del machine.environment["AWS_EC2_METADATA_DISABLED"]
    machine.endpoint.will(answers(b"t"), answers(b"eu-4"))

    assert await machine.chain.region() == "eu-4"
    assert await machine.chain.region() == "eu-4"
    assert len(machine.asked) == 2


async def test_no_region_anywhere(machine: Machine) -> None:
    """It says where one was looked for."""
    with pytest.raises(AttemptFailed) as failed:
        await machine.chain.region()

    assert failed.value.kind == "config"
    assert failed.value.text.startswith("failed to determine AWS region: AWS_REGION, ")


@pytest.mark.parametrize(("value", "token"), [("key", "key"), ("", None), (None, None)])
async def test_the_token_of_bedrock(machine: Machine, value: str | None, token: Any) -> None:
    """Case 43: an empty one is none."""
    if value is not None:
        machine.environment["AWS_BEARER_TOKEN_BEDROCK"] = value

    assert machine.chain.bearer_token == token
