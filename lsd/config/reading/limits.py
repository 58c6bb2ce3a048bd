"""The limits of a rule: the list `limits`, and short keys such as `tokens_per_minute`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, get_args

from lsd.config.key_path import KeyPath
from lsd.config.reading.values import NotThis, as_decimal, as_integer
from lsd.config.tables.rate_limiting import Interval, Limit, Resource

if TYPE_CHECKING:
    from lsd.config.reading.reader import Reader

_PLURALS: Final = {"model_inference": "model_inferences", "token": "tokens", "cost": "cost"}

SHORT_KEYS: Final[dict[str, tuple[Resource, Interval]]] = {
    f"{_PLURALS[resource]}_per_{interval}": (resource, interval)
    for resource in get_args(Resource)
    for interval in get_args(Interval)
}
"""Every short key, in the order in which a rule keeps its limits."""

AMOUNTS: Final = ("capacity", "refill_rate")


def read_limits(reader: "Reader", table: Mapping[str, Any], path: KeyPath) -> tuple[Limit, ...]:
    """All limits of a rule's table."""
    limits = _listed(reader, table["limits"], (*path, "limits")) if "limits" in table else []
    for key, (resource, interval) in SHORT_KEYS.items():
        if key in table:
            capacity, refill_rate = _short(reader, resource, table[key], (*path, key))
            limits.append(
                Limit(
                    resource=resource,
                    interval=interval,
                    capacity=capacity,
                    refill_rate=refill_rate,
                )
            )
    return tuple(limits)


def _listed(reader: "Reader", value: Any, path: KeyPath) -> list[Limit]:
    limits = reader.value(tuple[Limit, ...], value, path)
    for at, each in enumerate(value if isinstance(value, list) else ()):
        for key in AMOUNTS if isinstance(each, Mapping) else ():
            if type(each.get(key)) in (int, Decimal):
                _amount(reader, each.get("resource"), each[key], (*path, at, key))
    return list(limits or ())


def _short(
    reader: "Reader", resource: Resource, value: Any, path: KeyPath
) -> tuple[Decimal, Decimal]:
    if not isinstance(value, Mapping):
        amount = _amount(reader, resource, value, path)
        return amount, amount
    reader.refuse_unknown(value, AMOUNTS, path)
    amounts = []
    for key in AMOUNTS:
        if key in value:
            amounts.append(_amount(reader, resource, value[key], (*path, key)))
        else:
            reader.shape.refuse((*path, key), "missing; it is required")
            amounts.append(Decimal(0))
    return amounts[0], amounts[1]


def _amount(reader: "Reader", resource: object, value: Any, path: KeyPath) -> Decimal:
    """Dollars may have a fraction, the others are counted."""
    try:
        amount = as_decimal(value) if resource == "cost" else Decimal(as_integer(value))
    except NotThis as error:
        wanted = "a number" if resource == "cost" else "an integer"
        reader.mismatch(path, str(error), wanted)
        return Decimal(0)
    if amount < 0:
        reader.later.refuse(path, f"found {value}", "wanted at least 0")
    return amount
