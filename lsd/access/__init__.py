"""Who may call: API keys.

A *key* is handed out once as a text and then known by its *public id*; the store keeps a hash.
"""

from lsd.access.api_key_text import NewApiKey, hash_of_secret, is_public_id, new_api_key
from lsd.access.authenticator import Authenticator, NotAuthenticated

__all__ = [
    "Authenticator",
    "NewApiKey",
    "NotAuthenticated",
    "hash_of_secret",
    "is_public_id",
    "new_api_key",
]
