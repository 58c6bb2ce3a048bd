"""Names of datasets."""

import pytest

from lsd.datasets import check_dataset_name
from lsd.inference import BadRequest


@pytest.mark.parametrize(
    "name", ["a", "A b", "x" * 255, "ä" * 127, "a.b", "lsd:x", "Builder", "\x80"]
)
def test_nearly_everything_is_a_name(name: str) -> None:
    """Letter case, spaces and other scripts are kept."""
    check_dataset_name(name)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("builder", "reserved"),
        ("lsd::", "reserved"),
        ("lsd::x", "reserved"),
        ("x" * 256, "255 bytes"),
        ("ä" * 128, "255 bytes"),
        ("a\nb", "control"),
        ("\x00", "control"),
        ("\x7f", "control"),
    ],
)
def test_a_refusal_names_the_rule(name: str, rule: str) -> None:
    """And the name, as far as it can be shown."""
    with pytest.raises(BadRequest, match=f"dataset_name: found .*{rule}"):
        check_dataset_name(name)
