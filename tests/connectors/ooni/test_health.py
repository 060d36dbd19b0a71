"""What a look at the line says."""

import pytest

from fanous.connectors.ooni.document import HealthKeys, Look
from fanous.connectors.ooni.health import defect_of


@pytest.mark.parametrize(
    ("look", "defect"),
    [
        (Look(True, False, False), ""),
        (Look(False, False, False), "no network"),
        (Look(True, True, False), "captive portal"),
        (Look(True, False, True), "nothing outside the country answers"),
        (Look(), "no look at the line in it"),
        (None, "no look at the line in it"),
    ],
)
def test_a_line_is_sound_or_the_look_says_why_not(look: Look | None, defect: str) -> None:
    assert defect_of(HealthKeys(look)) == defect


def test_an_unreadable_look_allows_no_conclusion() -> None:
    assert defect_of(None)
