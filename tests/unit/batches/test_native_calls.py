"""Calls of a batch API, and how they fail."""

from collections.abc import Mapping
from functools import partial
from typing import Self

import attrs
import pytest
import trio

from lsd.batches import NativeCalls
from lsd.conversation import AttemptFailed
from tests.unit.batches.desk import Desk
from tests.unit.inference.fake_providers import Break, Hang, Script


@attrs.define(eq=False)
class Tokens:
    """A way to sign in that gives these tokens, one after the other, and then fails."""

    tokens: list[str]
    forgotten: list[str | None] = attrs.field(factory=list, init=False)
    refusal_statuses: frozenset[int] = frozenset({401})

    @property
    def cloud_wide(self) -> Self:
        return self

    async def credentials(self, _: Mapping[str, str], /) -> Mapping[str, str | None]:
        await trio.lowlevel.checkpoint()
        if not self.tokens:
            raise AttemptFailed(kind="auth", text="token endpoint x returned HTTP 404", status=404)
        return {"api_key": self.tokens.pop(0)}

    def forget(
        self, credentials: Mapping[str, str | None], _: Mapping[str, str], __: bytes, /
    ) -> bool:
        self.forgotten.append(credentials["api_key"])
        return True


async def ask(desk: Desk, sign_in: Tokens | None = None) -> str:
    """The state of a job."""
    model = desk.gateway.prepared.model("m")
    assert model is not None
    provider = attrs.evolve(model.providers[0], sign_in=sign_in)
    api = provider.batches
    assert api is not None
    calls = NativeCalls(desk.gateway.prepared)
    job = await calls.ask(provider, {}, partial(api.poll, "b"), api.job)
    return job.state


async def test_a_call_shows_the_key_of_its_provider(desk: Desk) -> None:
    """And gives what the answer tells."""
    desk.provider.will(Script(body=(b'{"id":"b","status":"completed"}',)))

    assert await ask(desk) == "ended"
    assert desk.provider.requests[0].headers["Authorization"] == "Bearer sk-operators-own"


async def test_a_token_that_is_refused_is_replaced_once(desk: Desk) -> None:
    """As in every other call of a provider where one signs in."""
    done = Script(body=(b'{"id":"b","status":"completed"}',))
    desk.provider.will(Script(status=401), done)
    tokens = Tokens(["first", "second"])

    assert await ask(desk, tokens) == "ended"

    shown = [request.headers["Authorization"] for request in desk.provider.requests]
    assert shown == ["Bearer first", "Bearer second"]
    assert tokens.forgotten == ["first"]


async def test_a_token_that_cannot_be_had_says_nothing_of_the_job(desk: Desk) -> None:
    """404 is the answer of whoever gives tokens; the job is still there."""
    with pytest.raises(AttemptFailed, match="token endpoint") as failed:
        await ask(desk, Tokens([]))

    assert failed.value.status is None
    assert desk.provider.requests == []


@pytest.mark.parametrize(
    "script", [Script(status=500), Script(before=(Break(),)), Script(before=(Hang(),))]
)
async def test_every_way_to_fail_is_one(
    desk: Desk, script: Script, autojump_clock: trio.abc.Clock
) -> None:
    """Errors, lost connections, silence."""
    desk.provider.will(script)

    with pytest.raises(AttemptFailed):
        await ask(desk)


async def test_a_job_that_cannot_be_given_up_is_told_in_the_log(desk: Desk) -> None:
    """There is nobody else to tell."""
    desk.provider.will(Script(status=500))
    model = desk.gateway.prepared.model("m")
    assert model is not None

    api = model.providers[0].batches
    assert api is not None

    await NativeCalls(desk.gateway.prepared).give_up(api, model.providers[0], "b", {})

    assert len(desk.provider.requests) == 1


async def test_a_failure_shows_no_credentials(desk: Desk) -> None:
    """Whatever the provider repeats of them: the text is stored, and shown to whoever asks."""
    refusal = b'{"error":{"message":"wrong key %s"}}'
    desk.provider.will(Script(status=403, body=(refusal % b"sk-operators-own",)))
    with pytest.raises(AttemptFailed, match=r"wrong key \*\*\*"):
        await ask(desk)

    desk.provider.will(Script(status=403, body=(refusal % b"ya29.fetched",)))
    with pytest.raises(AttemptFailed, match=r"wrong key \*\*\*"):
        await ask(desk, Tokens(["ya29.fetched", "ya29.fetched"]))
