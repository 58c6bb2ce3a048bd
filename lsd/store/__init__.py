"""Everything LSD keeps, in LMDB: inferences, feedback, datapoints, snapshots, API keys, caches.

The *store* is a folder with two *environments*, `data` and `state`. A part of the store makes a
*write* out of *records*; the *writer* commits all writes that wait in one transaction. Reads take a
snapshot of their own.
"""

from lsd.store._datapoint_lists import DatapointQuery
from lsd.store._group_commit import Write
from lsd.store.api_keys import ApiKey, ApiKeys
from lsd.store.assignments import Assigned, Assignments, Experiment
from lsd.store.batch_records import (
    BatchItem,
    BatchPart,
    BatchRecord,
    ClaimedItem,
    EndedItem,
    ItemCounts,
    ItemError,
    ItemResult,
    ItemState,
    NewItem,
)
from lsd.store.batch_starts import BatchStart, BatchStarts
from lsd.store.batches import Batches, ItemNotHeld
from lsd.store.buckets import AMOUNT_MAX, BucketLimit, Buckets, Shortage
from lsd.store.cache import InferenceCache
from lsd.store.check import verify
from lsd.store.datapoints import Datapoints, Dataset, Revision
from lsd.store.engine import Durability
from lsd.store.episodes import Episode, EpisodeBounds, Episodes
from lsd.store.errors import (
    AlreadyRecorded,
    StoreFailed,
    StoreFull,
    StoreInUse,
    StoreRefused,
    UnknownDatapoint,
    UnknownTarget,
    WriteFailed,
    WriteRefused,
)
from lsd.store.examples import Example, ExampleChanges, Examples
from lsd.store.feedback import Feedback, FeedbackBounds, LatestValue
from lsd.store.feedback_statistics import (
    FeedbackCount,
    FeedbackStatistics,
    MetricCount,
    VariantMoments,
)
from lsd.store.filters import (
    AllOf,
    AnyOf,
    ByMetric,
    ByRelevance,
    ByTime,
    Comparison,
    Demonstrated,
    Filter,
    InferenceQuery,
    MetricGiven,
    MetricIs,
    Not,
    OrderTerm,
    Selection,
    TagIs,
    TimeIs,
)
from lsd.store.inferences import Inferences, VariantCount
from lsd.store.judgements import Verdict
from lsd.store.leases import Leases, work_alone
from lsd.store.moments import Moments
from lsd.store.new_inference import Fields, NewCall, NewInference, new_calls
from lsd.store.objects import FileObjects, ObjectMissing, ObjectsRefused, storage_path_of
from lsd.store.periods import TimeWindow, Window
from lsd.store.published_metrics import PublishedMetrics
from lsd.store.record_export import export_lines
from lsd.store.record_import import BadLine, Imported, import_lines
from lsd.store.records import (
    Datapoint,
    DatapointBody,
    EmbeddingRecord,
    FeedbackKind,
    FeedbackRecord,
    FunctionType,
    InferenceBody,
    InferenceRecord,
    InferenceStatus,
    Judgement,
    ModelInferenceBody,
    ModelInferenceRecord,
    ModelInferenceStatus,
    Tags,
    TargetType,
)
from lsd.store.resolve import Meaning
from lsd.store.retention import Retention
from lsd.store.running_table import RunningDesk, RunningTable
from lsd.store.snapshots import Snapshot, Snapshots
from lsd.store.standings import Standings
from lsd.store.store import Store, StoreSettings
from lsd.store.usage import Usage, quantiles
from lsd.store.usage_statistics import ModelUsage, UsageStatistics, VariantUsage
from lsd.store.worker_table import Progress, WorkerTable
from lsd.store.writer import Gathering, Writer, WriterStatistics

__all__ = [
    "AMOUNT_MAX",
    "AllOf",
    "AlreadyRecorded",
    "AnyOf",
    "ApiKey",
    "ApiKeys",
    "Assigned",
    "Assignments",
    "BadLine",
    "BatchItem",
    "BatchPart",
    "BatchRecord",
    "BatchStart",
    "BatchStarts",
    "Batches",
    "BucketLimit",
    "Buckets",
    "ByMetric",
    "ByRelevance",
    "ByTime",
    "ClaimedItem",
    "Comparison",
    "Datapoint",
    "DatapointBody",
    "DatapointQuery",
    "Datapoints",
    "Dataset",
    "Demonstrated",
    "Durability",
    "EmbeddingRecord",
    "EndedItem",
    "Episode",
    "EpisodeBounds",
    "Episodes",
    "Example",
    "ExampleChanges",
    "Examples",
    "Experiment",
    "Feedback",
    "FeedbackBounds",
    "FeedbackCount",
    "FeedbackKind",
    "FeedbackRecord",
    "FeedbackStatistics",
    "Fields",
    "FileObjects",
    "Filter",
    "FunctionType",
    "Gathering",
    "Imported",
    "InferenceBody",
    "InferenceCache",
    "InferenceQuery",
    "InferenceRecord",
    "InferenceStatus",
    "Inferences",
    "ItemCounts",
    "ItemError",
    "ItemNotHeld",
    "ItemResult",
    "ItemState",
    "Judgement",
    "LatestValue",
    "Leases",
    "Meaning",
    "MetricCount",
    "MetricGiven",
    "MetricIs",
    "ModelInferenceBody",
    "ModelInferenceRecord",
    "ModelInferenceStatus",
    "ModelUsage",
    "Moments",
    "NewCall",
    "NewInference",
    "NewItem",
    "Not",
    "ObjectMissing",
    "ObjectsRefused",
    "OrderTerm",
    "Progress",
    "PublishedMetrics",
    "Retention",
    "Revision",
    "RunningDesk",
    "RunningTable",
    "Selection",
    "Shortage",
    "Snapshot",
    "Snapshots",
    "Standings",
    "Store",
    "StoreFailed",
    "StoreFull",
    "StoreInUse",
    "StoreRefused",
    "StoreSettings",
    "TagIs",
    "Tags",
    "TargetType",
    "TimeIs",
    "TimeWindow",
    "UnknownDatapoint",
    "UnknownTarget",
    "Usage",
    "UsageStatistics",
    "VariantCount",
    "VariantMoments",
    "VariantUsage",
    "Verdict",
    "Window",
    "WorkerTable",
    "Write",
    "WriteFailed",
    "WriteRefused",
    "Writer",
    "WriterStatistics",
    "export_lines",
    "import_lines",
    "new_calls",
    "quantiles",
    "storage_path_of",
    "verify",
    "work_alone",
]
