"""What has to agree within the table of one provider."""

import pytest

from tests.unit.config.folder import Folder


def problems_of(folder: Folder, table: str, extra: str = "") -> dict[str, str]:
    """What is wrong with a provider, by its keys."""
    text = f"{extra}\nmodels.m = {{ routing = ['p'], providers.p = {{ {table} }} }}"
    prefix = "models.m.providers.p"
    return {
        path.removeprefix(prefix).removeprefix("."): told
        for path, told in folder.problems(text).items()
        if path.startswith(prefix)
    }


OPENAI = "type = 'openai', model_name = 'x', api_key_location = 'none', "
AZURE = "type = 'azure', deployment_id = 'x', api_key_location = 'none', "
GCP = "type = 'gcp_vertex_gemini', location = 'l', project_id = 'p', "
GCP += "credential_location = 'dynamic::t', "
BEDROCK = "type = 'aws_bedrock', model_id = 'x', "
SAGEMAKER = "type = 'aws_sagemaker', endpoint_name='e', model_name='m', hosted_provider='openai', "
WANTS_URL = "wanted an absolute http:// or https:// URL"

TABLES = {
    OPENAI + "include_encrypted_reasoning = true": {
        "include_encrypted_reasoning": 'found true; it needs api_type = "responses"'
    },
    OPENAI + "provider_tools = [{ type = 'web_search' }]": {
        "provider_tools": (
            'chat completions have no tools of the provider; it needs api_type = "responses"'
        )
    },
    AZURE + "endpoint = 'x.openai.azure.com'": {
        "endpoint": f'found "x.openai.azure.com"; {WANTS_URL}'
    },
    AZURE + "endpoint = 'sdk'": {
        "endpoint": "sdk cannot be an endpoint; wanted a URL, env::VAR or dynamic::name"
    },
    GCP[:-2]: {"": "found neither of model_id and endpoint_id; wanted exactly one of them"},
    GCP + "model_id = 'a', endpoint_id = 'b'": {
        "": "found both of model_id and endpoint_id; wanted exactly one of them"
    },
    BEDROCK[:-2]: {
        "region": 'missing; it is required; wanted the name of a region, or "sdk" to detect it'
    },
    BEDROCK + "region = 'none'": {"region": 'found none; wanted the name of a region, or "sdk"'},
    BEDROCK + "region = 'r', endpoint_url = 'sdk'": {
        "endpoint_url": "found sdk; wanted a URL or a location"
    },
    BEDROCK + "region = 'r', endpoint_url = 'box'": {"endpoint_url": f'found "box"; {WANTS_URL}'},
    SAGEMAKER + "region = 'r', access_key_id = 'dynamic::a'": {
        "secret_access_key": "missing; access_key_id and secret_access_key go together"
    },
    SAGEMAKER + "region = 'r', session_token = 'dynamic::a'": {
        "access_key_id": "missing; access_key_id and secret_access_key go together",
        "secret_access_key": "missing; access_key_id and secret_access_key go together",
    },
    BEDROCK + "region = 'r', session_token = 'env::KEY'": {
        "access_key_id": "missing; access_key_id and secret_access_key go together",
        "secret_access_key": "missing; access_key_id and secret_access_key go together",
    },
    BEDROCK + "region = 'r', access_key_id = 'env::KEY', secret_access_key = 'dynamic::s'": {
        "": (
            "access_key_id, secret_access_key come from different kinds of places; "
            "wanted all env::, all dynamic::, or all sdk"
        )
    },
    SAGEMAKER + "region = 'r', access_key_id = 'dynamic::a', secret_access_key = 'sdk'": {
        "": (
            "access_key_id, secret_access_key come from different kinds of places; "
            "wanted all env::, all dynamic::, or all sdk"
        )
    },
    BEDROCK
    + "region = 'r', api_key = 'dynamic::k', access_key_id='sdk', secret_access_key='sdk'": {
        "api_key": (
            "set beside access_key_id and secret_access_key; wanted either the one or the other"
        )
    },
    "type = 'echo', statuses = [503], fail_rate = 0.5": {
        "statuses": "set beside fail_rate; wanted one of the two"
    },
    "type = 'echo', batch = 'native'": {
        "batch": 'provider p of model m: echo has no batches; wanted "auto" or "local"'
    },
    GCP + "model_id = 'a', batch = 'native'": {
        "batch": (
            "native batches need model_id and a cloud storage; set "
            'provider_types.gcp_vertex_gemini.batch.storage_type = "cloud_storage"'
        )
    },
}


@pytest.mark.parametrize("table", TABLES)
def test_keys_agree(folder: Folder, table: str) -> None:
    """Case 44 and more: what goes together, what does not, and what is a URL."""
    folder.environment["KEY"] = "k"

    assert problems_of(folder, table) == TABLES[table]


def test_the_reply_of_echo_is_a_template(folder: Folder) -> None:
    """It must compile, for models and for embedding models."""
    told = problems_of(folder, "type = 'echo', reply = '{{ text'")

    assert told["reply"].startswith("line 1: ")
    problems = folder.problems(
        "embedding_models.e = { routing=['p'], providers.p = { type='echo', reply='{{' } }"
    )
    assert problems["embedding_models.e.providers.p.reply"].startswith("line 1: ")


def test_an_old_spelling_of_the_region_is_taken(folder: Folder) -> None:
    """With a warning; what it means is written `sdk`."""
    assert problems_of(folder, BEDROCK + "allow_auto_detect_region = true") == {}


def test_native_batches_at_gcp_need_their_storage(folder: Folder) -> None:
    """Both prefixes are required for it."""
    storage = "provider_types.gcp_vertex_gemini.batch.storage_type = 'cloud_storage'"
    native = GCP + "model_id = 'a', batch = 'native'"

    assert problems_of(folder, native, storage) == {}
    problems = folder.problems(storage)
    assert "provider_types.gcp_vertex_gemini.batch.input_uri_prefix" in problems
    assert "provider_types.gcp_vertex_gemini.batch.output_uri_prefix" in problems


def test_an_embedding_endpoint_of_azure_is_checked_too(folder: Folder) -> None:
    """The same key means the same."""
    problems = folder.problems(
        "embedding_models.e = { routing=['p'], providers.p = { type='azure', deployment_id='d', "
        "endpoint='box', api_key_location='none' } }"
    )

    assert WANTS_URL in problems["embedding_models.e.providers.p.endpoint"]


@pytest.mark.parametrize("location", ["evil.example/#", "a.b", "", "us central1"])
def test_a_location_of_gcp_is_a_plain_name(folder: Folder, location: str) -> None:
    """Hosts are made of it, and tokens are sent there."""
    told = folder.problem(
        "models.m = { routing=['p'], providers.p = { type='gcp_vertex_gemini', model_id='g', "
        f"location='{location}', project_id='proj', credential_location='sdk' }} }}"
    )

    assert told == (
        f'models.m.providers.p.location: found "{location}"; wanted a name such as us-central1'
    )
