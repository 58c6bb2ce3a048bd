"""The schemas of a function."""

from tests.unit.config.folder import Folder

FUNCTION = "[functions.f]\ntype = 'chat'\nvariants = {}\n"


def test_roles_have_keys_of_their_own(folder: Folder) -> None:
    """They mean the same as the table of schemas."""
    folder.write("s.json", '{"type": "object"}')
    older = folder.load(FUNCTION + "system_schema = 's.json'\nuser_schema = 's.json'")
    newer = folder.load(FUNCTION + "schemas.user.path = 's.json'\nschemas.system.path = 's.json'")

    assert sorted(older.config.functions["f"].schemas) == ["system", "user"]
    assert older.hash == newer.hash


def test_both_keys_of_a_role_are_refused(folder: Folder) -> None:
    """Nobody could know which one counts."""
    folder.write("s.json", "{}")

    told = folder.problem(FUNCTION + "user_schema = 's.json'\nschemas.user.path = 's.json'")

    assert told == "functions.f.user_schema: schemas.user is set, too; write one of the two"


def test_a_list_is_no_table_of_schemas(folder: Folder) -> None:
    """Names lead to files."""
    told = folder.problem(FUNCTION + "schemas = ['s.json']")

    assert told == "functions.f.schemas: found an array; wanted a table"
