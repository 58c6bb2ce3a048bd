"""Where requests of one configured provider go, and the headers that they all have."""

from collections.abc import Callable, Mapping

import attrs

from lsd.conversation import AttemptFailed
from lsd.providers._sealing import USER_AGENT

Credentials = Mapping[str, str | None]
"""What a request shows, by the names that dialects have for it; None where nothing is shown."""


@attrs.frozen(kw_only=True)
class Host:
    """One address. `url` is told whether the answer is to be a stream.

    `credentials` makes headers of credentials, `explain` adds to a failure what this host's
    errors leave unsaid.
    """

    url: Callable[[bool], str]
    credentials: Callable[[Credentials], dict[str, str]]
    explain: Callable[[AttemptFailed], None] | None = None

    def headers(self, stream: bool, credentials: Credentials) -> dict[str, str]:
        """The headers of a request."""
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        headers |= self.credentials(credentials)
        if stream:
            headers["Accept"] = "text/event-stream"
            # A compressed stream would be held back until the compressor has a block together.
            headers["Accept-Encoding"] = "identity"
        return headers

    def explained(self, failure: AttemptFailed) -> AttemptFailed:
        """The failure, with all that can be said about it."""
        if self.explain is not None:
            self.explain(failure)
        return failure
