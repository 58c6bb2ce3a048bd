"""Judgements: what people said in place of an evaluator, found again by the output they saw."""

from hashlib import blake2b

import attrs

from lsd.conversation import JsonValue, encode_json_sorted, reread_json
from lsd.store import _encoding as encoding
from lsd.store.engine import Environment
from lsd.store.layout import (
    ID_BYTES,
    INFERENCE_BODIES,
    JUDGEMENTS,
    end_of,
    hash_key,
    id_key,
    id_text,
)
from lsd.store.records import Judgement
from lsd.store.transaction import Transaction


@attrs.frozen(kw_only=True)
class Verdict:
    """The part of a judgement that is not in the feedback entry it comes with."""

    datapoint_id: str
    evaluator_inference_id: str


def put_judgement(
    transaction: Transaction,
    verdict: Verdict,
    *,
    feedback_id: str,
    inference_id: str,
    metric_name: str,
    value: bool | float,
) -> None:
    """Stores the judgement under the inference's output; nothing if that has expired."""
    body = transaction.get(INFERENCE_BODIES, id_key(inference_id))
    if body is None:
        return
    judgement = Judgement(
        metric_name=metric_name,
        datapoint_id=verdict.datapoint_id,
        evaluator_inference_id=verdict.evaluator_inference_id,
        value=value,
        feedback_id=feedback_id,
    )
    output = encode_json_sorted(reread_json(body).get("output"))
    key = _prefix(metric_name, verdict.datapoint_id, output) + id_key(feedback_id)
    transaction.put(JUDGEMENTS, key, encoding.judgement(judgement, _digest(output)))


def find_judgement(
    data: Environment, *, metric_name: str, datapoint_id: str, output: JsonValue
) -> Judgement | None:
    """The latest judgement of this output; the order of keys in `output` does not matter."""
    canonical = encode_json_sorted(output)
    prefix = _prefix(metric_name, datapoint_id, canonical)
    with data.read() as transaction:
        for key, value in transaction.range(JUDGEMENTS, prefix, end_of(prefix), reverse=True):
            fields = reread_json(value)
            found = (fields["metric_name"], fields["datapoint_id"], fields.pop("output_hash"))
            # The key is a short hash of the three; another judgement may have the same.
            if found == (metric_name, datapoint_id, _digest(canonical).hex()):
                return Judgement(feedback_id=id_text(key[-ID_BYTES:]), **fields)
    return None


def _prefix(metric_name: str, datapoint_id: str, output: bytes) -> bytes:
    return hash_key(metric_name.encode(), id_key(datapoint_id), output)


def _digest(output: bytes) -> bytes:
    return blake2b(output, digest_size=32).digest()
