"""The databases and their keys: everything that knows how a stored thing is found.

Notation: `I` inference id, `E` episode id, `X` target id, `F` feedback id, `A` id of a model
inference: 16 raw bytes each, so that the order of keys is the order of issue. `f v m n M P` are the
interned numbers of function, variant, metric, namespace (0: all of them, or none), model and
provider, 4 bytes; `g h t` count the days, hours and minutes since 1970, 4 bytes; `s` is the shard,
2 bytes: which process keeps a counter. `#(...)` is a hash of 16 bytes. Juxtaposition is
concatenation. Numbers are big-endian. `o(...)` is a value of a metric in 1 byte for its type and 1
or 8 that sort as the values do. `d` is the number of a dataset, `D` the id of a datapoint, `U` when
it was changed last: microseconds since 1970, 8 bytes. `B` is a batch id, `i` the index of an
item in it, 4 bytes.

============== ===================== =======================================================
database       key                   value
============== ===================== =======================================================
**data**
meta           a word                JSON; a counter (8 bytes)
name           kind, name            4-byte number
name_of        kind, 4-byte number   name
inf            I                     head of the inference, JSON
inf_body       I                     body, JSON; absent once it has expired
minf           I A                   head of the model inference, JSON
minf_body      I A                   body, JSON; absent once it has expired
emb            I                     embedding inference, JSON; its calls are in minf
fb             X F                   feedback, JSON
judge          #(judged output) F    judgement, JSON
cfg            hash                  configuration snapshot, JSON
by_id          A or F                kind (1 byte), I or X
ix_f           f I                   v
ix_fv          f v I                 -
ix_ep          E I                   f v
ep             E                     count (8 bytes), first I, last I
ep_fv          E f v n               inferences (8 bytes)
ix_fe          f E                   -
ix_tag         #(key, value) I       -
ix_failed      E I                   - (attempts of an inference that failed as a whole)
ix_demo        f I                   latest demonstration F, count (8 bytes)
fb_latest      X m                   F, value as JSON
ix_m           m X                   - (latest values only)
ix_mv          m o(value) X          - (latest values only)
ix_perf        f m v X               what X is (1 byte), latest value as JSON; of each variant
ix_fbs         f m v F               X, value as JSON; of what counts for one variant alone
t_fbs          f m v n s             sums over ix_fbs, JSON
c_fv           f v s                 inferences (8 bytes, signed), last I
s_fv           f v s                 usage (`_usage_row`): sums and histograms
s_fv_d         f v g s               the same by day
s_fv_h         f v h s               the same by hour
s_fv_m         f v t s               the same by minute
s_mp           M P s                 usage of model inferences
s_mp_d         M P g s               the same by day
s_mp_h         M P h s               the same by hour
s_mp_m         M P t s               the same by minute
keys           public id of API key  what is kept of the key, JSON
ex             f v X                 example of a dicl variant, JSON; X is its own id
ex_vec         f v X                 its vector: numbers of 4 bytes, little-endian
ex_version     f v                   counts up with each change (8 bytes)
dp             D                     datapoint without its body, JSON
dp_body        D                     its body, JSON
ix_dp          d U D                 - (in all three: live datapoints only)
ix_dpf         d f U D               -
ix_dpt         d #(key, value) U D   -
c_dp           d f                   live datapoints (8 bytes)
assign         E f n                 v: of an episode in an adaptive experiment
turn           f n                   turns taken in its nursery (8 bytes)
batch          B                     batch, JSON
batch_n        B                     its items by state (8 bytes each)
batch_part     B i                   native part, JSON; i counts the parts
batch_start    B                     what is being started at providers, JSON
item           B i                   item of a batch, JSON
item_request   B i                   what it asks for, JSON; absent once the item has ended
item_of        I                     B i
item_queue     lane B i              - (pending items only; lanes in `_batch_rows`)
item_running   s B i                 `s` for a suspect, else `r`, mark of its model (items that a
                                     process of ours runs)
**state**
meta           a word                JSON
cache          key (32 bytes)        written at (8 bytes, ms), turn (8 bytes), entry
cache_age      turn, key             bytes that the entry counts for (8 bytes)
cache_size     s                     bytes (8 bytes, signed)
standing       #(experiment)         how an adaptive experiment stands, JSON
bucket         #(limit, scope)       balance (8 bytes, signed), last refill, kept until (8 bytes
                                     each, ms)
metrics        s                     what the process has counted, JSON
lease          name of some work     until (8 bytes, ms of the machine's uptime), s, 8 random bytes
============== ===================== =======================================================
"""

from binascii import unhexlify
from hashlib import blake2b
from struct import Struct
from typing import Final

