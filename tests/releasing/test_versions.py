"""The number of the next version."""

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.releasing.versions import Differences, next_version, parts_of

RELEASED = ["0.2.0", "0.10.1", "0.9.0"]


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        (Differences(gone=["B"], new=["C"], is_data_changed=True), "1.0.0"),
        (Differences(new=["C"]), "0.11.0"),
        (Differences(is_data_changed=True), "0.11.0"),
        (Differences(), "0.10.2"),
    ],
)
def test_what_changed_decides_which_number_is_raised_and_the_highest_version_is_the_base(differences, expected):
    assert next_version(RELEASED, "0.1.0", differences).version == expected


def test_the_first_version_and_a_higher_one_are_taken_as_wanted():
    assert next_version([], "0.3.0", Differences()).version == "0.3.0"
    assert next_version(RELEASED, "2.0.0", Differences()).version == "2.0.0"


@pytest.mark.parametrize(("bump", "expected"), [("major", "1.0.0"), ("minor", "0.11.0"), ("patch", "0.10.2")])
def test_a_bump_that_is_asked_for_is_made(bump, expected):
    assert next_version(RELEASED, "2.0.0", Differences(gone=["B"]), bump).version == expected


def test_an_unknown_bump_and_a_wrong_version_are_named():
    with pytest.raises(DomainNerError, match="--bump is 'big'; expected one of auto, major, minor, patch"):
        next_version([], "0.1.0", Differences(), "big")
    for wrong in ("1.0", "01.0.0", "1.0.0-rc1", ""):
        with pytest.raises(DomainNerError, match=r"expected X\.Y\.Z"):
            parts_of(wrong)
