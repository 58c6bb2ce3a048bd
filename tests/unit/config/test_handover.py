"""A configuration handed from process to process is the same one."""

import attrs
import orjson

from lsd.config import hand_over, take_over
from tests.unit.config.folder import Folder

TEXT = """
    gateway = { base_path = "/llm", auth.enabled = true }
    [models.m]
    routing = ["p"]
    [models.m.providers.p]
    type = "openai"
    model_name = "x"
    api_key_location = "path::/KEY"
"""


def test_what_is_taken_over_is_what_was_handed_over(folder: Folder) -> None:
    """With what the command line said, and with the credentials that were read once."""
    key = folder.write("key", "sk-1\n")
    text = TEXT.replace("/KEY", str(key))
    loaded = folder.load(text, bind_address="127.0.0.1:4000", workers="3", data_dir="elsewhere")
    message = orjson.loads(orjson.dumps(hand_over(loaded)))
    key.write_text("sk-2\n")

    taken = take_over(message, {})

    assert attrs.asdict(taken.config.gateway) == attrs.asdict(loaded.config.gateway)
    assert taken.config.models == loaded.config.models
    assert taken.config.storage == loaded.config.storage
    assert taken.config.object_storage == loaded.config.object_storage
    assert (taken.hash, taken.files, taken.paths) == (loaded.hash, loaded.files, loaded.paths)
    location = taken.config.models["m"].providers["p"].api_key_location
    assert taken.secrets.resolve(location, {}) == "sk-1"


def test_the_environment_is_asked_for_what_was_not_needed_yet(folder: Folder) -> None:
    """Each process has it from its start."""
    folder.environment["LATER"] = "sk-3"
    taken = take_over(hand_over(folder.load("")), folder.environment)

    assert taken.secrets.known() == {}
