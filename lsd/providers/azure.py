"""Azure OpenAI: OpenAI's models behind a URL that names the deployment."""

from lsd.providers._openai_family import Member

AZURE = Member(
    provider_type="azure",
    key_header="api-key",
    key_prefix="",
    token_limit_keys=("max_completion_tokens",),
    takes_verbosity=True,
    takes_user=True,
    service_tiers=frozenset({"auto", "default"}),
    takes_custom_tools=True,
    takes_allowed_tools=True,
    tool_call_ids="openai",
    adds_json_instruction=True,
    takes_image_detail=True,
    takes_back_thoughts=False,
)
