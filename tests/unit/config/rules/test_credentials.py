"""Whether credentials can be had."""

import pytest

from tests.fakes.gcp_keys import pem, service_account
from tests.unit.config.folder import Folder

OPENAI = "models.m = { routing = ['p'], providers.p = { type = 'openai', model_name = 'x'%s } }"
UNSET = OPENAI % ", api_key_location = 'env::UNSET'"
PAIR = OPENAI % ", api_key_location = { default = '%s', fallback = '%s' }"


def test_a_missing_credential_is_told_with_its_variable(folder: Folder) -> None:
    """And with the way to do without."""
    told = folder.problem(UNSET)  # case 20

    assert told == (
        "models.m.providers.p: credential missing: environment variable UNSET is not set; "
        'openai providers take api_key_location = "none" to send no key'
    )


def test_the_built_in_location_counts_where_none_is_given(folder: Folder) -> None:
    """An empty variable is as good as none."""
    folder.environment["OPENAI_API_KEY"] = ""
    assert "OPENAI_API_KEY is not set" in folder.problem(OPENAI % "")

    folder.environment["OPENAI_API_KEY"] = "sk-1"
    assert folder.load(OPENAI % "").warnings == ()


@pytest.mark.parametrize(
    ("default", "fallback", "starts"),
    [
        ("dynamic::k", "env::UNSET", True),
        ("env::UNSET", "dynamic::k", True),
        ("env::UNSET", "none", True),
        ("env::SET", "env::UNSET", True),
        ("env::UNSET", "env::UNSET", False),
        ("env::UNSET", "path::/absent", False),
    ],
)
def test_of_a_pair_one_half_is_enough(
    folder: Folder, default: str, fallback: str, starts: bool
) -> None:
    """What a request may bring counts as there."""
    folder.environment["SET"] = "sk-1"
    text = PAIR % (default, fallback)

    if starts:  # case 20
        folder.load(text)
    else:
        assert "credential missing: environment variable UNSET is not set" in folder.problem(text)


def test_what_a_request_brings_is_not_asked_for_at_the_start(folder: Folder) -> None:
    """Only each attempt can tell."""
    folder.load(OPENAI % ", api_key_location = 'dynamic::k'")  # case 20


def test_missing_credentials_can_be_waived(folder: Folder) -> None:
    """For checks in places that have none; wrong forms are refused all the same."""
    loaded = folder.load(UNSET, skip_credential_validation=True)  # case 20

    assert "environment variable UNSET is not set" in loaded.warnings[0]
    wrong = OPENAI % ", api_key_location = 'sdk'"
    assert "sdk cannot be used" in folder.problem(wrong, skip_credential_validation=True)


def test_some_types_do_without_unless_a_variable_is_set(folder: Folder) -> None:
    """A server of one's own often has no key."""
    problems = folder.problems(
        "models.m = { routing=['p'], providers.p = { type='vllm', model_name='x', "
        "api_base='http://gpu:8000/v1' } }"
    )

    assert problems == {}


def test_shorthands_without_credential_are_warned_of(folder: Folder) -> None:
    """The variant may never be drawn; a call will say it again."""
    loaded = folder.load(
        "functions.f = { type='chat', variants.v = { model='echo::x', fallback=['openai::x'] } }"
    )

    (warning,) = loaded.warnings
    assert warning == (
        "lsd.toml: functions.f.variants.v.fallback[0]: "
        "credential missing: environment variable OPENAI_API_KEY is not set"
    )


def test_a_key_that_would_go_to_a_stranger_is_warned_of(folder: Folder) -> None:
    """Whoever gives a base of his own says which key is meant for it."""
    folder.environment["OPENAI_API_KEY"] = "sk-1"
    elsewhere = ", api_base = 'http://box:8000/v1'"

    warned = folder.load(OPENAI % elsewhere).warnings
    meant = folder.load(OPENAI % (elsewhere + ", api_key_location = 'env::OPENAI_API_KEY'"))
    azure = folder.load(OPENAI % ", api_base = 'https://r.openai.azure.com/openai/v1/'")

    assert ["OPENAI_API_KEY will be sent to box" in each for each in warned] == [True]
    assert meant.warnings == azure.warnings == ()


