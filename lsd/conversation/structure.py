"""From decoded JSON or TOML to attrs classes: exact types, unknown keys refused, paths in errors.

A `Structurer` holds two cattrs converters with the same hooks. The quick one stops at the first
problem and says little about it; only when it fails, the telling one goes over the value again and
collects every problem with its path. So a good request pays nothing for the words of a bad one.
"""

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from lsd.conversation.errors import Malformed, Problem
from lsd.conversation.json import NotJson, decode_json, describe_json
from lsd.conversation.problems import (
    METADATA_KEY,
    Mismatch,
    at,
    collected,
    problems_of,
    wrong_tag,
)

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

METADATA_FORM = "form"
"""Metadata of an attrs field whose value is not made by the hook of its own type: the type, with a
hook, of what the document holds there."""


class Structurer:
    """Turns decoded documents into attrs classes.

    `unknown_keys` is what attrs classes do with keys that they do not have, unless registered
    otherwise by `table`.
    """

    def __init__(self, unknown_keys: Literal["refused", "ignored"] = "refused") -> None:
        self._quick = Converter(detailed_validation=False)
        self._telling = Converter(detailed_validation=True)
        self._forbid = unknown_keys == "refused"
        self._hooks: dict[Any, Hook] = {}
        for converter in (self._quick, self._telling):
            _register_exact_hooks(converter)
            converter.register_structure_hook_factory(
                lambda cls: attrs.has(_origin(cls) or cls), self._table_factory(converter)
            )

    def structure(self, value: Any, cls: type[T], path: str = "") -> T:
        """`value` as a `cls`. Raises Malformed with all problems; `path` is where value lies."""
        # Looked up once: nothing is registered any more when there is something to make.
        hook = self._hooks.get(cls)
        if hook is None:
            hook = self._hooks[cls] = self._quick.get_structure_hook(cls)
        try:
            made: T = hook(value, cls)
        except Exception:  # noqa: BLE001 (cattrs lets through whatever a hook raises)
            return self._tell(value, cls, path)
        return made

    def read(self, text: bytes, cls: type[T]) -> T:
        """The JSON document `text` as a `cls`. Raises Malformed, also for what is not JSON."""
        try:
            value = decode_json(text)
        except NotJson as error:
            raise Malformed((Problem("", f"the body is not JSON: {error}"),)) from None
        return self.structure(value, cls)

    def _tell(self, value: Any, cls: type[T], path: str) -> T:
        try:
            return self._telling.structure(value, cls)
        except Exception as error:  # noqa: BLE001 (as above; the walk raises what it does not know)
            problems = problems_of(error, path)
        raise Malformed(problems)

    def hook(self, cls: Any, hook: Hook) -> None:
        """`hook(value, cls)` makes every `cls`; it raises Mismatch."""
        self._quick.register_structure_hook(cls, hook)
        self._telling.register_structure_hook(cls, hook)

    def converting_hook(self, cls: Any, make: Callable[[Converter], Hook]) -> None:
        """Like `hook`, for hooks that need a converter for what lies within."""
        for converter in (self._quick, self._telling):
            converter.register_structure_hook(cls, make(converter))

    def table(self, cls: type, *, unknown_keys: Literal["refused", "ignored"]) -> None:
        """Sets for one attrs class what happens to unknown keys."""
        for converter in (self._quick, self._telling):
            converter.register_structure_hook(
                cls, _table_hook(converter, cls, unknown_keys == "refused")
            )

    def tagged(
        self,
        union: Any,
        classes: Mapping[str, Any],
        *,
        tag: str = "type",
        default: str | None = None,
    ) -> None:
        """Registers a union whose member is chosen by the key `tag` of the table.

        The tag is taken away before the member is made. `default` is the tag of a table
        without one.
        """
        self.converting_hook(
            union, lambda converter: _tagged_hook(converter, classes, tag, default)
        )

    def _table_factory(self, converter: Converter) -> Callable[[Any], Hook]:
        return lambda cls: _table_hook(converter, cls, self._forbid)


def _table_hook(converter: Converter, cls: Any, forbid: bool) -> Hook:
    if converter.detailed_validation:
        return _telling_table(converter, cls, forbid)
    return _quick_table(converter, cls, forbid)


