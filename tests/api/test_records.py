"""Records read back from a real daemon: at once, after a restart, and until they are too old."""

from typing import Any

import pytest

from tests.api.asking import SAYING_HI, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.unit.store.makers import Maker, given, open_store, stored

CONFIG = """
[models.demo]
routing = ["echo"]
providers.echo = { type = "echo" }

[functions.talk]
type = "chat"
variants.v.model = "demo"
variants.w.model = "demo"

[metrics.good]
type = "boolean"
optimize = "max"
level = "inference"

[metrics.rating]
type = "float"
optimize = "max"
level = "episode"

[metrics."team/polite"]
type = "boolean"
optimize = "max"
level = "inference"
"""


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """A daemon with some inferences and feedback."""
    gateway = start_shared(CONFIG)
    for number in range(4):
        answer = gateway.infer(function_name="talk", tags={"tenant": "acme"}, **SAYING_HI)
        gateway.feedback(
            metric_name="good", value=number % 2 == 0, inference_id=answer["inference_id"]
        )
        gateway.feedback(metric_name="rating", value=number, episode_id=answer["episode_id"])
    gateway.infer(model_name="echo::demo", **SAYING_HI)
    return gateway


def get(gateway: Gateway, path: str) -> Any:
    """The JSON of a GET that must succeed."""
    response = gateway.client.get(path)
    assert response.status_code == 200, f"{path}: {response.status_code}: {response.text}"
    return response.json()


def everything(gateway: Gateway) -> dict[str, Any]:
    """What each read endpoint answers."""
    rows = get(gateway, "/internal/inference_metadata?function_name=talk")["inference_metadata"]
    own, episode = rows[0]["id"], rows[0]["episode_id"]
    talk = "/internal/functions/talk"
    paths = [
        "/internal/inference_metadata",
        f"/internal/model_inferences/{own}",
        f"/internal/resolve_uuid/{own}",
        "/internal/episodes?limit=10",
        "/internal/episodes/bounds",
        f"/internal/episodes/{episode}/inference_count",
        *(f"/internal/feedback/{own}{more}" for more in ("", "/count", "/bounds")),
        f"/internal/feedback/{episode}/latest_id_by_metric",
        f"/internal/feedback/{own}/demonstrations",
        "/internal/feedback/timeseries?function_name=talk&metric_name=good&time_window=day",
        *(f"{talk}/{what}" for what in ("metrics", "inference_count?group_by=variant")),
        f"{talk}/feedback_by_variant?metric_name=rating",
        f"{talk}/variant_performances?metric_name=good&time_window=week",
        f"{talk}/inference_count/good",
        f"{talk}/throughput_by_variant?time_window=month",
        f"{talk}/variant_usage?time_window=cumulative",
        f"{talk}/variant_sampling_probabilities",
        "/internal/functions/inference_counts",
        "/internal/variant_statistics?function_name=talk",
        "/internal/models/count",
        "/internal/models/usage?time_window=day",
        "/internal/models/cache_statistics?time_window=day",
        "/internal/models/latency?time_window=cumulative",
        "/internal/ui_config",
        f"/internal/config/{rows[0]['snapshot_hash']}",
    ]
    answers = {path: get(gateway, path) for path in paths}
    listed = gateway.post("/v1/inferences/list_inferences", {"filters": GOOD})
    assert listed.status_code == 200, listed.text
    return answers | {"list": listed.json()}


GOOD = {"type": "boolean_metric", "metric_name": "good", "value": True}


def test_a_restart_changes_no_answer(gateway: Gateway) -> None:
    """4.13, 24: every endpoint tells the same before and after."""
    before = everything(gateway)
    assert len(before["list"]["inferences"]) == 2

    gateway.stop()
    gateway.start()

    assert everything(gateway) == before


