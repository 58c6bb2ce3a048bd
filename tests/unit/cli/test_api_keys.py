"""API keys on the command line: made, listed, disabled; and nothing secret is left behind."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from lsd.access import hash_of_secret
from lsd.cli.command import lsd as command
from lsd.store import ApiKey, Store, StoreSettings

KEY = re.compile(r"sk-lsd-[A-Za-z0-9]{12}-[A-Za-z0-9]{48}\n")


@pytest.fixture(autouse=True)
def small_store(folder: Path) -> None:
    """A store that is quickly made."""
    (folder / "lsd.toml").write_text(
        '[storage]\nmap_size = "1 MiB"\nmax_map_size = "64 MiB"\ndurability = "none"\n'
    )


def run(*words: str) -> Result:
    """What the command line with these words does."""
    return CliRunner().invoke(command, words, prog_name="lsd")


def new_key(*words: str) -> str:
    """The text of a new key: the only thing on stdout."""
    result = run("--create-api-key", *words)
    assert (result.exit_code, result.stderr) == (0, "")
    assert KEY.fullmatch(result.stdout)
    return result.stdout.strip()


def listed() -> list[dict[str, Any]]:
    """All keys as programs are told of them."""
    result = run("--list-api-keys", "--json")
    assert result.exit_code == 0
    keys: list[dict[str, Any]] = orjson.loads(result.stdout)
    return keys


def kept(folder: Path) -> list[ApiKey]:
    """All keys as they are in the store."""
    store = Store.open(folder / "lsd-data", StoreSettings(), is_server=False)
    keys = store.api_keys.all()
    store.close()
    return keys


def test_a_key_is_told_once_and_kept_as_a_hash(folder: Path) -> None:
    """Case 33: one line of 68 characters; its secret is nowhere in the store."""
    key = new_key()

    (stored,) = kept(folder)
    files = [path.read_bytes() for path in (folder / "lsd-data").rglob("*") if path.is_file()]
    assert len(key) == 68
    assert (stored.public_id, stored.secret_hash) == (key[7:19], hash_of_secret(key[20:]))
    assert not any(key[20:].encode() in data for data in files)


def test_a_key_may_have_an_end_and_a_description() -> None:
    """A space instead of the T is fine; so is any offset."""
    new_key("--expiration", "2100-01-31 12:00:00.5+01:00", "--description", "for CI")

    (key,) = listed()

    assert (key["expires"], key["description"]) == ("2100-01-31T11:00:00.500Z", "for CI")


@pytest.mark.parametrize(
    "text",
    [
        "2100-01-31T12:00:00",
        "2020-01-31T12:00:00Z",
        "2100-01-31",
        "2100-02-30T12:00:00Z",
        "20991231T120000Z",
        "2100-01-31T12:00:00+0100",
        "9999-12-31T23:59:59-23:00",
        "tomorrow",
        "",
    ],
)
def test_an_end_is_a_time_to_come_with_an_offset(text: str) -> None:
    """Case 33: anything else is told, and nothing is stored."""
    result = run("--create-api-key", "--expiration", text)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"lsd: --expiration: found {text!r}; wanted a time to come")
    assert listed() == []


@pytest.mark.parametrize(
    "words",
    [
        ["--expiration", "2100-01-31T12:00:00Z"],
        ["--description", "x"],
        ["--json"],
        ["--create-api-key", "--list-api-keys"],
        ["--create-api-key", "--disable-api-key", "abcDEF012345"],
        ["--list-api-keys", "--check"],
    ],
)
def test_options_that_do_not_go_together_are_a_bad_command_line(words: list[str]) -> None:
    """Case 33: exit code 2."""
    assert run(*words).exit_code == 2


def test_a_disabled_key_stays_so_since_the_first_time() -> None:
    """Once more is fine, and changes nothing."""
    key = new_key()

    first = run("--disable-api-key", key[7:19])
    (once,) = listed()
    second = run("--disable-api-key", key[7:19])
    (twice,) = listed()

    assert (first.exit_code, first.output) == (second.exit_code, second.output) == (0, "")
    assert once["disabled"] is not None
    assert twice == once


@pytest.mark.parametrize("public_id", ["abcDEF012345", "x", "", "ü" * 300])
def test_an_unknown_key_cannot_be_disabled(public_id: str) -> None:
    """Case 34: exit code 1, and the id."""
    result = run("--disable-api-key", public_id)

    assert result.exit_code == 1
    assert result.stderr == (
        f"lsd: --disable-api-key: found {public_id!r}; wanted the id of a key\n"
    )


def test_keys_are_listed_for_eyes() -> None:
    """The oldest first, in columns, without anything secret."""
    first = new_key("--description", "two\nlines")
    second = new_key("--expiration", "2100-01-31T12:00:00Z")

    result = run("--list-api-keys")

    heads, *rows = result.stdout.splitlines()
    assert heads.split("  ")[0] == "public id"
    assert [row[:12] for row in rows] == [first[7:19], second[7:19]]
    assert rows[0].endswith("two?lines")
    assert "2100-01-31T12:00:00.000Z" in rows[1]
    assert not any(hash_of_secret(key[20:]) in result.stdout for key in (first, second))


def test_the_list_for_programs_is_one_array() -> None:
    """With the same five fields for each key."""
    key = new_key()

    (shown,) = listed()

    assert shown.pop("created").endswith("Z")
    assert shown == {
        "public_id": key[7:19],
        "description": None,
        "expires": None,
        "disabled": None,
    }
    assert run("--list-api-keys", "--json").stdout.count("\n") == 1


def test_only_the_table_of_the_store_is_read(folder: Path) -> None:
    """Missing credentials, or mistakes elsewhere, keep nobody from disabling a key."""
    with (folder / "lsd.toml").open("a") as file:
        file.write('[models.m]\nrouting = ["a", "b"]\nfoo = 1\n')

    assert KEY.fullmatch(run("--create-api-key").stdout)


def test_mistakes_in_the_table_of_the_store_are_told(folder: Path) -> None:
    """Shape, ranges, and what has to agree."""
    for text in ("path = 5", 'map_size = "0 MiB"', 'map_size = "2 GiB"\nmax_map_size = "1 GiB"'):
        (folder / "lsd.toml").write_text(f"[storage]\n{text}\n")

        result = run("--list-api-keys")

        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("lsd.toml: storage.")


def test_a_store_that_cannot_be_opened_is_told(folder: Path) -> None:
    """In one line."""
    (folder / "lsd-data").write_text("a file where a folder should be")

    result = run("--create-api-key")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"lsd: {folder}/lsd-data: found a file; wanted a folder\n"