def _telling_table(converter: Converter, cls: Any, forbid: bool) -> Hook:
    # cattrs would say only how many keys are unknown, and would let `5` pass as a table.
    overrides = {
        field.name: override(
            rename=field.metadata.get(METADATA_KEY),
            struct_hook=_hook_as(converter, field.metadata.get(METADATA_FORM)),
        )
        for field in attrs.fields(cls)
        if field.metadata
    }
    inner = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=forbid,
        _cattrs_detailed_validation=True,
        **overrides,  # type: ignore[arg-type]  # the overrides are the ** of the function
    )

    def structure(value: Any, wanted: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(describe_json(value), "an object")
        return inner(value, wanted)

    return structure


def _quick_table(converter: Converter, cls: Any, forbid: bool) -> Hook:
    # cattrs would ask for each key that there could be; requests have few of many. What is no
    # table and, where it is refused, a key that there is not, fail here as Python has it.
    fields: dict[str, tuple[str, Any, Hook, Any]] = {}

    def structure(value: Any, _: Any) -> Any:
        if not fields:  # not before all hooks are registered
            fields.update(_fields_of(converter, cls))
        if not forbid:
            value = {key: each for key, each in value.items() if key in fields}
        made = {}
        for key, each in value.items():
            name, taken, hook, wanted = fields[key]
            made[name] = each if type(each) is taken else hook(each, wanted)
        return cls(**made)

    return structure


def _fields_of(converter: Converter, cls: Any) -> dict[str, tuple[str, Any, Hook, Any]]:
    """By key: how the class is given the field's value, and what makes it.

    That is the value itself if it has the type that is taken as it is, or else what the hook makes
    of it.
    """
    fields = {}
    for field in attrs.fields(attrs.resolve_types(cls)):
        if field.init:
            key = field.metadata.get(METADATA_KEY, field.name)
            form = field.metadata.get(METADATA_FORM, field.type)
            hook = converter.get_structure_hook(form)
            fields[key] = (field.alias, _TAKEN.get(form), hook, form)
    return fields


def _hook_as(converter: Converter, form: Any) -> Hook | None:
    return None if form is None else lambda value, _: converter.structure(value, form)


def _tagged_hook(
    converter: Converter, classes: Mapping[str, Any], tag: str, default: str | None
) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(describe_json(value), "an object")
        name = value.get(tag, default)
        chosen = classes.get(name) if isinstance(name, str) else None
        if chosen is None:
            raise at(tag, wrong_tag(name, classes))
        return converter.structure({k: v for k, v in value.items() if k != tag}, chosen)

    return structure


_EXACT = {str: "a string", bool: "true or false", int: "an integer"}
"""What is taken as it is, and how it is called."""

_TAKEN = {form: cls for cls in _EXACT for form in (cls, cls | None)}
"""By the type of a field: that of the values which are taken as they are."""


def _register_exact_hooks(converter: Converter) -> None:
    """Without these, cattrs would make 5 of "5" and of 5.7, and True of "false"."""
    for cls, wanted in _EXACT.items():
        converter.register_structure_hook(cls, _exactly(wanted, cls))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_factory(lambda cls: _origin(cls) is Literal, _literal)
    converter.register_structure_hook_factory(
        lambda cls: _origin(cls) is tuple, lambda cls: _sequence(converter, cls)
    )
    converter.register_structure_hook_factory(
        lambda cls: _origin(cls) in (dict, Mapping) or cls is dict,
        lambda cls: _mapping(converter, cls),
    )
    converter.register_structure_hook_factory(
        lambda cls: _origin(cls) in (Union, UnionType) and type(None) in get_args(cls),
        lambda cls: _optional(converter, cls),
    )


def _origin(cls: Any) -> Any:
    return get_origin(cls)


def _exactly(wanted: str, *classes: type) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        if type(value) not in classes:
            raise Mismatch(describe_json(value), wanted)
        return value

    return structure


def _number(value: Any, _: Any) -> Any:
    # An integer stays one, so that what a caller wrote as 1 is not sent on as 1.0.
    if type(value) is not float and type(value) is not int:
        raise Mismatch(describe_json(value), "a number")
    return value


def _literal(cls: Any) -> Hook:
    allowed: dict[type, set[Any]] = {}  # by type, as 1 is not true
    for each in get_args(cls):
        allowed.setdefault(type(each), set()).add(each)
    wanted = f"one of {', '.join(map(describe_json, get_args(cls)))}"

    def structure(value: Any, _: Any) -> Any:
        if value in allowed.get(type(value), ()):
            return value
        raise Mismatch(describe_json(value), wanted)

    return structure


def _sequence(converter: Converter, cls: Any) -> Hook:
    item = get_args(cls)[0]
    hook = _hook_of(converter, item)

    def quick(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise Mismatch(describe_json(value), "an array")
        return tuple([hook(each, item) for each in value])

    def telling(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise Mismatch(describe_json(value), "an array")
        return tuple(collected(enumerate(value), lambda each: hook(each, item)))

    return telling if converter.detailed_validation else quick


def _mapping(converter: Converter, cls: Any) -> Hook:
    item = (get_args(cls) or (str, Any))[1]
    hook = _hook_of(converter, item)

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(describe_json(value), "an object")
        if item is Any:
            return value
        if not converter.detailed_validation:
            return {key: hook(each, item) for key, each in value.items()}
        made = collected(value.items(), lambda each: hook(each, item))
        return dict(zip(value, made, strict=True))

    return structure


def _optional(converter: Converter, cls: Any) -> Hook:
    members = [each for each in get_args(cls) if each is not type(None)]
    inner: Any = Union[tuple(members)]  # noqa: UP007 (computed; of one member it is that member)
    if inner in _EXACT:
        return _exactly(_EXACT[inner], inner, type(None))
    hook = _hook_of(converter, inner)

    def structure(value: Any, _: Any) -> Any:
        return None if value is None else hook(value, inner)

    return structure


def _hook_of(converter: Converter, cls: Any) -> Hook:
    """What makes a `cls`: the quick converter is asked but once, when it is first needed."""
    return (
        converter.structure if converter.detailed_validation else converter.get_structure_hook(cls)
    )
