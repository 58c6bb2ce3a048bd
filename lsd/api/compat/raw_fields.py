"""What providers have sent, for clients of compatible endpoints that ask for it."""

from typing import Any

from lsd.inference import Reply, raw_responses, raw_usages


def raw_fields(reply: Reply) -> dict[str, Any]:
    """`lsd_raw_response` and `lsd_raw_usage`, as far as the request wants them."""
    request = reply.accepted.request
    fields: dict[str, Any] = {}
    if request.include_raw_response:
        fields["lsd_raw_response"] = raw_responses(reply.run.journal.calls)
    if request.include_raw_usage:
        fields["lsd_raw_usage"] = raw_usages([reply.call])
    return fields
