"""Several processes on one folder: all write, the map grows under them, nothing is lost."""

import subprocess
import sys
import textwrap
from pathlib import Path

import attrs

from lsd.store import Selection, verify
from tests.unit.store.makers import SMALL, open_store

ROOMY = attrs.evolve(SMALL, max_map_size=1 << 30)
"""A reader that is stopped in the middle of a page keeps old pages, and writers need new ones."""

WORKER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from random import Random
    from lsd.conversation import IdGenerator
    from lsd.store import Selection, Store, TagIs
    from tests.faults.test_store_shared import ROOMY
    from tests.unit.store.makers import Maker, given, stored

    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    store, make = Store.open(folder, ROOMY, is_server=False, shard=number), Maker()
    make.ids = IdGenerator(make.clock.now_ns, Random(number))
    episodes = [make.id() for _ in range(3)]
    for count in range(300):
        record = make.inference(
            episode_id=episodes[count % 3], variant_name=f"v{count % 5}", tags={"of": str(number)}
        )
        stored(store, record, make.call(record.inference_id))
        given(store, make.feedback(record.inference_id))
        assert store.inferences.exists(record.inference_id)
    own = Selection(filter=TagIs(key="of", value=str(number)))
    assert len(store.inferences.page(own, limit=1000)) == 300
    store.close()
    """
)


def test_workers_share_a_folder(tmp_path: Path) -> None:
    """Three workers fill a store beside its server; every record and every count is right."""
    store = open_store(tmp_path, ROOMY)
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path), str(number)])
        for number in (1, 2, 3)
    ]
    while any(worker.poll() is None for worker in workers):
        store.inferences.page(Selection(), limit=100)

    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert store.size_bytes()["data"] > 1 << 20
    assert sum(count.inferences for count in store.inferences.counts()) == 900
    assert len(store.inferences.page(Selection(), limit=1000)) == 900
    assert verify(store) == []
    store.close()
