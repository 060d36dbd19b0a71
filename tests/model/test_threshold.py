"""A threshold is declared once, under an id that nothing else has."""

import pytest

from fanous.model import threshold as module
from fanous.model.threshold import declared, threshold


@pytest.fixture(autouse=True)
def none_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DECLARED", {})


def test_a_threshold_is_its_value_and_is_listed() -> None:
    assert threshold("rooms.share", 0.7, "seven in ten") == 0.7
    assert [(one.id, one.value, one.why) for one in declared()] == [("rooms.share", 0.7, "seven in ten")]


def test_an_id_is_never_given_twice() -> None:
    threshold("rooms.share", 0.7, "seven in ten")
    with pytest.raises(ValueError, match=r"rooms\.share"):
        threshold("rooms.share", 0.7, "seven in ten")
