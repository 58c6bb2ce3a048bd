"""All checks together."""

from tests.unit.config.folder import Folder


def test_one_run_tells_everything(folder: Folder) -> None:
    """Who mends a configuration does it once."""
    problems = folder.problems(
        """
        [gateway]
        workers = 2
        global_outbound_http_timeout_ms = 10
        cors.allow_origins = ["x"]
        [models."lsd::m"]
        routing = ["p"]
        timeouts.non_streaming.total_ms = 11
        [models."lsd::m".providers.p]
        type = "openai"
        model_name = "x"
        api_key_location = "sdk"
        include_encrypted_reasoning = true
        extra_body = [{ pointer = "x", value = 1 }]
        cost = [{ pointer = "/x" }]
        [functions.f]
        type = "chat"
        tools = ["ghost"]
        experimentation = { type = "static", candidate_variants = { v = -1 } }
        [functions.f.variants.v]
        model = "ghost"
        user_template = "absent.txt"
        [metrics.comment]
        type = "float"
        optimize = "max"
        level = "episode"
        [[rate_limiting.rules]]
        """
    )  # case 7

    assert list(problems) == [
        "functions.f.experimentation.candidate_variants",
        "functions.f.experimentation.candidate_variants.v",
        "functions.f.tools[0]",
        "functions.f.variants.v.model",
        "functions.f.variants.v.user_template",
        "gateway.cors.allow_origins[0]",
        "metrics.comment",
        'models."lsd::m"',
        'models."lsd::m".providers.p.api_key_location',
        'models."lsd::m".providers.p.cost[0]',
        'models."lsd::m".providers.p.extra_body[0].pointer',
        'models."lsd::m".providers.p.include_encrypted_reasoning',
        'models."lsd::m".timeouts.non_streaming.total_ms',
        "rate_limiting.rules[0]",
    ]
