"""What happens to one inference: the request, the draw of a variant, the calls, the record.

A *run* is one inference in progress; its *journal* holds a *model call* for each provider that was
asked. `prepare` makes a configuration ready once; an `InferenceService` then serves every request.
"""

from lsd.inference.adaptive_experiments import AdaptiveExperiments, ExperimentStore
from lsd.inference.answers import Answer
from lsd.inference.aws_key_chain import AwsKeyChain
from lsd.inference.aws_sign_in import AwsSignIn
from lsd.inference.direct_call import DirectCall
from lsd.inference.embedding_models import EmbeddingMaker
from lsd.inference.embedding_service import (
    EmbeddingAnswer,
    EmbeddingOptions,
    EmbeddingService,
)
from lsd.inference.example_memory import ExampleMemory
from lsd.inference.example_request import ExamplesRequest, read_examples_request
from lsd.inference.example_service import ExampleService
from lsd.inference.file_desk import FileDesk
from lsd.inference.gcp_sign_in import GcpSignIn, GcpTokens
from lsd.inference.journal import ModelCall, raw_responses, raw_usages
from lsd.inference.prepared import (
    DEFAULT_FUNCTION,
    DialectMaker,
    Prepared,
    PreparedModel,
    prepare,
)
from lsd.inference.records import Recorder
from lsd.inference.refusals import (
    BadRequest,
    FailureCause,
    InferenceFailed,
    ProviderFailure,
    UnknownName,
)
from lsd.inference.reply import OpenWriter, Reply, Send, StreamWriter
from lsd.inference.request import (
    CacheOptions,
    InferenceRequest,
    read_inference_request,
    register_cache_options,
)
from lsd.inference.running import Running, RunningInferences
from lsd.inference.service import InferenceService
from lsd.inference.sign_in import SignIn, SignInMaker
from lsd.inference.targeted_edits import TargetedBodyEdit, TargetedHeaderEdit, register_edits

__all__ = [
    "DEFAULT_FUNCTION",
    "AdaptiveExperiments",
    "Answer",
    "AwsKeyChain",
    "AwsSignIn",
    "BadRequest",
    "CacheOptions",
    "DialectMaker",
    "DirectCall",
    "EmbeddingAnswer",
    "EmbeddingMaker",
    "EmbeddingOptions",
    "EmbeddingService",
    "ExampleMemory",
    "ExampleService",
    "ExamplesRequest",
    "ExperimentStore",
    "FailureCause",
    "FileDesk",
    "GcpSignIn",
    "GcpTokens",
    "InferenceFailed",
    "InferenceRequest",
    "InferenceService",
    "ModelCall",
    "OpenWriter",
    "Prepared",
    "PreparedModel",
    "ProviderFailure",
    "Recorder",
    "Reply",
    "Running",
    "RunningInferences",
    "Send",
    "SignIn",
    "SignInMaker",
    "StreamWriter",
    "TargetedBodyEdit",
    "TargetedHeaderEdit",
    "UnknownName",
    "prepare",
    "raw_responses",
    "raw_usages",
    "read_examples_request",
    "read_inference_request",
    "register_cache_options",
    "register_edits",
]
