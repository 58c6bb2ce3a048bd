"""Signatures of AWS recomputed by AWS's own library, from the bytes that have arrived."""

import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)"
    r"/(?P<service>[^/]+)/aws4_request, SignedHeaders=(?P<names>[^,]+), "
    r"Signature=(?P<signature>\w+)"
)

NEVER_SIGNED = frozenset({"accept", "accept-encoding", "authorization", "connection", "user-agent"})


def signed_by(authorization: str) -> dict[str, str]:
    """The parts of a header `Authorization`: id, date, region, service, names, signature."""
    found = _AUTHORIZATION.fullmatch(authorization)
    assert found is not None, f"no signature of AWS: {authorization}"
    return found.groupdict()


def is_well_signed(
    method: str, url: str, headers: dict[str, str], body: bytes, secret_access_key: str
) -> bool:
    """Whether the signature is right; `headers` by lower-case name, all that arrived."""
    told = signed_by(headers["authorization"])
    names = told["names"].split(";")
    assert names == sorted(names)
    assert NEVER_SIGNED.isdisjoint(names)
    assert {"host", "x-amz-date"} <= set(names)
    signed = {name: headers[name] for name in names}
    auth = SigV4Auth(Credentials(told["id"], secret_access_key), told["service"], told["region"])
    request = AWSRequest(method=method, url=url, data=body, headers=signed)
    request.context["timestamp"] = headers["x-amz-date"]
    to_sign = auth.string_to_sign(request, auth.canonical_request(request))
    signature: str = auth.signature(to_sign, request)
    return signature == told["signature"]
