"""Every type that may be configured for embeddings has a dialect of its name."""

from typing import Any

import attrs
import pytest

from lsd.config import LiteralLocation
from lsd.config.tables.embedding_providers import EMBEDDING_CLASSES
from lsd.providers import embedding_dialect_for


@pytest.mark.parametrize("kind", sorted(EMBEDDING_CLASSES))
def test_a_type_with_embeddings_has_a_dialect(kind: str) -> None:
    """What the configuration lets pass can be called."""
    known = {"api_base": "http://h/v1/", "endpoint": LiteralLocation("https://h")}
    table: Any = EMBEDDING_CLASSES[kind]
    required = [each.name for each in attrs.fields(table) if each.default is attrs.NOTHING]

    provider = table(**{name: known.get(name, "m-1") for name in required})

    assert embedding_dialect_for(provider).provider_type == kind
