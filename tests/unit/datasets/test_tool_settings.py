"""The tools of a chat's datapoint."""

from typing import Any

import pytest

from lsd.config import ChatFunction
from lsd.conversation import FunctionTool, ProviderTool, SpecificTool
from lsd.datasets.request import ChatPatch
from lsd.datasets.tool_settings import ToolSettings
from lsd.inference import BadRequest, Toolbox
from lsd.store import DatapointBody
from tests.unit.datasets.workbench import Workbench

FAX = FunctionTool(name="fax", description="Sends a fax", parameters={"type": "object"})
OWN = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
SETTINGS = ToolSettings(
    allowed_tools=("fax",),
    additional_tools=(FAX,),
    tool_choice=SpecificTool(name="fax"),
    parallel_tool_calls=False,
    provider_tools=(ProviderTool(tool={"type": "web_search"}),),
)


def toolbox(bench: Workbench, settings: ToolSettings, *, survives: bool = False) -> Toolbox | None:
    """The tools of the function `office` with these settings."""
    function = bench.gateway.prepared.config.functions["office"]
    assert isinstance(function, ChatFunction)
    prepared = bench.gateway.prepared
    make = settings.surviving_toolbox if survives else settings.toolbox
    return make(function, prepared.config.tools, prepared.schemas)


async def test_what_is_kept_reads_back_the_same(bench: Workbench) -> None:
    """Chosen tools stay chosen."""
    kept = SETTINGS.resulting(toolbox(bench, SETTINGS))

    assert ToolSettings.of_stored(DatapointBody(input={}, **kept)) == SETTINGS


async def test_what_was_not_said_is_the_functions(bench: Workbench) -> None:
    """Choices are kept as they resulted, lists only where they were given."""
    settings = ToolSettings()

    assert settings.resulting(toolbox(bench, settings)) == {
        "allowed_tools": None,
        "additional_tools": None,
        "tool_choice": "auto",
        "parallel_tool_calls": None,
        "provider_tools": None,
    }
    assert settings.resulting(None) == {}


def patch(**fields: Any) -> ChatPatch:
    """A patch."""
    return ChatPatch(id=OWN, **fields)  # type: ignore[arg-type]


def test_a_patch_that_says_nothing_changes_nothing() -> None:
    """Lists cannot be null, so null says nothing of them."""
    assert SETTINGS.patched(patch()) is SETTINGS
    assert SETTINGS.patched(patch(additional_tools=None, provider_tools=None)) is SETTINGS


def test_a_patch_clears_with_null() -> None:
    """What the function has counts then."""
    cleared = SETTINGS.patched(
        patch(
            allowed_tools=None,
            additional_tools=(),
            tool_choice=None,
            parallel_tool_calls=None,
            provider_tools=(),
        )
    )

    assert cleared == ToolSettings(additional_tools=())


async def test_settings_outlive_tools(bench: Workbench) -> None:
    """What is gone is left out where old settings are read; new ones are refused."""
    gone = ToolSettings(allowed_tools=("page", "gone"), tool_choice=SpecificTool(name="gone"))

    with pytest.raises(BadRequest):
        toolbox(bench, gone)
    survivors = toolbox(bench, gone, survives=True)
    assert survivors is not None
    assert survivors.may_call("page")
    assert not survivors.may_call("gone")
    page = FunctionTool(name="page", description="Another", parameters={"type": "object"})
    assert toolbox(bench, ToolSettings(additional_tools=(page,)), survives=True) is None
