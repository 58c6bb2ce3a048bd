"""Datapoints out of recorded inferences."""

import attrs
import pytest

from lsd.datasets import Chosen
from lsd.inference import BadRequest, UnknownName
from lsd.store import InferenceBody, InferenceQuery, InferenceRecord
from tests.unit.datasets.workbench import Workbench
from tests.unit.store.makers import Maker, stored

SAID = [{"type": "text", "text": "Ho"}]


@pytest.fixture
def record() -> InferenceRecord:
    """An inference of the function `chat`."""
    return Maker().inference(function_name="chat")


def choice(*records: InferenceRecord) -> Chosen:
    """The choice of these, with what they have answered."""
    return Chosen(by=tuple(each.inference_id for each in records), output_source="inference")


async def test_more_are_taken_than_are_read_at_once(bench: Workbench) -> None:
    """In the order of the query."""
    make = Maker()
    records = [stored(bench.store, make.inference(function_name="chat")) for _ in range(450)]

    chosen = Chosen(by=InferenceQuery(), output_source="none")
    ids = await bench.service.from_inferences("gold", chosen)

    sources = [bench.stored(each).source_inference_id for each in ids]
    assert sources == [each.inference_id for each in records][::-1]
    assert ids == sorted(ids)


async def test_bodies_that_are_gone_cannot_be_copied(
    bench: Workbench, record: InferenceRecord
) -> None:
    """The refusal says which part is missing."""
    stored(bench.store, attrs.evolve(record, body=None))
    name = record.inference_id

    with pytest.raises(BadRequest, match=rf"^inference {name}\.output: missing output"):
        await bench.service.from_inferences("gold", choice(record))
    with pytest.raises(BadRequest, match=rf"^inference {name}\.input: missing input"):
        await bench.service.from_inferences(
            "gold", attrs.evolve(choice(record), output_source="none")
        )


async def test_the_function_must_be_there_still(bench: Workbench, record: InferenceRecord) -> None:
    """And of its type; its tools must be there, too."""
    gone = stored(bench.store, attrs.evolve(record, function_name="gone"))
    with pytest.raises(UnknownName, match=r"inference .*: found 'gone'"):
        await bench.service.from_inferences("gold", choice(gone))

    make = Maker()
    make.ids.start_after(record.inference_id)
    other = stored(bench.store, make.inference(function_name="verdict"))
    with pytest.raises(BadRequest, match="'verdict', a json function"):
        await bench.service.from_inferences("gold", choice(other))

    body = InferenceBody(input={"messages": []}, output=SAID, allowed_tools=["gone"])
    with_tools = stored(bench.store, make.inference(function_name="office", body=body))
    with pytest.raises(BadRequest, match=r"allowed_tools\[0\]: found 'gone'"):
        await bench.service.from_inferences("gold", choice(with_tools))
    assert bench.store.datapoints.datasets() == []
