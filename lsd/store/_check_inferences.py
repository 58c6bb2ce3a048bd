"""The check of inferences, their calls and episodes, with all their index keys."""

from collections import Counter
from itertools import groupby

from lsd.conversation import reread_json
from lsd.store import _encoding as encoding
from lsd.store import layout
from lsd.store._check_list import CheckList
from lsd.store._check_sums import Sums
from lsd.store._usage_writes import call_figures, inference_figures
from lsd.store.layout import ID_BYTES, end_of, id_key, id_text, tag_key
from lsd.store.names import MODEL, PROVIDER
from lsd.store.new_inference import Fields
from lsd.store.records import InferenceRecord


def check_inferences(check: CheckList, sums: Sums) -> None:
    """Inferences, their indexes, and what is counted over the indexes."""
    for key, head in check.all(layout.INFERENCES):
        record = encoding.read_inference(id_text(key), head)
        pair = check.pair(record)
        _expect_keys_of(check, key, record, pair)
        sums.add_inference(pair, key, inference_figures(reread_json(head)))
    for key, _ in check.all(layout.INFERENCE_BODIES):
        check.require(layout.INFERENCES, key, layout.INFERENCE_BODIES)
    _expect_episodes(
        check,
    )


def check_model_inferences(check: CheckList, sums: Sums) -> None:
    """They belong to an inference, to embeddings, or to an inference that failed as a whole."""
    failed = set()
    for key, head in check.all(layout.MODEL_INFERENCES):
        inference, own = key[:ID_BYTES], key[ID_BYTES:]
        check.expect(layout.BY_ID, own, layout.OF_MODEL_INFERENCE + inference)
        call = reread_json(head)
        _add_call(check, sums, own, call)
        if "function_name" not in call:
            check.require(layout.EMBEDDINGS, inference, layout.MODEL_INFERENCES)
        elif "episode_id" not in call:
            check.require(layout.INFERENCES, inference, layout.MODEL_INFERENCES)
        else:
            failed.add(id_key(call["episode_id"]) + inference)
    for key in failed:
        check.expect(layout.FAILED_BY_EPISODE, key, b"")
    for key, _ in check.all(layout.EMBEDDINGS):
        calls = check.transaction.range(layout.MODEL_INFERENCES, key, end_of(key), limit=1)
        if not any(True for _ in calls):
            check.add(f"{layout.EMBEDDINGS}: {id_text(key)}: found no call; wanted one")
    for key, _ in check.all(layout.MODEL_INFERENCE_BODIES):
        check.require(layout.MODEL_INFERENCES, key, layout.MODEL_INFERENCE_BODIES)


def _expect_keys_of(
    check: CheckList, inference: bytes, record: InferenceRecord, pair: bytes
) -> None:
    check.expect(layout.BY_FUNCTION, pair[:4] + inference, pair[4:])
    check.expect(layout.BY_VARIANT, pair + inference, b"")
    check.expect(layout.BY_EPISODE, id_key(record.episode_id) + inference, pair)
    for key, value in record.tags.items():
        check.expect(layout.BY_TAG, tag_key(key, value) + inference, b"")


def _expect_episodes(check: CheckList) -> None:
    rows = check.all(layout.BY_EPISODE)
    for episode, entries in groupby(rows, key=lambda entry: entry[0][:ID_BYTES]):
        inferences = [key[ID_BYTES:] for key, _ in entries]
        row = layout.COUNT_AND_IDS.pack(len(inferences), inferences[0], inferences[-1])
        check.expect(layout.EPISODES, episode, row)
        heads = [check.transaction.get(layout.INFERENCES, each) for each in inferences]
        records = [encoding.read_inference("", head) for head in heads if head is not None]
        members = Counter(check.pair(each) + check.namespace(each) for each in records)
        for member, count in members.items():
            row = layout.SIGNED.pack(count)
            check.expect(layout.EPISODE_VARIANTS, episode + member, row)
        for function in {member[:4] for member in members}:
            check.expect(layout.EPISODES_BY_FUNCTION, function + episode, b"")


def _add_call(check: CheckList, sums: Sums, own: bytes, call: Fields) -> None:
    figures = call_figures(call)
    if figures is not None:
        pair = check.number(MODEL, call["model_name"])
        pair += check.number(PROVIDER, call["model_provider_name"])
        sums.add_call(pair, own, figures)
