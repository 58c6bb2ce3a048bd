"""Reading documents strictly: exact types, known keys, every problem with its path."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs
import pytest
from cattrs import Converter
from hypothesis import given

from lsd.conversation import METADATA_KEY, Hook, Malformed, Mismatch, Structurer
from tests.unit.conversation.json_values import JSON_VALUES
from tests.unit.conversation.reading import problems


@attrs.frozen(kw_only=True)
class Engine:
    power_kw: float
    fuel: Literal["petrol", "diesel"] = "petrol"


@attrs.frozen(kw_only=True)
class Car:
    name: str
    doors: int = 4
    is_sold: bool | None = None
    engine: Engine | None = None
    owners: tuple[str, ...] = ()
    spare: tuple[Engine, ...] | None = None
    prices: Mapping[str, int] = attrs.field(factory=dict)
    engines: Mapping[str, Engine] = attrs.field(factory=dict)
    notes: Any = None
    klass: str = attrs.field(default="", metadata={METADATA_KEY: "class"})


@attrs.frozen(kw_only=True)
class Bicycle:
    gears: int = 1


Vehicle = Car | Bicycle

STRICT = Structurer()

BEETLE: dict[str, Any] = {
    "name": "Beetle",
    "doors": 2,
    "is_sold": False,
    "engine": {"power_kw": 25.5, "fuel": "petrol"},
    "owners": ["Ann", "Bob"],
    "spare": [{"power_kw": 40}],
    "prices": {"EUR": 100},
    "engines": {"old one": {"power_kw": 20, "fuel": "diesel"}},
    "notes": [{"any": None}],
    "class": "small",
}


def test_a_document_becomes_an_object() -> None:
    """Nested tables, lists, maps and defaults arrive in their classes; lists become tuples."""
    assert STRICT.structure(BEETLE, Car) == Car(
        name="Beetle",
        doors=2,
        is_sold=False,
        engine=Engine(power_kw=25.5),
        owners=("Ann", "Bob"),
        spare=(Engine(power_kw=40),),
        prices={"EUR": 100},
        engines={"old one": Engine(power_kw=20, fuel="diesel")},
        notes=[{"any": None}],
        klass="small",
    )
    assert STRICT.structure({"name": "Mini"}, Car) == Car(name="Mini")


@pytest.mark.parametrize("key", ["is_sold", "engine", "spare"])
def test_null_is_absence_where_it_may_be(key: str) -> None:
    """Clients that write out unset fields are understood."""
    assert STRICT.structure({"name": "Mini", key: None}, Car) == Car(name="Mini")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("name", 5, "name: found 5; wanted a string"),
        ("name", None, "name: found null; wanted a string"),
        ("doors", "5", 'doors: found "5"; wanted an integer'),
        ("doors", 5.0, "doors: found 5.0; wanted an integer"),
        ("doors", True, "doors: found true; wanted an integer"),
        ("is_sold", "false", 'is_sold: found "false"; wanted true or false'),
        ("is_sold", 0, "is_sold: found 0; wanted true or false"),
        ("owners", "Ann", 'owners: found "Ann"; wanted an array'),
        ("owners", {"0": "Ann"}, "owners: found an object; wanted an array"),
        ("owners", ["Ann", 1], "owners[1]: found 1; wanted a string"),
        ("engine", [], "engine: found an array of 0; wanted an object"),
        ("engine", {}, "engine.power_kw: missing; it is required"),
        ("engine", {"power_kw": "9"}, 'engine.power_kw: found "9"; wanted a number'),
        ("engine", {"power_kw": True}, "engine.power_kw: found true; wanted a number"),
        (
            "engine",
            {"power_kw": 9, "fuel": "coal"},
            'engine.fuel: found "coal"; wanted one of "petrol", "diesel"',
        ),
        (
            "engine",
            {"power_kw": 9, "fuel": ["petrol"]},
            'engine.fuel: found an array of 1; wanted one of "petrol", "diesel"',
        ),
        ("spare", [{}], "spare[0].power_kw: missing; it is required"),
        ("prices", [], "prices: found an array of 0; wanted an object"),
        ("prices", {"EUR": 1.5}, "prices.EUR: found 1.5; wanted an integer"),
        ("engines", {"old one": {}}, 'engines."old one".power_kw: missing; it is required'),
        ("class", 1, "class: found 1; wanted a string"),
    ],
)
def test_a_value_is_taken_literally(key: str, value: object, told: str) -> None:
    """Nothing is converted, and the message names the place by the keys of the document."""
    assert problems(STRICT, {"name": "Mini", key: value}, Car) == [told]


@pytest.mark.parametrize("value", [None, 5, "car", [], [("name", "Mini")]])
def test_only_an_object_is_an_object(value: object) -> None:
    """Whatever else a document may be, the message has no path before it."""
    (told,) = problems(STRICT, value, Car)

    assert told.endswith("; wanted an object")
    assert told.startswith("found ")


def test_a_whole_number_stays_whole() -> None:
    """What a caller wrote as 1 is not sent on as 1.0."""
    engine = STRICT.structure({"power_kw": 1}, Engine)

    assert type(engine.power_kw) is int


def test_true_is_not_one() -> None:
    """Of a closed set only its own values are taken, of their own type."""
    assert STRICT.structure(1, Literal[1, "x"]) == 1
    assert problems(STRICT, True, Literal[1, "x"]) == ['found true; wanted one of 1, "x"']
    assert problems(STRICT, 1.0, Literal[1, "x"]) == ['found 1.0; wanted one of 1, "x"']


def test_unknown_keys_are_refused() -> None:
    """The message lists the known ones, as they are written in documents, and guesses."""
    value = {"name": "Mini", "klass": "small", "doors_": 2}

    assert problems(STRICT, value, Car) == [
        f"{key}: unknown key; did you mean {meant}? known keys: class, doors, engine, engines, "
        "is_sold, name, notes, owners, prices, spare"
        for key, meant in [("doors_", "doors"), ("klass", "class")]
    ]


def test_unknown_keys_are_ignored_where_a_room_says_so() -> None:
    """A structurer may be lenient as a whole, or strict with single tables and the reverse."""
    lenient, mixed = Structurer("ignored"), Structurer()
    lenient.table(Engine, unknown_keys="refused")
    mixed.table(Engine, unknown_keys="ignored")
    value = {"name": "Mini", "wheels": 4, "engine": {"power_kw": 9, "colour": "red"}}
    known = "known keys: fuel, power_kw"

    assert lenient.structure({"name": "Mini", "wheels": 4}, Car) == Car(name="Mini")
    assert problems(lenient, value, Car) == [f"engine.colour: unknown key; {known}"]
    (told,) = problems(mixed, value, Car)
    assert told.startswith("wheels: unknown key; ")


def test_all_problems_are_told_at_once() -> None:
    """In the order of the class, those of a list in its own; unknown keys come last."""
    value = {
        "doors": "2",
        "owners": [1, "Ann", None],
        "engine": {"fuel": 1, "colour": "red"},
        "wheels": 4,
    }

    assert [told.split(":")[0] for told in problems(STRICT, value, Car, "garage[3]")] == [
        "garage[3].name",
        "garage[3].doors",
        "garage[3].engine.power_kw",
        "garage[3].engine.fuel",
        "garage[3].engine.colour",
        "garage[3].owners[0]",
        "garage[3].owners[2]",
        "garage[3].wheels",
    ]


@given(JSON_VALUES)
def test_any_value_is_an_object_or_malformed(value: Any) -> None:
    """Every problem of every value has a place below the document's own."""
    try:
        car = STRICT.structure(value, Car, "car")
    except Malformed as error:
        places = [problem.path for problem in error.problems]
        is_below = [place == "car" or place.startswith(("car.", "car[")) for place in places]
    else:
        is_below = [isinstance(car, Car)]

    assert is_below
    assert all(is_below)


