"""What an id stands for."""

import attrs

from lsd.store import Store
from tests.unit.store.makers import Maker, given, stored


def test_each_kind_of_id_is_recognised(store: Store, make: Maker) -> None:
    """An id alone leads to what it names, with everything that is needed to find it."""
    record = make.inference()
    call = make.call(record.inference_id)
    stored(store, record, call)
    feedback = given(store, make.feedback(record.inference_id))

    assert store.resolve(record.inference_id) == [attrs.evolve(record, body=None)]
    assert store.resolve(call.id) == [attrs.evolve(call, body=None)]
    assert store.resolve(record.episode_id) == ["episode"]
    assert store.resolve(feedback.id) == [feedback]


def test_an_id_may_be_two_things(store: Store, make: Maker) -> None:
    """A caller may use an inference's id as the id of an episode."""
    first = stored(store, make.inference())
    stored(store, make.inference(episode_id=first.inference_id))

    assert store.resolve(first.inference_id) == [attrs.evolve(first, body=None), "episode"]


def test_an_unknown_id_is_nothing(store: Store, make: Maker) -> None:
    """No meaning is an empty list."""
    assert store.resolve(make.id()) == []
