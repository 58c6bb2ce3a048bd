"""`[tools.T]`: what models may call."""

from typing import Annotated

import attrs

from lsd.config.kinds import JsonFile, NameOfTable
from lsd.conversation import Schema


@attrs.frozen(kw_only=True)
class Tool:
    """A function tool; `name` is what the model sees."""

    name: Annotated[str, NameOfTable()]
    description: str
    parameters: Annotated[Schema, JsonFile()]
    strict: bool = False
