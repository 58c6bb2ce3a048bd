"""Who may call, and how much: API keys and rate limits.

A *key* is handed out once as a text and then known by its *public id*; the store keeps a hash. A
call takes a *ticket* from all *buckets* that count for it, and *settles* when it is known what it
has used.
"""

from lsd.access.api_key_text import NewApiKey, hash_of_secret, is_public_id, new_api_key
from lsd.access.authenticator import Authenticator, NotAuthenticated
from lsd.access.rate_limiter import CallLimits, RateLimiter, Ticket, Used
from lsd.access.token_estimate import estimated_embedding_tokens, estimated_prompt_tokens

__all__ = [
    "Authenticator",
    "CallLimits",
    "NewApiKey",
    "NotAuthenticated",
    "RateLimiter",
    "Ticket",
    "Used",
    "estimated_embedding_tokens",
    "estimated_prompt_tokens",
    "hash_of_secret",
    "is_public_id",
    "new_api_key",
]
