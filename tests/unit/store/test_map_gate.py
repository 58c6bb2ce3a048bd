"""Reads on one side, the one who replaces the map on the other."""

from threading import Event, Thread

from lsd.store._map_gate import MapGate


def test_the_map_is_replaced_when_the_last_read_has_ended() -> None:
    """Whoever replaces the map waits for the reads that are under way."""
    gate = MapGate()
    replaced = Event()
    gate.enter()
    gate.enter()

    def replace() -> None:
        with gate.alone():
            replaced.set()

    thread = Thread(target=replace)
    thread.start()
    gate.leave()
    early = replaced.is_set()
    gate.leave()
    thread.join(timeout=10)

    assert (early, replaced.is_set()) == (False, True)


def test_reads_begin_again_when_the_map_is_there() -> None:
    """A read that comes while the map is replaced waits, and then goes on."""
    gate = MapGate()
    entered = Event()

    def read() -> None:
        gate.enter()
        entered.set()
        gate.leave()

    with gate.alone():
        thread = Thread(target=read)
        thread.start()
        early = entered.is_set()
    thread.join(timeout=10)

    assert (early, entered.is_set()) == (False, True)


def test_the_gate_opens_again_after_a_failure() -> None:
    """A map that could not be replaced does not lock the readers out."""
    gate = MapGate()

    try:
        with gate.alone():
            raise ValueError
    except ValueError:
        pass

    gate.enter()
    gate.leave()