def vehicles(default: str | None = None) -> Structurer:
    """A structurer that knows cars from bicycles."""
    structurer = Structurer()
    structurer.tagged(Vehicle, {"car": Car, "bicycle": Bicycle}, tag="kind", default=default)
    return structurer


def test_a_tag_chooses_the_class() -> None:
    """The tag itself is no key of the class."""
    tagged = vehicles()

    assert tagged.structure({"kind": "car", "name": "Mini"}, Vehicle) == Car(name="Mini")
    assert tagged.structure({"kind": "bicycle", "gears": 3}, Vehicle) == Bicycle(gears=3)
    assert vehicles(default="bicycle").structure({"gears": 3}, Vehicle) == Bicycle(gears=3)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "kind: found nothing; wanted one of car, bicycle"),
        ({"kind": "boat"}, 'kind: found "boat"; wanted one of car, bicycle'),
        ({"kind": ["car"]}, "kind: found an array of 1; wanted one of car, bicycle"),
        ({"kind": "car"}, "name: missing; it is required"),
        ({"kind": "bicycle", "size": 3}, "size: unknown key; known keys: gears"),
        ("car", 'found "car"; wanted an object'),
    ],
)
def test_a_wrong_tag_is_told_with_the_right_ones(value: object, told: str) -> None:
    """The place is that of the tag."""
    assert problems(vehicles(), value, Vehicle) == [told]


