"""Which forms of a location a provider type can use."""

import pytest

from tests.unit.config.folder import Folder

API_KEY_FORMS = "wanted env::VAR, path::/absolute/file, path_from_env::VAR, dynamic::name, none"
AWS_FORMS = "wanted env::VAR, dynamic::name"
RELAY_FORMS = "wanted env::VAR, path::/absolute/file, dynamic::name, none"
GCP_FORMS = "wanted env::VAR, path::/absolute/file, path_from_env::VAR, dynamic::name, sdk"

TABLES = {
    "models.m = { routing=['p'], providers.p = { type='openai', model_name='x', "
    "api_key_location='sdk' } }": (
        "models.m.providers.p.api_key_location",
        f"sdk cannot be used by provider type openai; {API_KEY_FORMS}",
    ),
    "models.m = { routing=['p'], providers.p = { type='openai', model_name='x', "
    "api_key_location={ default='dynamic::k', fallback='sdk' } } }": (
        "models.m.providers.p.api_key_location",
        f"sdk cannot be used by provider type openai; {API_KEY_FORMS}",
    ),
    "models.m = { routing=['p'], providers.p = { type='gcp_vertex_gemini', location='l', "
    "project_id='p', model_id='m', credential_location='none' } }": (
        "models.m.providers.p.credential_location",
        f"none cannot be used by provider type gcp_vertex_gemini; {GCP_FORMS}",
    ),
    "models.m = { routing=['p'], providers.p = { type='aws_bedrock', model_id='m', region='r', "
    "api_key='path::/k' } }": (
        "models.m.providers.p.api_key",
        f"path::/absolute/file cannot be used by provider type aws_bedrock; {AWS_FORMS}",
    ),
    "provider_types.groq.defaults.api_key_location = 'sdk'": (
        "provider_types.groq.defaults.api_key_location",
        f"sdk cannot be used by provider type groq; {API_KEY_FORMS}",
    ),
    "gateway.relay.api_key_location = 'path_from_env::X'": (
        "gateway.relay.api_key_location",
        f"path_from_env::VAR cannot be used by the relay; {RELAY_FORMS}",
    ),
}


@pytest.mark.parametrize("text", TABLES)
def test_a_form_must_suit_its_owner(folder: Folder, text: str) -> None:
    """The message names the provider type and the forms it can use."""
    path, told = TABLES[text]

    assert told in folder.problems(text)[path]


def test_suitable_forms_are_taken(folder: Folder) -> None:
    """In pairs, too, and as the default of a type."""
    folder.load(
        """
        provider_types.openai.defaults.api_key_location = "dynamic::k"
        [models.m]
        routing = ["p"]
        [models.m.providers.p]
        type = "openai"
        model_name = "x"
        api_key_location = { default = "env::UNSET", fallback = "none" }
        """
    )
