"""The whole of `lsd.toml`."""

from collections.abc import Mapping

import attrs

from lsd.config.tables.evaluators import Evaluation
from lsd.config.tables.functions import Function
from lsd.config.tables.gateway import Gateway
from lsd.config.tables.metric import Metric
from lsd.config.tables.models import EmbeddingModel, Model
from lsd.config.tables.provider_types import ProviderTypes
from lsd.config.tables.rate_limiting import RateLimiting
from lsd.config.tables.storage import FilesystemObjects, ObjectStorage, Storage
from lsd.config.tables.tool import Tool


@attrs.frozen(kw_only=True)
class Config:
    """One configuration, merged, defaulted and with the contents of all files.

    `template_files` holds the included templates by the name under which they are included.
    """

    gateway: Gateway = attrs.field(factory=Gateway)
    storage: Storage = attrs.field(factory=Storage)
    object_storage: ObjectStorage = attrs.field(factory=FilesystemObjects)
    models: Mapping[str, Model] = attrs.field(factory=dict)
    embedding_models: Mapping[str, EmbeddingModel] = attrs.field(factory=dict)
    provider_types: ProviderTypes = attrs.field(factory=ProviderTypes)
    functions: Mapping[str, Function] = attrs.field(factory=dict)
    tools: Mapping[str, Tool] = attrs.field(factory=dict)
    metrics: Mapping[str, Metric] = attrs.field(factory=dict)
    evaluations: Mapping[str, Evaluation] = attrs.field(factory=dict)
    rate_limiting: RateLimiting = attrs.field(factory=RateLimiting)
    template_files: Mapping[str, str] = attrs.field(factory=dict, metadata={"key": None})
