"""Batches: many inferences submitted at once, kept in the store, run one by one in the background.

A *batch* has *items*; each becomes an inference under the id it was given at the submission. The
*queue* of a process *claims* items in the store, runs them and writes how they ended.
"""

from lsd.batches.held_credentials import HeldCredentials
from lsd.batches.item_run import ItemRunner
from lsd.batches.local_queue import LocalQueue, QueueWork
from lsd.batches.native_calls import NativeCalls
from lsd.batches.native_jobs import NativeJobs, NativeWork
from lsd.batches.native_results import NativeResults
from lsd.batches.native_submission import NativeSubmission
from lsd.batches.orphaned_jobs import OrphanedJobs
from lsd.batches.outcomes import Decider
from lsd.batches.refusals import (
    BadSubmission,
    BatchNotStored,
    CredentialsLost,
    ItemRefused,
    NativeStartsFailed,
    NotConfiguredAnyMore,
    RecordsAreOff,
    UnknownBatch,
    UnknownItem,
)
from lsd.batches.results import batch_head
from lsd.batches.service import BatchService
from lsd.batches.submission import Submission, read_submission

__all__ = [
    "BadSubmission",
    "BatchNotStored",
    "BatchService",
    "CredentialsLost",
    "Decider",
    "HeldCredentials",
    "ItemRefused",
    "ItemRunner",
    "LocalQueue",
    "NativeCalls",
    "NativeJobs",
    "NativeResults",
    "NativeStartsFailed",
    "NativeSubmission",
    "NativeWork",
    "NotConfiguredAnyMore",
    "OrphanedJobs",
    "QueueWork",
    "RecordsAreOff",
    "Submission",
    "UnknownBatch",
    "UnknownItem",
    "batch_head",
    "read_submission",
]
