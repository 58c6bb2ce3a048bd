"""The canonical form of a configuration."""

from decimal import Decimal

import attrs
import pytest

from lsd.config import Config, ConfigRefused, Loaded, OpenAIProvider, open_snapshot
from lsd.config.snapshot import (
    FORMAT,
    canonical_tree,
    encode_snapshot,
    hash_of,
    without_secrets,
)
from lsd.conversation import Schema, decode_json, encode_json
from tests.unit.config.folder import Folder

TEXT = """
[gateway]
bind_address = "[::1]:4000"
base_path = "/a"
template_filesystem_access.base_path = "shared"
export.otlp.traces.extra_headers = { "X-A" = "b" }

[provider_types.openai.defaults]
api_key_location = { default = "dynamic::mine", fallback = "env::UNSET" }

[models.m]
routing = ["p"]
[models.m.providers.p]
type = "openai"
model_name = "x"
cost = [{ pointer = "/a", cost_per_million = 0.1000000000000000055 }]
extra_body = [{ pointer = "/b", value = { c = [1, 2.5, "x"] } }, { pointer = "/d", delete = true }]
extra_headers = [{ name = "A", value = "b" }]
content_type_overrides = { "application/pdf" = "image_url" }

[functions.talk]
type = "chat"
tools = ["t"]
tool_choice = { specific = "t" }
user_schema = "s.json"
[functions.talk.variants.a]
model = "m"
system_template = "legacy.txt"
templates.user.path = "t.txt"
[functions.talk.variants.b]
model = "echo::x"
templates.user.path = "t.txt"
[functions.talk.experimentation]
type = "static"
candidate_variants = { a = 0.5 }
fallback_variants = ["b"]
[functions.talk.experimentation.namespaces.n]
type = "default"

[functions.judge]
type = "json"
variants = {}
output_schema = "s.json"

[tools.t]
description = "d"
parameters = "s.json"

[rate_limiting]
enabled = false
default_cost = 0.10
[[rate_limiting.rules]]
priority = 0
scope = { tag_key = "k", tag_value = "lsd::each" }
tokens_per_minute = 5
cost_per_day = { capacity = 0.1, refill_rate = 1 }
"""


@pytest.fixture
def loaded(folder: Folder) -> Loaded:
    """A configuration with something of everything."""
    folder.write("s.json", '{"type": "object", "required": ["x"]}')
    folder.write("t.txt", "{{ x }}{% include 'i.txt' %}")
    folder.write("legacy.txt", "{{ system_text }}")
    folder.write("shared/i.txt", "I")
    return folder.load(TEXT)


def comparable(config: Config) -> Config:
    """A configuration with plain values in the place of compiled schemas."""

    def plain(value: object) -> object:
        return value.value if isinstance(value, Schema) else value

    functions = {
        name: attrs.evolve(
            function, schemas={key: plain(each) for key, each in function.schemas.items()}
        )
        for name, function in config.functions.items()
    }
    functions["judge"] = attrs.evolve(
        functions["judge"], output_schema=plain(functions["judge"].output_schema)
    )
    tools = {
        name: attrs.evolve(tool, parameters=plain(tool.parameters))
        for name, tool in config.tools.items()
    }
    return attrs.evolve(config, functions=functions, tools=tools)


def test_a_snapshot_gives_the_configuration_back(loaded: Loaded) -> None:
    """Without the files, to the last digit; so all workers have the same one."""
    opened = open_snapshot(loaded.snapshot, paths=loaded.paths)

    assert comparable(opened) == comparable(loaded.config)
    assert opened.functions["talk"].schemas["user"].accepts({"x": 1})
    assert not opened.functions["talk"].schemas["user"].accepts({})
    provider = opened.models["m"].providers["p"]
    assert isinstance(provider, OpenAIProvider)
    assert provider.cost[0].cost_per_million == Decimal("0.1000000000000000055")
    assert opened.template_files == {"i.txt": "I"}


def test_the_hash_is_that_of_the_snapshot(loaded: Loaded) -> None:
    """Who has the bytes can check them."""
    assert hash_of(loaded.snapshot) == loaded.hash
    whole = decode_json(loaded.snapshot)
    assert whole["format"] == FORMAT
    assert encode_snapshot(whole["config"], whole["template_files"]) == loaded.snapshot


def test_files_stand_in_the_snapshot_with_their_text(loaded: Loaded) -> None:
    """By the path as it was written."""
    config = decode_json(loaded.snapshot)["config"]

    assert config["tools"]["t"]["parameters"]["path"] == "s.json"
    assert config["functions"]["talk"]["variants"]["a"]["templates"]["user"] == {
        "path": "t.txt",
        "text": "{{ x }}{% include 'i.txt' %}",
        "legacy": False,
    }
    assert config["gateway"]["template_filesystem_access"]["base_path"] == "shared"


def test_keys_that_are_gone_are_passed_over(loaded: Loaded) -> None:
    """A snapshot stays readable for ever, after keys were removed and types renamed."""
    old = loaded.snapshot.replace(b'"base_path":"/a"', b'"base_path":"/a","gone":{"x":1}')

    assert open_snapshot(old, paths=loaded.paths).gateway.base_path == "/a"


def test_what_is_no_configuration_is_refused() -> None:
    """A damaged snapshot is not taken for an empty one."""
    with pytest.raises(ConfigRefused, match="gateway"):
        open_snapshot(encode_snapshot({"gateway": 5}, {}))


def test_defaults_are_filled_in_and_unset_keys_left_out() -> None:
    """So a default that changes in a later release changes the hash."""
    tree = canonical_tree(Config(), {})

    assert tree["gateway"]["max_request_bytes"] == 100 * 1024 * 1024
    assert tree["storage"]["path"] == "lsd-data"
    assert "enabled" not in tree["gateway"]["observability"]
    assert tree["models"] == {}


def test_a_stored_snapshot_shows_no_header_values() -> None:
    """Headers carry keys, so that their values do not reach the disk; all else does."""
    snapshot = encode_json(
        {
            "config": {
                "models": {
                    "m": {
                        "providers": {
                            "p": {
                                "extra_headers": [
                                    {"name": "x-key", "value": "sk-1234"},
                                    {"name": "x-old", "delete": True},
                                ],
                                "model_name": "m-1",
                            }
                        }
                    }
                },
                "gateway": {"export": {"otlp": {"traces": {"extra_headers": {"k": "sk-5678"}}}}},
            }
        }
    )

    stored = without_secrets(snapshot)

    assert b"sk-" not in stored
    assert b'"x-key"' in stored
    assert b'"delete":true' in stored
    assert b'"m-1"' in stored
