"""SGLang answers in JSON only by a schema."""

from tests.unit.providers.recorded import make_dialect, refused, request


def test_json_without_a_schema_is_refused() -> None:
    """The server would ignore the mode, and nobody would notice."""
    assert refused(make_dialect("sglang"), request(json_mode="on")) == (
        "sglang: json_mode 'on' needs a schema"
    )
