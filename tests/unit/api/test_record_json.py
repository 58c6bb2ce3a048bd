"""Records as they are shown; the routes' tests have them whole."""

from lsd.api.record_json import inference_json, inference_metadata_json
from tests.unit.store.makers import Maker


def test_what_is_not_known_is_left_out(make: Maker) -> None:
    """An expired body takes its fields along, a missing hash goes alone."""
    record = make.inference(body=None, snapshot_hash=None)

    assert not {"input", "output", "extra_body"} & set(inference_json(record))
    assert "snapshot_hash" not in inference_metadata_json(record)
    assert inference_metadata_json(record)["id"] == record.inference_id
