"""Datasets: examples of what functions are asked and should answer, kept as versions.

A *datapoint* is one version of an example. It is *live* until it is deleted or another version
takes its place; then it is *stale*, and can still be read. A *dataset* is a name, and the live
datapoints that have it.
"""

from lsd.datasets.harvest import Chosen, OutputSource
from lsd.datasets.names import check_dataset_name
from lsd.datasets.refusals import DatasetUnchanged
from lsd.datasets.request import (
    NewDatapoint,
    Patch,
    Renaming,
    check_given,
    read_new_datapoints,
    read_patches,
    read_renamings,
)
from lsd.datasets.service import DatasetService

__all__ = [
    "Chosen",
    "DatasetService",
    "DatasetUnchanged",
    "NewDatapoint",
    "OutputSource",
    "Patch",
    "Renaming",
    "check_dataset_name",
    "check_given",
    "read_new_datapoints",
    "read_patches",
    "read_renamings",
]
