"""Keys whose value is the content of a file."""

from tests.unit.config.folder import Folder

TOOL = "[tools.t]\ndescription = 'x'\nparameters = 's.json'"


def test_a_missing_file_is_told_with_key_path_folder_and_reason(folder: Folder) -> None:
    """The folder is the one that holds the file with the key."""
    told = folder.problem(TOOL)  # case 12

    assert told == (
        f'tools.t.parameters: cannot read "s.json" from {folder.path}: No such file or directory'
    )


def test_a_folder_or_binary_file_is_no_text(folder: Folder) -> None:
    """Each with its own reason."""
    (folder.path / "s.json").mkdir()
    assert "Is a directory" in folder.problem(TOOL)

    (folder.path / "s.json").rmdir()
    (folder.path / "s.json").write_bytes(b"\xff")
    assert "not UTF-8 text" in folder.problem(TOOL)


def test_a_file_that_is_not_json_is_no_schema(folder: Folder) -> None:
    """The parser's reason tells where."""
    folder.write("s.json", '{"type": ')

    told = folder.problem(TOOL)  # case 12

    assert told.startswith('tools.t.parameters: "s.json" is not JSON: ')
    assert "line 1" in told


def test_json_that_does_not_compile_is_no_schema(folder: Folder) -> None:
    """Unknown types, and references to other places, which are never fetched."""
    folder.write("s.json", '{"type": "nope"}')
    assert folder.problem(TOOL).startswith('tools.t.parameters: "s.json" is not a usable')

    folder.write("s.json", '{"$ref": "https://example.com/schema.json"}')
    assert folder.problem(TOOL).startswith('tools.t.parameters: "s.json" is not a usable')


def test_a_table_with_a_path_has_nothing_else(folder: Folder) -> None:
    """Its form is told."""
    function = "[functions.f]\ntype = 'chat'\nvariants = {}\n"

    assert folder.problems(function + "schemas.x = 's.json'") == {
        "functions.f.schemas.x": 'found a string; wanted a table such as { path = "…" }'
    }
    assert folder.problems(function + "schemas.x = {}") == {
        "functions.f.schemas.x.path": "missing; it is required"
    }
    problems = folder.problems(function + "schemas.x = { path = 's', txt = '' }")
    assert problems == {"functions.f.schemas.x.txt": "unknown key; known keys: path"}
    assert folder.problems(function + "schemas.x.path = 5") == {
        "functions.f.schemas.x.path": "found 5; wanted a string, the path of a file"
    }
