"""Parameters that no client has asked for are never the reason why a request fails.

Between two languages an effort stands for a budget, or the other way round. A provider that refuses
such a stand-in is asked without it, and from then on as long as the process runs.
"""

import re
from collections.abc import Collection, Mapping

import attrs

from lsd.conversation import AttemptFailed, ModelRequest


def blamed_for(failure: AttemptFailed, derived: Mapping[str, str]) -> frozenset[str]:
    """The parameters whose stand-ins a provider names in its refusal of a request.

    `derived` has the stand-ins by their name in the request.
    """
    if failure.status != 400:
        return frozenset()
    words = set(re.findall(r"[a-z_]+", str(failure).lower()))
    return frozenset(parameter for name, parameter in derived.items() if name in words)


def without(request: ModelRequest, parameters: Collection[str]) -> tuple[ModelRequest, list[str]]:
    """The request without these parameters, and those of them that it had."""
    had = [name for name in parameters if getattr(request.params, name) is not None]
    if not had:
        return request, []
    return attrs.evolve(request, params=attrs.evolve(request.params, **dict.fromkeys(had))), had
