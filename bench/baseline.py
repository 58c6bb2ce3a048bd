"""The gateway as one would first write it: Hypercorn, quart-trio and httpx, and nothing else.

    python3 -P bench/baseline.py PORT UPSTREAM_PORT     # serves POST /inference until it is ended

It does the least that LSD does: parses the request, makes one call of a provider, answers. No
configuration, no variants, no records. What LSD is measured against is that cost, not its features.
"""

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart import Response, request
from quart_trio import QuartTrio

app = QuartTrio("baseline")
client = httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=60)


@app.get("/health")
async def health() -> dict[str, str]:
    """For whoever waits until this serves."""
    return {"status": "ok"}


@app.post("/inference")
async def inference() -> Any:
    """One call of the provider, whole or streamed."""
    asked = await request.get_json(force=True)
    body = {"model": "canned", "messages": asked["input"]["messages"]}
    if asked.get("stream"):
        return Response(events(body), content_type="text/event-stream")
    response = await client.post(app.config["UPSTREAM"], json=body)
    answer = response.json()
    return {
        "content": [{"type": "text", "text": answer["choices"][0]["message"]["content"]}],
        "usage": answer["usage"],
    }


async def events(body: dict[str, Any]) -> AsyncIterator[bytes]:
    """The provider's chunks in LSD's form."""
    asked = {**body, "stream": True}
    async with client.stream("POST", app.config["UPSTREAM"], json=asked) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            choices = json.loads(line[6:])["choices"]
            text = choices[0]["delta"].get("content", "") if choices else ""
            chunk = {"content": [{"type": "text", "id": "0", "text": text}]}
            # The first way that comes to mind; when the client leaves, the call may leak.
            yield b"data: " + json.dumps(chunk).encode() + b"\n\n"  # noqa: ASYNC119 (see above)
    yield b"data: [DONE]\n\n"


def main(port: str, upstream_port: str) -> None:
    """Serves."""
    app.config["UPSTREAM"] = f"http://127.0.0.1:{upstream_port}/v1/chat/completions"
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    trio.run(serve, app, config)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
