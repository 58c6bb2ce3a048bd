"""The endpoints that speak Anthropic's Messages."""
