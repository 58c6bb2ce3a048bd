"""Names that answers of 404 depend on: known is what is configured, and what is recorded."""

import attrs

from lsd.api.errors import Refused
from lsd.config import Config
from lsd.conversation import describe_json
from lsd.feedback import DEFAULT_FUNCTION
from lsd.store import Store


@attrs.frozen
class KnownNames:
    """Looks names up; gets of the store, so quick."""

    _config: Config
    _store: Store

    def require_function(self, name: str) -> None:
        """Raises Refused for a function that is neither configured nor recorded."""
        if name == DEFAULT_FUNCTION or name in self._config.functions:
            return
        if not self._store.inferences.counts(name):
            wanted = "a function that is configured or recorded"
            raise Refused(404, f"function_name: found {describe_json(name)}; wanted {wanted}")