def test_a_room_may_have_its_own_way_with_a_class() -> None:
    """A hook makes the class from whatever it likes, and its refusal gets a path."""

    def from_text(value: Any, _: Any) -> Engine:
        if type(value) is str and value.isdecimal():
            return Engine(power_kw=int(value))
        raise Mismatch("something else", "a number of kilowatts as a string")

    structurer = Structurer()
    structurer.hook(Engine, from_text)

    assert structurer.structure({"name": "Mini", "engine": "9"}, Car).engine == Engine(power_kw=9)
    assert problems(structurer, {"name": "Mini", "spare": ["9", "x"]}, Car) == [
        "spare[1]: found something else; wanted a number of kilowatts as a string"
    ]


def test_a_hook_may_read_what_lies_within() -> None:
    """It is handed a converter, so that all problems within it are told, with their places."""

    def hook(converter: Converter) -> Hook:
        def structure(value: Any, _: Any) -> Bicycle:
            engine = converter.structure(value, Engine)
            return Bicycle(gears=int(engine.power_kw))

        return structure

    structurer = Structurer()
    structurer.converting_hook(Bicycle, hook)
    shop = Mapping[str, Bicycle]

    assert structurer.structure({"a": {"power_kw": 3}}, shop) == {"a": Bicycle(gears=3)}
    assert problems(structurer, {"a": {}, "b": {"power_kw": 1, "fuel": 2}}, shop) == [
        "a.power_kw: missing; it is required",
        'b.fuel: found 2; wanted one of "petrol", "diesel"',
    ]


def test_a_bug_in_a_hook_is_not_the_callers_mistake() -> None:
    """What no reader raises on purpose comes out as it is, and is not told as a problem."""

    def broken(value: Any, _: Any) -> Engine:
        raise ZeroDivisionError

    structurer = Structurer()
    structurer.hook(Engine, broken)

    with pytest.raises(ZeroDivisionError):
        structurer.structure({"name": "Mini", "engine": {}}, Car)


def test_a_document_is_read_from_its_text() -> None:
    """What is not JSON is told in the same way as what is not right."""
    structurer = Structurer()

    assert structurer.read(b'{"power_kw": 1.5}', Engine) == Engine(power_kw=1.5)
    with pytest.raises(Malformed, match="the body is not JSON"):
        structurer.read(b"{", Engine)
    with pytest.raises(Malformed, match="power_kw: missing"):
        structurer.read(b"{}", Engine)
