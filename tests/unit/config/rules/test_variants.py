"""Models and candidates of variants."""

from tests.unit.config.folder import BASIS, Folder

COMPOSITE = "{{ type = 'mixture_of_n', candidates = {}, fuser.model = 'echo::x' }}"


def function(**variants: str) -> str:
    """A function with these variants."""
    lines = [f"functions.f.variants.{name} = {table}" for name, table in variants.items()]
    return "\n".join(["functions.f.type = 'chat'", *lines])


def mixing(*candidates: str) -> str:
    """A variant that runs others."""
    return COMPOSITE.format(list(candidates))


def test_a_model_is_configured_or_a_shorthand(folder: Folder) -> None:
    """Both are named where it is neither."""
    problems = folder.problems(
        BASIS
        + function(
            unknown="{ model = 'ghost' }",
            fake="{ model = 'fake::x' }",
            configured="{ model = 'm' }",
            short="{ model = 'openai::anything' }",
            fallback="{ model = 'm', fallback = ['ghost'] }",
        )
    )  # case 10

    assert list(problems) == [
        "functions.f.variants.fake.model",
        "functions.f.variants.fallback.fallback[0]",
        "functions.f.variants.unknown.model",
    ]
    told = problems["functions.f.variants.unknown.model"]
    assert told.startswith('there is no model "ghost"; the models of [models] are m; wanted ')
    assert "openai::NAME" in told


def test_a_fallback_is_another_model(folder: Folder) -> None:
    """Neither the model itself nor one that has been listed."""
    problems = folder.problems(
        function(v="{ model='echo::a', fallback=['echo::b', 'echo::a', 'echo::b'] }")
    )

    assert problems == {
        "functions.f.variants.v.fallback[1]": '"echo::a" is the model itself',
        "functions.f.variants.v.fallback[2]": '"echo::b" is listed twice',
    }


def test_candidates_are_variants_of_the_same_function(folder: Folder) -> None:
    """At least one; the same one several times is several runs."""
    problems = folder.problems(
        function(
            p="{ model = 'echo::x' }",
            ghost=mixing("ghost_"),
            none=mixing(),
            twice=mixing("p", "p"),
        )
    )  # case 11

    assert problems["functions.f.variants.ghost.candidates[0]"].startswith(
        'there is no variant "ghost_"; wanted one of ghost, none, p, twice'
    )
    assert "found an empty list" in problems["functions.f.variants.none.candidates"]
    assert not any(path.startswith("functions.f.variants.twice") for path in problems)


def test_a_cycle_is_told_with_its_chain(folder: Folder) -> None:
    """Once, from its first name; a variant may not list itself either."""
    problems = folder.problems(
        function(
            a=mixing("b"),
            b=mixing("c", "a"),
            c=mixing("b"),
            d=mixing("d", "a"),
        )
    )  # case 11

    assert problems == {
        "functions.f.variants.a.candidates": "a variant cannot run itself: a → b → a",
        "functions.f.variants.b.candidates": "a variant cannot run itself: b → c → b",
        "functions.f.variants.d.candidates": "a variant cannot run itself: d → d",
    }


def test_a_composite_is_no_better_than_its_candidates(folder: Folder) -> None:
    """The message has both names and the cause."""
    problems = folder.problems(function(bad="{ model = 'ghost' }", outer=mixing("bad")))

    assert problems["functions.f.variants.outer"] == (
        'its candidate "bad" cannot run: there is no model "ghost"'
    )


def test_an_embedding_model_is_configured_or_a_shorthand(folder: Folder) -> None:
    """Chat models do not count."""
    dicl = "{{ type='dicl', model='echo::x', k=3, embedding_model='{}' }}"

    problems = folder.problems(BASIS + function(v=dicl.format("m"), w=dicl.format("openai::small")))

    told = problems["functions.f.variants.v.embedding_model"]
    assert told.startswith('there is no embedding model "m"; wanted one of (there are none), or ')
    assert "functions.f.variants.w.embedding_model" not in problems
