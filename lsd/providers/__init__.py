"""How providers are spoken to: pure code from neutral requests to bytes, and back.

A *dialect* encodes a request and decodes an answer for one configured provider; a *stream decoder*
is fed the bytes of a streamed answer. Nothing here opens a socket.
"""

from lsd.providers._aws_errors import error_name as aws_error_name
from lsd.providers.aws_keys import (
    METADATA_BASE,
    AwsKeys,
    check_answered,
    container_request,
    metadata_keys_request,
    metadata_region_request,
    metadata_roles_request,
    metadata_token_request,
    read_json,
    read_keys,
    read_web_identity,
    token_service_url,
    web_identity_request,
)
from lsd.providers.batch_api import (
    FILE_BYTES_MAX,
    LINES_MAX,
    WINDOW_MS,
    BatchAPI,
    BatchFile,
    FoundJobs,
    Job,
    Row,
)
from lsd.providers.dialect import Counting, Dialect, Relaying, StreamDecoder
from lsd.providers.echo import EchoDialect
from lsd.providers.echo_embedding import EchoEmbeddings
from lsd.providers.embedding_dialect import EmbeddingDialect
from lsd.providers.embedding_targets import embedding_dialect_for
from lsd.providers.gcp_tokens import (
    CLOUD_SCOPE,
    AccessToken,
    MetadataServer,
    exchange_request,
    metadata_request,
    read_token,
    refresh_request,
    self_signed_token,
)
from lsd.providers.openai_batches import OpenAIBatches
from lsd.providers.prefill import completed_answer, completed_stream
from lsd.providers.selection import batch_api_for, begins_jobs, dialect_for
from lsd.providers.tool_names import ToolNames
from lsd.providers.vertex import vertex_audience

__all__ = [
    "CLOUD_SCOPE",
    "FILE_BYTES_MAX",
    "LINES_MAX",
    "METADATA_BASE",
    "WINDOW_MS",
    "AccessToken",
    "AwsKeys",
    "BatchAPI",
    "BatchFile",
    "Counting",
    "Dialect",
    "EchoDialect",
    "EchoEmbeddings",
    "EmbeddingDialect",
    "FoundJobs",
    "Job",
    "MetadataServer",
    "OpenAIBatches",
    "Relaying",
    "Row",
    "StreamDecoder",
    "ToolNames",
    "aws_error_name",
    "batch_api_for",
    "begins_jobs",
    "check_answered",
    "completed_answer",
    "completed_stream",
    "container_request",
    "dialect_for",
    "embedding_dialect_for",
    "exchange_request",
    "metadata_keys_request",
    "metadata_region_request",
    "metadata_request",
    "metadata_roles_request",
    "metadata_token_request",
    "read_json",
    "read_keys",
    "read_token",
    "read_web_identity",
    "refresh_request",
    "self_signed_token",
    "token_service_url",
    "vertex_audience",
    "web_identity_request",
]
