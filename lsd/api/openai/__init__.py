"""The endpoints that speak OpenAI's language: chat completions, embeddings, models, responses."""