@pytest.mark.parametrize("table", ["models", "embedding_models"])
def test_endpoints_in_the_environment_must_be_there(folder: Folder, table: str) -> None:
    """As credentials must; and they must be addresses."""
    text = (
        f"{table}.m = {{ routing=['p'], providers.p = {{ type='azure', deployment_id='d', "
        "endpoint='env::PLACE', api_key_location='none' } }"
    )
    place = f"{table}.m.providers.p.endpoint"
    wanted = "wanted an absolute http:// or https:// URL"

    unset = folder.problems(text)
    folder.environment["PLACE"] = "res.example"
    wrong = folder.problems(text)
    folder.environment["PLACE"] = "https://res.example"
    right = folder.problems(text)

    assert unset[place] == f"environment variable PLACE is not set; {wanted} there"
    assert wrong[place] == f'found "res.example" at env::PLACE; {wanted}'
    assert place not in right


def test_relayed_models_need_no_credentials(folder: Folder) -> None:
    """The other gateway has them."""
    relay = "gateway.relay.gateway_url = 'http://other:3000'\n"

    assert "models.m.providers.p" not in folder.problems(relay + UNSET)
    skipping = UNSET.replace("routing", "skip_relay = true, routing")
    assert "models.m.providers.p" in folder.problems(relay + skipping)


def test_static_locations_of_aws_must_hold_something(folder: Folder) -> None:
    """What the SDK finds is found later."""
    problems = folder.problems(
        "models.m = { routing=['p'], providers.p = { type='aws_bedrock', model_id='m', "
        "region='env::UNSET', access_key_id='sdk', secret_access_key='sdk' } }"
    )

    assert "environment variable UNSET is not set" in problems["models.m.providers.p"]


def test_a_region_that_can_never_be_found(folder: Folder) -> None:
    """Nothing names one, and nobody may be asked: that is told before the start."""
    text = (
        "models.m = { routing=['p'], providers.p = { type='aws_bedrock', model_id='m', "
        "region='sdk' } }"
    )
    folder.load(text)
    folder.environment["AWS_EC2_METADATA_DISABLED"] = "true"

    assert folder.problem(text) == (
        "models.m.providers.p.region: failed to determine AWS region: AWS_REGION, "
        "AWS_DEFAULT_REGION and the profile name none; wanted one of them, as "
        "AWS_EC2_METADATA_DISABLED forbids to ask the metadata service"
    )

    folder.environment["AWS_DEFAULT_REGION"] = "eu-west-1"
    folder.load(text)
    folder.environment |= {"AWS_DEFAULT_REGION": "", "AWS_PROFILE": "work"}
    assert "found 'work', which is in no file" in folder.problem(text)


VERTEX = (
    "models.m = { routing=['p'], providers.p = { type='gcp_vertex_gemini', model_id='g', "
    "location='us-central1', project_id='proj'%s } }"
)


def test_a_key_file_of_gcp_must_be_one(folder: Folder) -> None:
    """Case 55: a key that can never sign is found before the first call."""
    folder.environment["GCP_VERTEX_CREDENTIALS_PATH"] = str(folder.write("k", service_account()))
    assert folder.problems(VERTEX % "") == {}

    folder.write("k", service_account(private_key=pem("ec_pkcs8")))

    assert folder.problem(VERTEX % "") == (
        "models.m.providers.p: credential at path_from_env::GCP_VERTEX_CREDENTIALS_PATH unusable: "
        "private_key: found a key of another kind; wanted an RSA key"
    )
    waived = folder.problems(VERTEX % "", skip_credential_validation=True)
    assert waived == {}


@pytest.mark.parametrize(
    ("location", "is_refused"),
    [
        ("'sdk'", False),
        ("'dynamic::token'", False),
        ("{ default = 'dynamic::token', fallback = 'env::KEY' }", True),
        ("{ default = 'env::UNSET', fallback = 'env::KEY' }", True),
        ("{ default = 'env::UNSET', fallback = 'sdk' }", False),
    ],
)
def test_what_is_not_there_yet_is_no_key_file(
    folder: Folder, location: str, is_refused: bool
) -> None:
    """Tokens of requests and what the SDK finds are looked at when they are used."""
    folder.environment["KEY"] = "{}"

    problems = folder.problems(VERTEX % f", credential_location = {location}")

    assert ("private_key: missing" in str(problems)) is is_refused