from lsd.conversation import encode_json, reread_json
from lsd.store.engine import Environment
from lsd.store.errors import StoreRefused
from lsd.store.transaction import Database, Transaction

VERSION: Final = 3
"""Goes up by one whenever a program of the day before could misread what is written."""

META: Final = "meta"
NAMES: Final = "name"
NAMES_BY_NUMBER: Final = "name_of"
INFERENCES: Final = "inf"
INFERENCE_BODIES: Final = "inf_body"
MODEL_INFERENCES: Final = "minf"
MODEL_INFERENCE_BODIES: Final = "minf_body"
EMBEDDINGS: Final = "emb"
FEEDBACK: Final = "fb"
JUDGEMENTS: Final = "judge"
SNAPSHOTS: Final = "cfg"
BY_ID: Final = "by_id"
BY_FUNCTION: Final = "ix_f"
BY_VARIANT: Final = "ix_fv"
BY_EPISODE: Final = "ix_ep"
EPISODES: Final = "ep"
EPISODE_VARIANTS: Final = "ep_fv"
EPISODES_BY_FUNCTION: Final = "ix_fe"
BY_TAG: Final = "ix_tag"
FAILED_BY_EPISODE: Final = "ix_failed"
DEMONSTRATED: Final = "ix_demo"
LATEST_FEEDBACK: Final = "fb_latest"
BY_METRIC: Final = "ix_m"
BY_VALUE: Final = "ix_mv"
LATEST_BY_VARIANT: Final = "ix_perf"
FEEDBACK_BY_VARIANT: Final = "ix_fbs"
FEEDBACK_SUMS: Final = "t_fbs"
VARIANT_COUNTS: Final = "c_fv"
VARIANT_USAGE: Final = "s_fv"
VARIANT_USAGE_BY_DAY: Final = "s_fv_d"
VARIANT_USAGE_BY_HOUR: Final = "s_fv_h"
VARIANT_USAGE_BY_MINUTE: Final = "s_fv_m"
MODEL_USAGE: Final = "s_mp"
MODEL_USAGE_BY_DAY: Final = "s_mp_d"
MODEL_USAGE_BY_HOUR: Final = "s_mp_h"
MODEL_USAGE_BY_MINUTE: Final = "s_mp_m"
API_KEYS: Final = "keys"
EXAMPLES: Final = "ex"
EXAMPLE_VECTORS: Final = "ex_vec"
EXAMPLE_VERSIONS: Final = "ex_version"
DATAPOINTS: Final = "dp"
DATAPOINT_BODIES: Final = "dp_body"
BY_DATASET: Final = "ix_dp"
BY_DATASET_AND_FUNCTION: Final = "ix_dpf"
BY_DATASET_AND_TAG: Final = "ix_dpt"
DATAPOINT_COUNTS: Final = "c_dp"
ASSIGNMENTS: Final = "assign"
TURNS: Final = "turn"
BATCHES: Final = "batch"
BATCH_COUNTS: Final = "batch_n"
BATCH_PARTS: Final = "batch_part"
BATCH_STARTS: Final = "batch_start"
BATCH_ITEMS: Final = "item"
BATCH_ITEM_REQUESTS: Final = "item_request"
BATCH_ITEMS_BY_INFERENCE: Final = "item_of"
BATCH_QUEUE: Final = "item_queue"
BATCH_RUNNING: Final = "item_running"

CACHE: Final = "cache"
CACHE_BY_AGE: Final = "cache_age"
CACHE_SIZE: Final = "cache_size"
BUCKETS: Final = "bucket"
LEASES: Final = "lease"
PUBLISHED_METRICS: Final = "metrics"
STANDINGS: Final = "standing"

