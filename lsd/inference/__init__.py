"""What happens to one inference: the request, the draw of a variant, the calls, the record.

A *run* is one inference in progress; its *journal* holds a *model call* for each provider that was
asked. `prepare` makes a configuration ready once; an `InferenceService` then serves every request.
"""

from lsd.inference.accept import Accepted
from lsd.inference.adaptive_experiments import AdaptiveExperiments, ExperimentStore
from lsd.inference.answers import Answer
from lsd.inference.aws_key_chain import AwsKeyChain
from lsd.inference.aws_sign_in import AwsSignIn
from lsd.inference.call_failures import mask_failure
from lsd.inference.costs import CostTable
from lsd.inference.direct_call import NO_OPTIONS, CallOptions, DirectCall
from lsd.inference.elsewhere import CallElsewhere, call_elsewhere, costs_elsewhere
from lsd.inference.embedding_models import EmbeddingMaker
from lsd.inference.embedding_service import (
    EmbeddingAnswer,
    EmbeddingOptions,
    EmbeddingService,
)
from lsd.inference.ended import Answered, Ended, Unanswered
from lsd.inference.example_memory import ExampleMemory
from lsd.inference.example_request import ExamplesRequest, read_examples_request
from lsd.inference.example_service import ExampleService
from lsd.inference.file_desk import FileDesk
from lsd.inference.gcp_sign_in import GcpSignIn, GcpTokens
from lsd.inference.input_checks import check_input
from lsd.inference.journal import ModelCall, raw_responses, raw_usages
from lsd.inference.outputs import fitting_value
from lsd.inference.prepared import (
    DEFAULT_FUNCTION,
    DialectMaker,
    Prepared,
    PreparedModel,
    PreparedProvider,
    PreparedVariant,
    prepare,
)
from lsd.inference.prompts import Prompts
from lsd.inference.records import Recorder
from lsd.inference.reference_outputs import (
    ReferenceBlock,
    chat_reference,
    json_reference,
    read_reference_blocks,
    register_reference_blocks,
)
from lsd.inference.refusals import (
    BadRequest,
    FailureCause,
    InferenceFailed,
    ProviderFailure,
    UnknownName,
    VariantFailed,
)
from lsd.inference.reply import OpenWriter, Reply, Send, StreamWriter
from lsd.inference.request import (
    NO_CACHE,
    CacheOptions,
    InferenceRequest,
    read_inference_request,
    register_cache_options,
    structure_inference_request,
)
from lsd.inference.requested_tools import register_tools
from lsd.inference.running import Running, RunningInferences
from lsd.inference.service import InferenceService
from lsd.inference.sign_in import SignIn, SignInMaker
from lsd.inference.targeted_edits import TargetedBodyEdit, TargetedHeaderEdit, register_edits
from lsd.inference.toolbox import Toolbox, toolbox_for
from lsd.inference.tools_json import provider_tool_to_json, tool_choice_to_json, tool_to_json
from lsd.inference.variants import assignment_of, drawing_of, drawn_variant
from lsd.inference.written_credentials import Credentials

__all__ = [
    "DEFAULT_FUNCTION",
    "NO_CACHE",
    "NO_OPTIONS",
    "Accepted",
    "AdaptiveExperiments",
    "Answer",
    "Answered",
    "AwsKeyChain",
    "AwsSignIn",
    "BadRequest",
    "CacheOptions",
    "CallElsewhere",
    "CallOptions",
    "CostTable",
    "Credentials",
    "DialectMaker",
    "DirectCall",
    "EmbeddingAnswer",
    "EmbeddingMaker",
    "EmbeddingOptions",
    "EmbeddingService",
    "Ended",
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
    "PreparedProvider",
    "PreparedVariant",
    "Prompts",
    "ProviderFailure",
    "Recorder",
    "ReferenceBlock",
    "Reply",
    "Running",
    "RunningInferences",
    "Send",
    "SignIn",
    "SignInMaker",
    "StreamWriter",
    "TargetedBodyEdit",
    "TargetedHeaderEdit",
    "Toolbox",
    "Unanswered",
    "UnknownName",
    "VariantFailed",
    "assignment_of",
    "call_elsewhere",
    "chat_reference",
    "check_input",
    "costs_elsewhere",
    "drawing_of",
    "drawn_variant",
    "fitting_value",
    "json_reference",
    "mask_failure",
    "prepare",
    "provider_tool_to_json",
    "raw_responses",
    "raw_usages",
    "read_examples_request",
    "read_inference_request",
    "read_reference_blocks",
    "register_cache_options",
    "register_edits",
    "register_reference_blocks",
    "register_tools",
    "structure_inference_request",
    "tool_choice_to_json",
    "tool_to_json",
    "toolbox_for",
]
