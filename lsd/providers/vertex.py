"""Where the models of Vertex AI are, and whom a token for them is made out to."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from lsd.config import GcpProvider
from lsd.conversation import AttemptFailed

_LOCATION = re.compile(r"[A-Za-z0-9-]+")

_SENT_RAW = "@:"
"""Beside letters and digits, what stands in names of models without being escaped."""


def vertex_url(provider: GcpProvider, publisher: str, method: str) -> str:
    """The URL that calls `method` of the provider's model or endpoint.

    Raises AttemptFailed (config) for a location that is none: it would name a stranger's host.
    """
    if provider.endpoint_id is not None:
        name = f"endpoints/{_quoted(provider.endpoint_id)}"
    else:
        name = f"publishers/{publisher}/models/{_quoted(provider.model_id or '')}"
    return f"{place_url(provider)}/{name}:{method}"


def place_url(provider: GcpProvider) -> str:
    """The URL of the provider's project at its location, below which all is that it has there.

    Raises AttemptFailed (config).
    """
    place = f"projects/{_quoted(provider.project_id)}/locations/{provider.location}"
    return f"{_base(provider)}{place}"


def resource_url(provider: GcpProvider, name: str) -> str:
    """The URL of what Vertex AI calls `name`, a path of several segments.

    Raises AttemptFailed (config).
    """
    return f"{_base(provider)}{quote(name, safe=f'/{_SENT_RAW}')}"


def vertex_audience(provider: GcpProvider) -> str:
    """What a self-signed token names as its audience. Raises AttemptFailed (config)."""
    return _host(provider)


def vertex_headers(credentials: Mapping[str, str | None]) -> dict[str, str]:
    """How a call says who calls, and who pays if that is somebody else."""
    headers: dict[str, str] = {}
    token, project = credentials.get("access_token"), credentials.get("quota_project")
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if project is not None:
        headers["x-goog-user-project"] = project
    return headers


def explain_not_found(failure: AttemptFailed) -> None:
    """Adds to a 404 what is most often the reason for it."""
    if failure.status == 404:
        failure.text += " (models of the catalogue need model_id, tuned ones endpoint_id)"


def _base(provider: GcpProvider) -> str:
    host = _host(provider)
    base = provider.api_base or f"{host}v1/"
    return base if base.endswith("/") else f"{base}/"


def _host(provider: GcpProvider) -> str:
    location = provider.location
    if not _LOCATION.fullmatch(location):
        text = f"found the location {location!r} at Vertex AI; wanted a name such as us-central1"
        raise AttemptFailed(kind="config", text=text)
    prefix = "" if location == "global" else f"{location}-"
    return f"https://{prefix}aiplatform.googleapis.com/"


def _quoted(name: str) -> str:
    return quote(name, safe=_SENT_RAW)