DATA_DATABASES: Final[tuple[Database, ...]] = (
    NAMES,
    NAMES_BY_NUMBER,
    INFERENCES,
    INFERENCE_BODIES,
    MODEL_INFERENCES,
    MODEL_INFERENCE_BODIES,
    EMBEDDINGS,
    FEEDBACK,
    JUDGEMENTS,
    SNAPSHOTS,
    BY_ID,
    BY_FUNCTION,
    BY_VARIANT,
    BY_EPISODE,
    EPISODES,
    EPISODE_VARIANTS,
    EPISODES_BY_FUNCTION,
    BY_TAG,
    FAILED_BY_EPISODE,
    DEMONSTRATED,
    LATEST_FEEDBACK,
    BY_METRIC,
    BY_VALUE,
    LATEST_BY_VARIANT,
    FEEDBACK_BY_VARIANT,
    FEEDBACK_SUMS,
    VARIANT_COUNTS,
    VARIANT_USAGE,
    VARIANT_USAGE_BY_DAY,
    VARIANT_USAGE_BY_HOUR,
    VARIANT_USAGE_BY_MINUTE,
    MODEL_USAGE,
    MODEL_USAGE_BY_DAY,
    MODEL_USAGE_BY_HOUR,
    MODEL_USAGE_BY_MINUTE,
    API_KEYS,
    EXAMPLES,
    EXAMPLE_VECTORS,
    EXAMPLE_VERSIONS,
    DATAPOINTS,
    DATAPOINT_BODIES,
    BY_DATASET,
    BY_DATASET_AND_FUNCTION,
    BY_DATASET_AND_TAG,
    DATAPOINT_COUNTS,
    ASSIGNMENTS,
    TURNS,
    BATCHES,
    BATCH_COUNTS,
    BATCH_PARTS,
    BATCH_STARTS,
    BATCH_ITEMS,
    BATCH_ITEM_REQUESTS,
    BATCH_ITEMS_BY_INFERENCE,
    BATCH_QUEUE,
    BATCH_RUNNING,
)
STATE_DATABASES: Final[tuple[Database, ...]] = (
    CACHE,
    CACHE_BY_AGE,
    CACHE_SIZE,
    BUCKETS,
    LEASES,
    PUBLISHED_METRICS,
    STANDINGS,
)

ID_BYTES: Final = 16
ID_MIN: Final = bytes(ID_BYTES)
ID_MAX: Final = b"\xff" * ID_BYTES

OF_MODEL_INFERENCE: Final = b"a"
OF_FEEDBACK: Final = b"f"
"""Kinds in `by_id`."""

UNSIGNED: Final = Struct(">Q")
SIGNED: Final = Struct(">q")
COUNT_AND_ID: Final = Struct(">q16s")
COUNT_AND_IDS: Final = Struct(">q16s16s")
ID_AND_COUNT: Final = Struct(">16sq")
CACHE_TIMES: Final = Struct(">QQ")
BUCKET: Final = Struct(">qQQ")
SHARD: Final = Struct(">H")
INDEX: Final = Struct(">I")
"""The place of an item in its batch."""

TIME: Final = Struct(">I")
"""Days, hours or minutes since 1970."""

_BINARY64 = Struct(">d")
_SIGN_BIT = 1 << 63
_ALL_BITS = (1 << 64) - 1

_LAYOUT_KEY = b"layout"


def id_key(canonical: str) -> bytes:
    """The 16 bytes of an id in its canonical form."""
    return unhexlify(canonical.replace("-", ""))


def id_text(key: bytes) -> str:
    """The canonical form of 16 bytes."""
    digits = key.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def hash_key(*parts: bytes) -> bytes:
    """16 bytes for any number of free strings; the lengths keep ("ab", "c") from ("a", "bc")."""
    told = b"".join([UNSIGNED.pack(len(part)) + part for part in parts])
    return blake2b(told, digest_size=16).digest()


def tag_key(key: str, value: str) -> bytes:
    """What stands for a tag in the keys of those that carry it."""
    return hash_key(key.encode(), value.encode())


def value_key(value: bool | float) -> bytes:
    """Bytes that sort as values of metrics do, booleans before numbers."""
    if isinstance(value, bool):
        return b"b\x01" if value else b"b\x00"
    (bits,) = UNSIGNED.unpack(_BINARY64.pack(value + 0.0))  # -0.0 is 0.0
    # Positive numbers sort by their bits; of negative ones the greater bits are the lesser number.
    return b"f" + UNSIGNED.pack(bits ^ (_ALL_BITS if bits & _SIGN_BIT else _SIGN_BIT))


def value_of_key(key: bytes) -> bool | float:
    """The inverse of `value_key`, from a key that begins with such bytes."""
    if key[:1] == b"b":
        return key[1:2] == b"\x01"
    (bits,) = UNSIGNED.unpack_from(key, 1)
    plain = bits ^ (_SIGN_BIT if bits & _SIGN_BIT else _ALL_BITS)
    (number,) = _BINARY64.unpack(UNSIGNED.pack(plain))
    value: float = number
    return value


def end_of(prefix: bytes) -> bytes | None:
    """The first key behind all keys that begin with `prefix`; None: there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else None


def claim(environment: Environment) -> None:
    """Writes the layout's version into a new environment, compares it in an old one.

    Raises StoreRefused when a newer program has written the environment.
    """
    environment.open_databases((META,))
    with environment.read() as transaction:
        found = transaction.get(META, _LAYOUT_KEY)
    if found is None:
        environment.write(_write_version)
        return
    version = reread_json(found)["version"]
    if version != VERSION:
        reason = f"found on-disk format {version}; this program reads format {VERSION}"
        raise StoreRefused(str(environment.path), reason)


def _write_version(transaction: Transaction) -> None:
    transaction.put(META, _LAYOUT_KEY, encode_json({"version": VERSION}))
