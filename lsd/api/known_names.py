"""Names that answers of 404 depend on: known is what is configured, and what is recorded."""

import attrs

from lsd.api.errors import Refused
from lsd.config import Config, Metric
from lsd.conversation import describe_json
from lsd.feedback import DEFAULT_FUNCTION, known_metric
from lsd.store import Selection, Store


@attrs.frozen
class KnownNames:
    """Looks names up; gets of the store, so quick. All of it raises Refused for unknown names."""

    _config: Config
    _store: Store

    def require_function(self, name: str) -> None:
        """A function that is configured or recorded."""
        if name == DEFAULT_FUNCTION or name in self._config.functions:
            return
        if not self._store.inferences.count(Selection(function_name=name)):
            raise _unknown("function_name", name, "a function that is configured or recorded")

    def require_variant(self, function_name: str, name: str) -> None:
        """A variant of it; those of calls without a function are named by their callers."""
        function = self._config.functions.get(function_name)
        if function_name == DEFAULT_FUNCTION or (function and name in function.variants):
            return
        selection = Selection(function_name=function_name, variant_name=name)
        if not self._store.inferences.count(selection):
            raise _unknown("variant_name", name, "a variant that is configured or recorded")

    def require_metric(self, name: str) -> Metric:
        """A metric that is configured; it tells level and direction."""
        metric = known_metric(self._config, name)
        if metric is None:
            raise _unknown("metric_name", name, "a configured metric")
        return metric


def _unknown(where: str, name: str, wanted: str) -> Refused:
    return Refused(404, f"{where}: found {describe_json(name)}; wanted the name of {wanted}")
