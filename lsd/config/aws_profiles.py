"""The files in which AWS's own tools keep keys and settings, by profile."""

from collections.abc import Mapping
from configparser import Error, RawConfigParser
from pathlib import Path
from typing import Final

import attrs

from lsd.conversation import LsdError

_CHAINED = ("sso_session", "sso_start_url", "source_profile", "credential_source", "role_arn")
"""Settings by which a profile gets keys from somebody else, in steps that LSD does not take."""


METADATA_SWITCH: Final = "AWS_EC2_METADATA_DISABLED"


@attrs.frozen
class BadAwsProfile(LsdError):
    """The files cannot be used. `reason` names the file or the variable and shows no value."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen(kw_only=True)
class AwsProfile:
    """What the files say under one name; the file of keys goes before that of settings."""

    name: str
    settings: Mapping[str, str] = attrs.field(repr=False)

    @property
    def region(self) -> str | None:
        """The region that it is for."""
        return self.settings.get("region") or None

    @property
    def process(self) -> str | None:
        """The command that gives keys."""
        return self.settings.get("credential_process") or None

    @property
    def static_keys(self) -> Mapping[str, str] | None:
        """The keys that are written down, in the words of AWS's answers."""
        identifier = self.settings.get("aws_access_key_id")
        secret = self.settings.get("aws_secret_access_key")
        if not identifier or not secret:
            return None
        token = self.settings.get("aws_session_token", "")
        return {"AccessKeyId": identifier, "SecretAccessKey": secret, "Token": token}

    def refuse_chain(self) -> None:
        """Raises BadAwsProfile if its keys come by way of somebody else."""
        found = [name for name in _CHAINED if name in self.settings]
        if found:
            raise BadAwsProfile(
                f"profile {self.name!r} gets its keys by {', '.join(found)}, which LSD does not"
                " support; wanted keys, or a credential_process that gets them"
            )


def read_profile(environment: Mapping[str, str]) -> AwsProfile | None:
    """The profile that the environment names, or the default one; None if there is no such.

    Reads files. Raises BadAwsProfile.
    """
    named = environment.get("AWS_PROFILE")
    name = named or "default"
    keys = _sections(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    settings = _sections(environment, "AWS_CONFIG_FILE", "config")
    in_settings = settings.get(f"profile {name}") or (
        settings.get("default", {}) if name == "default" else {}
    )
    merged = {**in_settings, **keys.get(name, {})}
    if merged:
        return AwsProfile(name=name, settings=merged)
    if named:
        raise BadAwsProfile(
            f"AWS_PROFILE: found {named!r}, which is in no file; wanted a profile's name"
        )
    return None


def written_region(environment: Mapping[str, str]) -> str | None:
    """The region that this machine is set up for; None if that is not written down.

    Reads files. Raises BadAwsProfile.
    """
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if region := environment.get(variable):
            return region
    profile = read_profile(environment)
    return None if profile is None else profile.region


def may_ask_metadata(environment: Mapping[str, str]) -> bool:
    """Whether the metadata service of an instance may be asked for what is not written down."""
    return environment.get(METADATA_SWITCH, "").lower() != "true"


def _sections(
    environment: Mapping[str, str], variable: str, file_name: str
) -> Mapping[str, Mapping[str, str]]:
    path = _path(environment, variable, file_name)
    if path is None:
        return {}
    # No section lends its values to all others, as the parser's own default section would.
    parser = RawConfigParser(default_section="", strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except Error:
        # The parser's own words quote the line, which may be a key.
        reason = "is not in the form of profiles"
    else:
        return {name: dict(parser[name]) for name in parser.sections()}
    raise BadAwsProfile(f"file {path}: {reason}")


def _path(environment: Mapping[str, str], variable: str, file_name: str) -> Path | None:
    home = environment.get("HOME")
    given = environment.get(variable)
    if given and not given.startswith("~/"):
        return Path(given)
    if not home:
        return None
    return Path(home) / (given.removeprefix("~/") if given else f".aws/{file_name}")
