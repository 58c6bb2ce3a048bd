"""Whether values fit the JSON Schemas that are stored with inferences."""

import attrs

from lsd.conversation import BadSchema, JsonValue, SchemaCache


@attrs.define(eq=False, kw_only=True)
class SchemaCheck:
    """Checks values; few different schemas come again and again, so they stay compiled.

    `show_values`: what is found may quote the value.
    """

    _show_values: bool
    _schemas: SchemaCache = attrs.field(factory=SchemaCache)

    def findings(self, schema: JsonValue, value: JsonValue) -> str:
        """What does not fit, in a line; empty if all does."""
        try:
            compiled = self._schemas.compile(schema)
        except BadSchema as error:
            return str(error)
        return "; ".join(compiled.findings(value, show_values=self._show_values))
