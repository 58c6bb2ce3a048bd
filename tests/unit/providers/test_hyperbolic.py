"""Hyperbolic completes plain text."""

from lsd.conversation import FunctionTool, ToolSet
from tests.unit.providers.recorded import make_dialect, refused, request, warned


def test_a_request_with_tools_is_refused() -> None:
    """Left out, the tools would be missed; another provider may have them."""
    tools = ToolSet(tools=(FunctionTool(name="wx", description="", parameters={}),))

    told = refused(make_dialect("hyperbolic"), request(tools=tools))

    assert told == "hyperbolic: found tools; this type takes none"


def test_a_schema_is_left_out_with_a_warning() -> None:
    """There is no response format to ask for."""
    asked = request(json_mode="strict", output_schema={"type": "object"})

    assert warned(make_dialect("hyperbolic"), asked) == ["json_mode"]
    assert warned(make_dialect("hyperbolic"), request(json_mode="on")) == []
