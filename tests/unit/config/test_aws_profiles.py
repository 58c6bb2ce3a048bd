"""Profiles are found where AWS's own tools keep them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lsd.config.aws_profiles import (
    AwsProfile,
    BadAwsProfile,
    may_ask_metadata,
    read_profile,
    written_region,
)

Write = Callable[[str, str], None]

KEYS = "aws_access_key_id = AKIAX\naws_secret_access_key = very-secret\n"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody with an empty home."""
    (tmp_path / ".aws").mkdir()
    return {"HOME": str(tmp_path)}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the home."""

    def written(name: str, text: str) -> None:
        (tmp_path / name).write_text(text, encoding="utf-8")

    return written


def found(environment: dict[str, str]) -> AwsProfile:
    """The profile, which must be there."""
    profile = read_profile(environment)
    assert profile is not None
    return profile


def refused(environment: dict[str, str]) -> str:
    """Why the files cannot be used."""
    with pytest.raises(BadAwsProfile) as bad:
        read_profile(environment)
    return str(bad.value)


def test_without_files_there_is_none(environment: dict[str, str]) -> None:
    """Nor without a home."""
    assert read_profile(environment) is None
    assert read_profile({}) is None


def test_the_default_profile(environment: dict[str, str], write: Write) -> None:
    """Both files say something about it."""
    write(".aws/credentials", f"[default]\n{KEYS}[other]\naws_access_key_id = x\n")
    write(".aws/config", "[default]\nregion = eu-west-1\noutput = json\n")

    profile = found(environment)

    assert (profile.name, profile.region, profile.process) == ("default", "eu-west-1", None)
    assert profile.static_keys == {
        "AccessKeyId": "AKIAX",
        "SecretAccessKey": "very-secret",
        "Token": "",
    }
    assert "very-secret" not in repr(profile)


def test_a_named_profile(environment: dict[str, str], write: Write) -> None:
    """In the file of settings its section has the word before its name."""
    write(".aws/credentials", f"[default]\n{KEYS}[work]\n{KEYS}aws_session_token = t\n")
    write(".aws/config", "[profile work]\nregion = us-west-2\n[work]\nregion = wrong\n")
    environment["AWS_PROFILE"] = "work"

    profile = found(environment)

    assert (profile.name, profile.region) == ("work", "us-west-2")
    assert profile.static_keys is not None
    assert profile.static_keys["Token"] == "t"


def test_the_file_of_keys_goes_first(environment: dict[str, str], write: Write) -> None:
    """Whatever both say counts as it says."""
    write(".aws/credentials", "[default]\nregion = eu-west-1\n")
    write(".aws/config", f"[default]\nregion = us-east-1\n{KEYS}")

    assert found(environment).region == "eu-west-1"
    assert found(environment).static_keys is not None


def test_files_in_other_places(environment: dict[str, str], write: Write) -> None:
    """The environment may name them, by the home or from the root."""
    write("keys", f"[default]\n{KEYS}")
    write("settings", "[default]\nregion = eu-west-1\ncredential_process = get-keys --json\n")
    environment["AWS_SHARED_CREDENTIALS_FILE"] = "~/keys"
    environment["AWS_CONFIG_FILE"] = f"{environment['HOME']}/settings"

    profile = found(environment)

    assert profile.static_keys is not None
    assert (profile.region, profile.process) == ("eu-west-1", "get-keys --json")


def test_half_a_pair_is_no_pair(environment: dict[str, str], write: Write) -> None:
    """An id without its secret signs nothing."""
    write(".aws/credentials", "[default]\naws_access_key_id = AKIAX\n")

    assert found(environment).static_keys is None


def test_a_named_profile_that_is_nowhere(environment: dict[str, str]) -> None:
    """Whoever names one means it."""
    environment["AWS_PROFILE"] = "work"

    assert refused(environment) == (
        "AWS_PROFILE: found 'work', which is in no file; wanted a profile's name"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("aws_access_key_id = very-secret\n", "is not in the form of profiles"),
        ("[default]\nvery-secret\n", "is not in the form of profiles"),
    ],
)
def test_files_that_cannot_be_read(
    environment: dict[str, str], write: Write, text: str, reason: str
) -> None:
    """The file is named; of its lines none is shown."""
    write(".aws/credentials", text)

    told = refused(environment)

    assert told == f"file {environment['HOME']}/.aws/credentials: {reason}"


def test_files_of_another_kind(environment: dict[str, str], tmp_path: Path) -> None:
    """Neither folders nor pictures are files of profiles."""
    environment["AWS_CONFIG_FILE"] = str(tmp_path)
    assert "Is a directory" in refused(environment)

    (tmp_path / "picture").write_bytes(b"\xff\xd8")
    environment["AWS_CONFIG_FILE"] = str(tmp_path / "picture")
    assert "is not UTF-8 text" in refused(environment)


@pytest.mark.parametrize("setting", ["sso_session", "source_profile", "role_arn"])
def test_keys_by_way_of_somebody_else(
    environment: dict[str, str], write: Write, setting: str
) -> None:
    """Such a profile is refused with the setting, and what would work."""
    write(".aws/config", f"[default]\n{setting} = x\n")

    with pytest.raises(BadAwsProfile, match=f"gets its keys by {setting}, which LSD does not"):
        found(environment).refuse_chain()


def test_settings_alone_are_no_chain(environment: dict[str, str], write: Write) -> None:
    """A region does no harm."""
    write(".aws/config", "[default]\nregion = eu-west-1\n")

    found(environment).refuse_chain()


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-1", "AWS_DEFAULT_REGION": "eu-2"}, "eu-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-2"}, "eu-2"),
        ({}, "eu-3"),
    ],
)
def test_the_region(
    environment: dict[str, str], write: Write, variables: dict[str, str], region: str
) -> None:
    """The environment goes before the profile."""
    write(".aws/config", "[default]\nregion = eu-3\n")

    assert written_region(environment | variables) == region


def test_no_region(environment: dict[str, str], write: Write) -> None:
    """Neither without a profile nor in one that names none."""
    assert written_region(environment) is None
    write(".aws/credentials", f"[default]\n{KEYS}")
    assert written_region(environment) is None


def test_the_metadata_service_may_be_forbidden() -> None:
    """By one word, in any case."""
    assert may_ask_metadata({})
    assert may_ask_metadata({"AWS_EC2_METADATA_DISABLED": "false"})
    assert not may_ask_metadata({"AWS_EC2_METADATA_DISABLED": "True"})
