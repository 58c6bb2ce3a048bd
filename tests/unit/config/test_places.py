"""Where attributes with several spellings stand."""

from pathlib import Path

from lsd.config.places import is_written, schema_place, template_place
from lsd.config.reading.document import Document

FUNCTION = {
    "system_schema": "s",
    "schemas": {"user": {}},
    "variants": {"v": {"user_template": "t", "input_wrappers": {"system": "t"}, "templates": {}}},
}
DOCUMENT = Document({"functions": {"f": FUNCTION}}, {}, Path())
PATH = ("functions", "f")


def test_messages_name_the_key_that_was_written() -> None:
    """The one of the table where none is."""
    variant = (*PATH, "variants", "v")

    assert schema_place(DOCUMENT, PATH, "system") == (*PATH, "system_schema")
    assert schema_place(DOCUMENT, PATH, "user") == (*PATH, "schemas", "user")
    assert template_place(DOCUMENT, variant, "user") == (*variant, "user_template")
    assert template_place(DOCUMENT, variant, "system") == (*variant, "input_wrappers", "system")
    assert template_place(DOCUMENT, variant, "other") == (*variant, "templates", "other")


def test_a_key_is_written_or_not() -> None:
    """What lies below a value is not."""
    assert is_written(DOCUMENT, (*PATH, "system_schema"))
    assert not is_written(DOCUMENT, (*PATH, "system_schema", "path"))
    assert not is_written(DOCUMENT, ("models",))
