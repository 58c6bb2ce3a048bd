"""What to write instead of keys from elsewhere."""

import pytest

from tests.unit.config.folder import Folder

FUNCTION = '[functions.f]\ntype = "chat"\n'


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[clickhouse]\nurl = 'x'", "clickhouse"),
        ("[postgres]\nurl = 'x'", "postgres"),
        ("[gateway.cache]\nvalkey = {}", "gateway.cache.valkey"),
        ("[gateway.observability]\nbackend = 'x'", "gateway.observability.backend"),
        ("[rate_limiting]\nbackend = 'x'", "rate_limiting.backend"),
    ],
)
def test_other_stores_are_not_needed(folder: Folder, text: str, path: str) -> None:
    """LSD keeps everything itself."""
    told = folder.problem(text)

    assert told == f"{path}: unknown key; not needed: LSD keeps everything itself, see [storage]"


def test_weights_stand_in_the_experiment(folder: Folder) -> None:
    """The table to write instead can be copied."""
    told = folder.problem(  # case 72
        FUNCTION + '[functions.f.variants."v 1"]\nmodel = "echo::x"\nweight = 1'
    )

    assert told.startswith('functions.f.variants."v 1".weight: unknown key; ')
    assert "[functions.f.experimentation]" in told
    assert 'candidate_variants = { "v 1" = 1.0 }' in told


def test_timeouts_belong_to_the_candidates(folder: Folder) -> None:
    """There is no second way of saying it."""
    told = folder.problem(FUNCTION + "[functions.f.variants.v]\nmodel='echo::x'\ntimeout_s = 1")

    assert "timeouts" in told
    assert "timeout_s" in told


@pytest.mark.parametrize(
    ("old", "new"),
    [("uniform", "default"), ("static_weights", "static"), ("track_and_stop", "adaptive")],
)
def test_experiments_have_other_names(folder: Folder, old: str, new: str) -> None:
    """Each old type is answered with its successor."""
    told = folder.problem(  # case 72
        f"{FUNCTION}variants = {{}}\nexperimentation = {{ type = '{old}' }}"
    )

    assert told.startswith(
        f'functions.f.experimentation.type: found "{old}"; write type = "{new}"; '
    )


def test_optimizers_come_with_their_job(folder: Folder) -> None:
    """Their settings are not part of a configuration."""
    assert "optimizer_config" in folder.problem("[optimizers.x]\ntype = 'x'")  # case 72


def test_chat_types_have_no_embeddings(folder: Folder) -> None:
    """The message says so, and which types have."""
    told = folder.problem(
        "[embedding_models.e]\nrouting = ['p']\nproviders.p = { type = 'groq', model_name = 'x' }"
    )

    assert 'found "groq"; this provider type has no embeddings; wanted "azure"' in told