@pytest.mark.parametrize("form", ["chatcmpl-{}", "msg_{}"])
def test_ids_of_other_dialects_are_taken_everywhere(gateway: Gateway, form: str) -> None:
    """4.13, 25: with the same result; with a digit too many or too few they are none."""
    own = get(gateway, "/internal/inference_metadata?function_name=talk&limit=1")
    own_id = own["inference_metadata"][0]["id"]
    foreign = form.format(own_id.replace("-", ""))
    paths = [
        "/internal/model_inferences/{}",
        "/internal/resolve_uuid/{}",
        "/internal/feedback/{}",
        "/internal/inference_metadata?before={}",
        "/internal/inference_metadata?after={}",
    ]

    for path in paths:
        assert get(gateway, path.format(foreign)) == get(gateway, path.format(own_id))
        for wrong in (foreign + "0", foreign[:-1]):
            assert gateway.client.get(path.format(wrong)).status_code == 400
    assert gateway.stored(foreign) == gateway.stored(own_id)
    gateway.feedback(metric_name="comment", value="fine", inference_id=foreign)


def test_what_was_answered_is_counted_at_once(gateway: Gateway) -> None:
    """4.13, 1: an inference answered is in the next list, count and statistic."""
    for _ in range(20):
        before = get(gateway, "/internal/functions/talk/inference_count")["inference_count"]
        answer = gateway.infer(function_name="talk", **SAYING_HI)
        after = get(gateway, "/internal/functions/talk/inference_count")["inference_count"]
        newest = get(gateway, "/internal/inference_metadata?limit=1")["inference_metadata"]
        statistics = get(gateway, "/internal/variant_statistics?function_name=talk")["data"]

        assert after == before + 1 == sum(each["inference_count"] for each in statistics)
        assert newest[0]["id"] == answer["inference_id"]


def test_a_slash_of_a_name_is_encoded_in_a_path(gateway: Gateway) -> None:
    """A metric may have one; it parts no segments then."""
    answer = gateway.infer(function_name="talk", **SAYING_HI)
    gateway.feedback(metric_name="team/polite", value=True, inference_id=answer["inference_id"])

    counted = get(gateway, "/internal/functions/talk/inference_count/team%2Fpolite")

    assert counted == {"feedback_count": 1, "inference_count": 1}


def test_a_full_store_is_no_health_but_a_status(start_gateway: StartGateway) -> None:
    """4.13, 23: 503 and 200; feedback is refused, and what there is can be read."""
    gateway = start_gateway("[storage]\nmap_size = 1048576\nmax_map_size = 2097152\n" + CONFIG)
    first = gateway.infer(function_name="talk", **SAYING_HI)["inference_id"]
    long = {"metric_name": "comment", "inference_id": first, "value": "x" * (4 << 20)}

    told = gateway.post("/feedback", long)

    assert told.status_code == 503, told.text
    assert told.json()["error"].startswith("the feedback was not stored: ")
    health, status = (gateway.client.get(path) for path in ("/health", "/status"))
    assert (health.status_code, health.json()) == (503, {"gateway": "ok", "store": "error"})
    assert (status.status_code, status.json()["status"]) == (200, "ok")
    assert get(gateway, f"/internal/feedback/{first}/count") == {"count": 0}


def test_what_is_too_old_goes_while_serving(start_gateway: StartGateway) -> None:
    """First the texts, then the records with their feedback; what is young stays."""
    keeping = "[storage]\nsweep_interval_s = 1\ninference_{}_retention_days = 1\n"
    gateway = start_gateway(CONFIG)
    gateway.stop()
    make, store = Maker(), open_store(gateway.data_path)
    old = stored(store, make.inference(function_name="talk"))
    given(store, make.feedback(old.inference_id, metric_name="good"))
    store.close()

    gateway.configure(keeping.format("data") + CONFIG)
    gateway.start()
    young = gateway.infer(function_name="talk", **SAYING_HI)
    wait_for(lambda: "input" not in (gateway.stored(old.inference_id) or {"input": 1}))
    assert get(gateway, "/internal/functions/talk/inference_count") == {"inference_count": 2}
    gateway.stop()

    gateway.configure(keeping.format("metadata") + CONFIG)
    gateway.start()
    wait_for(lambda: gateway.stored(old.inference_id) is None)
    assert get(gateway, "/internal/functions/talk/inference_count") == {"inference_count": 1}
    assert get(gateway, f"/internal/feedback/{old.inference_id}") == {"feedback": []}
    kept = gateway.stored(young["inference_id"])
    assert kept is not None
    assert "input" in kept
    told = gateway.post(
        "/feedback", {"metric_name": "good", "value": True, "inference_id": old.inference_id}
    )
    assert (told.status_code, old.inference_id in told.text) == (400, True)
