"""What a serving process has from its start to its end."""

import pytest

from lsd.server.equipment import Equipment
from lsd.server.kept import open_kept
from lsd.server.refusals import StartRefused
from lsd.store import FileObjects
from lsd.telemetry import Metrics, SystemClock
from tests.unit.config.folder import Folder

SMALL = '[storage]\nmap_size = "4 MiB"\nmax_map_size = "64 MiB"\ndurability = "none"\n'


async def test_the_equipment_is_that_of_the_configuration(folder: Folder) -> None:
    """With a store, files of inputs have a place."""
    loaded, clock, metrics = folder.load(SMALL), SystemClock(), Metrics(())
    kept = open_kept(loaded, clock, metrics)
    assert kept is not None

    equipment = Equipment.of(loaded, kept, clock, metrics)

    assert isinstance(equipment.objects, FileObjects)
    assert not equipment.in_flight.is_draining
    await equipment.transport.aclose()
    kept.store.close()


def test_authorities_that_cannot_be_read_are_refused(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variable that names them."""
    monkeypatch.setenv("SSL_CERT_FILE", str(folder.path / "missing.pem"))

    with pytest.raises(StartRefused, match=r"missing\.pem"):
        Equipment.of(folder.load(SMALL), None, SystemClock(), Metrics(()))
