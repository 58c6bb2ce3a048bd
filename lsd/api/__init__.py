"""HTTP: routes from bytes to bytes, their errors, and the ASGI application that serves them.

An *endpoint* is a path with a plain function; the *front* serves the hot ones directly and leaves
the rest to the quart app. Statuses and headers are known on this floor only.
"""

from lsd.api.anthropic.messages import Messages
from lsd.api.anthropic.models import AnthropicModels
from lsd.api.authentication import Authentication
from lsd.api.batches import Batches
from lsd.api.compat.lane_errors import error_desk
from lsd.api.compat.probes import probes
from lsd.api.configurations import Configurations
from lsd.api.cors import Cors
from lsd.api.datapoints import Datapoints
from lsd.api.datasets import Datasets
from lsd.api.edge import Edge
from lsd.api.episodes import Episodes
from lsd.api.errors import ErrorAnswers, ErrorDesk, status_of
from lsd.api.examples import ExampleEndpoints
from lsd.api.exchange import Answer, Endpoint, Request
from lsd.api.front import Front, hot_endpoints
from lsd.api.function_statistics import FunctionStatistics
from lsd.api.functions import Functions
from lsd.api.human_feedback import HumanFeedback
from lsd.api.in_flight import InFlight
from lsd.api.inferences import Inferences
from lsd.api.metric_statistics import MetricStatistics
from lsd.api.model_statistics import ModelStatistics
from lsd.api.native import Native
from lsd.api.openai.chat_completions import ChatCompletions
from lsd.api.openai.embeddings import Embeddings
from lsd.api.openai.models import OpenAIModels
from lsd.api.openai.responses import Responses
from lsd.api.operations import Operations
from lsd.api.reading import Reading
from lsd.api.records import Records
from lsd.api.routed import RoutedApp
from lsd.api.target_feedback import TargetFeedback
from lsd.api.tracing import Tracing

__all__ = [
    "Answer",
    "AnthropicModels",
    "Authentication",
    "Batches",
    "ChatCompletions",
    "Configurations",
    "Cors",
    "Datapoints",
    "Datasets",
    "Edge",
    "Embeddings",
    "Endpoint",
    "Episodes",
    "ErrorAnswers",
    "ErrorDesk",
    "ExampleEndpoints",
    "Front",
    "FunctionStatistics",
    "Functions",
    "HumanFeedback",
    "InFlight",
    "Inferences",
    "Messages",
    "MetricStatistics",
    "ModelStatistics",
    "Native",
    "OpenAIModels",
    "Operations",
    "Reading",
    "Records",
    "Request",
    "Responses",
    "RoutedApp",
    "TargetFeedback",
    "Tracing",
    "error_desk",
    "hot_endpoints",
    "probes",
    "status_of",
]
