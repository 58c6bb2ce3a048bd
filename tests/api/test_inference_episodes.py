"""Episodes, tags and namespaces: what a request may say of them, and what is kept."""

import time
import uuid
from typing import Any

import pytest

from tests.api.asking import SAYING_HI, refusal
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

CONFIG = """
    [functions.greet]
    type = "chat"
    [functions.greet.variants]
    a.model = "echo::a"
    b.model = "echo::b"
    c.model = "echo::c"
    d.model = "echo::d"

    [functions.tenants]
    type = "chat"
    [functions.tenants.variants]
    common.model = "echo::common"
    special.model = "echo::special"
    [functions.tenants.experimentation]
    type = "static"
    candidate_variants = ["common"]
    [functions.tenants.experimentation.namespaces.acme]
    type = "static"
    candidate_variants = ["special"]

    [models.owned]
    namespace = "acme"
    routing = ["echo"]
    [models.owned.providers.echo]
    type = "echo"
"""

GREET = {"function_name": "greet", **SAYING_HI}
TENANTS = {"function_name": "tenants", **SAYING_HI}
YEAR_2000_MS = 946_684_800_000


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """A gateway that answers by itself."""
    return start_shared(CONFIG)


def version_7(at_ms: int) -> str:
    """A UUIDv7 of that time, as a client would make it."""
    return str(uuid.UUID(int=at_ms << 80 | 7 << 76 | 0xABC << 64 | 2 << 62 | 12345))


def now_ms() -> int:
    """The present, as ids count it."""
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("episode_id", "reason"),
    [
        (lambda: str(uuid.uuid4()), "no UUID of version 7"),
        (lambda: "yesterday", "UUID"),
        (lambda: "", "UUID"),
        (lambda: version_7(now_ms() + 10_000), "in the future"),
        (lambda: version_7(YEAR_2000_MS), "too early"),
        (lambda: version_7(1_579_751_959_999), "too early"),
        (lambda: version_7(now_ms()).replace("-", "_"), "UUID"),
    ],
    ids=[
        "case 9: version 4",
        "case 9: garbage",
        "empty",
        "case 9: ten seconds ahead",
        "case 9: the year 2000",
        "a moment too early",
        "underscores",
    ],
)
def test_an_episode_id_that_is_none_is_refused(
    gateway: Gateway, episode_id: Any, reason: str
) -> None:
    """The answer names the id and what is wrong with it."""
    given = episode_id()

    told = refusal(gateway, 400, {**GREET, "episode_id": given})

    assert told.startswith("episode_id: ")
    assert given in told
    assert reason in told


@pytest.mark.parametrize("at_ms", [now_ms(), 1_579_751_960_000], ids=["case 9: now", "earliest"])
def test_an_episode_may_be_begun_by_its_caller(gateway: Gateway, at_ms: int) -> None:
    """A well-formed id is taken, known or not, and comes back."""
    given = version_7(at_ms)

    answer = gateway.infer(**GREET, episode_id=given)

    assert answer["episode_id"] == given
    assert answer["inference_id"] != given


@pytest.mark.parametrize(
    "form",
    [
        str.upper,
        lambda given: "chatcmpl-" + given.replace("-", ""),
        lambda given: "msg_" + given.replace("-", ""),
    ],
    ids=["capitals", "chatcmpl-", "msg_"],
)
def test_an_episode_id_has_several_forms(gateway: Gateway, form: Any) -> None:
    """What compatible endpoints hand out stands for the same id; shown is the plain one."""
    plain = version_7(now_ms())

    assert gateway.infer(**GREET, episode_id=form(plain))["episode_id"] == plain


def test_an_episode_is_begun_where_none_is_named(gateway: Gateway) -> None:
    """Each such call has an episode of its own, with an id of version 7."""
    answers = [gateway.infer(**GREET) for _ in range(2)]

    ids = [uuid.UUID(answer[name]) for answer in answers for name in ("episode_id", "inference_id")]
    assert [each.version for each in ids] == [7] * 4
    assert len(set(ids)) == 4


def test_case_10_an_episode_keeps_its_variant(gateway: Gateway) -> None:
    """Calls of one function in one episode draw the same variant; episodes differ."""
    firsts = [gateway.infer(**GREET) for _ in range(24)]

    seconds = [gateway.infer(**GREET, episode_id=first["episode_id"]) for first in firsts]

    drawn = [first["variant_name"] for first in firsts]
    assert [second["variant_name"] for second in seconds] == drawn
    assert len(set(drawn)) > 1


def test_an_episode_spans_functions_and_models(gateway: Gateway) -> None:
    """Whatever is called in it."""
    episode_id = gateway.infer(**GREET)["episode_id"]

    others = [
        gateway.infer(**TENANTS, episode_id=episode_id),
        gateway.infer(model_name="echo::x", **SAYING_HI, episode_id=episode_id),
    ]

    assert {each["episode_id"] for each in others} == {episode_id}


def test_case_11_reserved_tags_are_for_internal_calls(gateway: Gateway) -> None:
    """From anybody else they are refused, by name; an internal call is marked as one."""
    tags = {"lsd::x": "1", "team": "ops"}

    told = refusal(gateway, 400, {**GREET, "tags": tags})
    answer = gateway.infer(**GREET, tags=tags, internal=True)

    assert told.startswith("tags: found the key 'lsd::x'; ")
    stored = gateway.stored(answer["inference_id"])
    assert stored is not None
    assert stored["tags"] == {**tags, "lsd::internal": "true"}


def test_case_12_a_pinned_variant_is_tagged(gateway: Gateway) -> None:
    """A drawn one is not."""
    pinned = gateway.infer(**GREET, variant_name="c")
    drawn = gateway.infer(**GREET)

    records = [gateway.stored(answer["inference_id"]) for answer in (pinned, drawn)]
    assert [record and record["tags"] for record in records] == [{"lsd::variant_pinned": "c"}, {}]
    assert pinned["variant_name"] == "c"


def test_case_12_an_unknown_namespace_draws_as_none_does(gateway: Gateway) -> None:
    """It is kept as a tag all the same; a known one has a draw of its own."""
    answers = [
        gateway.infer(**TENANTS),
        gateway.infer(**TENANTS, namespace="nobody"),
        gateway.infer(**TENANTS, namespace="acme"),
    ]

    assert [each["variant_name"] for each in answers] == ["common", "common", "special"]
    records = [gateway.stored(answer["inference_id"]) for answer in answers]
    assert [record and record["tags"] for record in records] == [
        {},
        {"lsd::namespace": "nobody"},
        {"lsd::namespace": "acme"},
    ]


@pytest.mark.parametrize("namespace", ["", "lsd::mine"], ids=["case 12: empty", "reserved"])
def test_a_namespace_has_a_name_of_its_own(gateway: Gateway, namespace: str) -> None:
    """Empty and reserved ones are refused."""
    told = refusal(gateway, 400, {**GREET, "namespace": namespace})

    assert told.startswith("namespace: found ")


@pytest.mark.parametrize("namespace", [None, "other"], ids=["none", "another"])
def test_a_model_of_a_namespace_is_for_it_alone(gateway: Gateway, namespace: str | None) -> None:
    """The answer names the model and both namespaces."""
    body = {"model_name": "owned", **SAYING_HI}

    told = refusal(gateway, 400, {**body, "namespace": namespace})
    answer = gateway.infer(**body, namespace="acme")

    shown = "none" if namespace is None else repr(namespace)
    assert told == (
        f"model_name: 'owned' belongs to the namespace 'acme'; the request's namespace is {shown}"
    )
    assert answer["variant_name"] == "owned"
