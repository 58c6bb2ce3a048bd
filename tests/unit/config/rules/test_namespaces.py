"""Models and variants of a namespace are drawn only there."""

from tests.unit.config.folder import BASIS, Folder

MODELS = BASIS + "models.own = { routing=['p'], providers.p.type='echo', namespace='team' }\n"
FUNCTION = "functions.f.type = 'chat'\nfunctions.f.variants.open.model = 'm'\n"
PATH = "functions.f.experimentation"


def test_a_default_experiment_draws_everything(folder: Folder) -> None:
    """So its function may hold nothing of a namespace; the message has all names."""
    told = folder.problem(MODELS + FUNCTION + "functions.f.variants.closed.model = 'own'")

    assert told == (  # case 18
        f'{PATH}: function "f" draws variant "closed" for requests without a namespace, and '
        'model "own" belongs to namespace "team"; draw it only in experimentation.namespaces.team'
    )


def test_a_fallback_reaches_its_model(folder: Folder) -> None:
    """Whether or not it is ever needed."""
    told = folder.problem(
        MODELS + FUNCTION + "functions.f.variants.v = { model = 'm', fallback = ['own'] }"
    )

    assert 'model "own" belongs to namespace "team"' in told


def test_candidates_reach_theirs(folder: Folder) -> None:
    """Through any number of composites, and through what judges them."""
    problems = folder.problems(
        MODELS
        + FUNCTION
        + f"""
        [functions.f.variants.closed]
        model = "own"
        [functions.f.variants.inner]
        type = "mixture_of_n"
        candidates = ["closed"]
        fuser.model = "m"
        [functions.f.variants.outer]
        type = "best_of_n_sampling"
        candidates = ["inner"]
        evaluator.model = "m"
        [{PATH}]
        type = "static"
        candidate_variants = ["open", "outer"]
        """
    )  # case 18

    assert 'draws variant "outer"' in problems[PATH]
    assert 'model "own" belongs to namespace "team"' in problems[PATH]


def test_another_namespace_is_not_the_right_one(folder: Folder) -> None:
    """Both are named. A variant may belong to one by itself."""
    told = folder.problem(
        MODELS
        + FUNCTION
        + f"""
        functions.f.variants.closed = {{ model = "m", namespace = "team" }}
        [{PATH}]
        type = "static"
        candidate_variants = ["open"]
        [{PATH}.namespaces.other]
        type = "static"
        candidate_variants = ["open"]
        fallback_variants = ["closed"]
        """
    )

    assert told.startswith(f"{PATH}.namespaces.other: ")
    assert 'for requests of namespace "other", and variant "closed" belongs to' in told
    assert 'namespace "team"' in told


def test_in_its_own_namespace_it_may_be_drawn(folder: Folder) -> None:
    """And pinned from there; the base does without."""
    folder.load(
        MODELS
        + FUNCTION
        + f"""
        functions.f.variants.closed.model = "own"
        {PATH}.type = "static"
        {PATH}.candidate_variants = ["open"]
        {PATH}.namespaces.team = {{ type = "static", candidate_variants = ["closed", "open"] }}
        """
    )
