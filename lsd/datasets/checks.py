"""What datapoints are checked by: the functions of the configuration, their schemas and tools."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import attrs

from lsd.config import ChatFunction, Function
from lsd.conversation import BadSchema, Input, Malformed, Problem, Schema
from lsd.inference import (
    DEFAULT_FUNCTION,
    BadRequest,
    FileDesk,
    Prepared,
    Prompts,
    UnknownName,
    check_input,
)
from lsd.store import FunctionType

_BUILT_IN: Final = ChatFunction(variants={})


@attrs.frozen(kw_only=True)
class Target:
    """The function that a datapoint is for."""

    name: str
    config: Function
    prompts: tuple[Prompts, ...]


@attrs.frozen(kw_only=True)
class Checks:
    """All that can be found wrong without the store, under one configuration."""

    prepared: Prepared
    file_desk: FileDesk

    def find(self, function_name: str) -> Target | None:
        """A function that is configured, or the built-in one."""
        function = self.prepared.functions.get(function_name)
        if function is not None:
            prompts = (variant.generation.prompts for variant in function.variants.values())
            return Target(name=function_name, config=function.config, prompts=tuple(prompts))
        if function_name == DEFAULT_FUNCTION:
            return Target(name=function_name, config=_BUILT_IN, prompts=())
        return None

    def new_target(self, function_name: str, wanted: FunctionType) -> Target:
        """The function of a new datapoint. Raises BadRequest."""
        target = self.find(function_name)
        if target is None:
            reason = f"found {function_name!r}; wanted the name of a configured function"
            raise BadRequest("function_name", reason)
        self._check_type(target, wanted)
        return target

    def old_target(self, function_name: str, wanted: FunctionType) -> Target:
        """The function of what is stored. Raises UnknownName and BadRequest."""
        target = self.find(function_name)
        if target is None:
            raise UnknownName("function_name", "function", function_name)
        self._check_type(target, wanted)
        return target

    async def stored_input(self, value: Input, target: Target) -> Input:
        """`value` with pointers to its files, once it fits the function. Raises BadRequest."""
        show_values = self.prepared.config.gateway.debug
        check_input(value, target.config.schemas, target.prompts, show_values=show_values)
        return await self.file_desk.stored(value, self.prepared.outbound_limit)

    def schema(self, value: Any) -> Schema:
        """A compiled output schema. Raises BadRequest."""
        try:
            return self.prepared.schemas.compile(value)
        except BadSchema as error:
            raise BadRequest("output_schema", str(error)) from None

    def _check_type(self, target: Target, wanted: FunctionType) -> None:
        if target.config.type != wanted:
            found = f"found {target.name!r}, a {target.config.type} function"
            raise BadRequest("function_name", f"{found}; wanted a {wanted} function")


@contextmanager
def below(path: str) -> Iterator[None]:
    """What is refused inside is told as lying at `path`."""
    try:
        yield
    except BadRequest as bad:
        raise BadRequest(f"{path}.{bad.where}", bad.reason) from None
    except Malformed as bad:
        problems = (Problem(f"{path}.{each.path}", each.reason) for each in bad.problems)
        raise Malformed(tuple(problems)) from None
    except UnknownName as unknown:
        raise UnknownName(f"{path}.{unknown.where}", unknown.kind, unknown.name) from None
