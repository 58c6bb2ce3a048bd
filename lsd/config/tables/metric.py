"""`[metrics.M]`: what feedback can say."""

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Metric:
    """A figure that callers report for an inference or an episode."""

    type: Literal["boolean", "float"]
    optimize: Literal["min", "max"]
    level: Literal["inference", "episode"]
    description: str | None = None
