"""What a tool gave back, for providers whose results of tools are texts."""

from lsd.conversation import File, Text, ToolResult


def result_text(result: ToolResult, attached: list[File]) -> str:
    """The result as one text; its files are appended to `attached`, which goes behind it.

    Their numbers count from the first that is attached in this place.
    """
    blocks = (Text(text=result.result),) if isinstance(result.result, str) else result.result
    texts: list[str] = []
    for block in blocks:
        if isinstance(block, Text):
            texts.append(block.text)
        else:
            attached.append(block)
            texts.append(f"[attachment {len(attached)} follows]")
    text = "\n\n".join(texts)
    if result.is_error and not text.startswith("Error: "):
        return f"Error: {text}"
    return text
