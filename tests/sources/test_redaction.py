"""What every redacted record has in common."""

from typing import Any

import pytest

from fanous.sources.redaction import digest, pruned, to_minute, without_devices, without_seconds
from tests.each import each


def test_a_time_is_cut_to_its_minute() -> None:
    assert to_minute(1_702_823_759.9) == "2023-12-17T14:35:00Z"


def test_a_digest_is_always_the_same_and_tells_nothing() -> None:
    assert digest("20231217143501.1_PK") == digest("20231217143501.1_PK") != digest("20231217143502.1_PK")
    assert len(digest("")) == 32


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Sun, 17 Dec 2023 15:04:59 GMT", "Sun, 17 Dec 2023 15:04:00 GMT"),
        ("2023-12-17T15:04:59.123Z", "2023-12-17T15:04:00.000Z"),
        ("2001:db8:aa::1", "2001:db8:aa::1"),
        ("nothing", "nothing"),
    ],
)
def test_seconds_of_clock_times_become_zeros_of_the_same_length(text: str, cut: str) -> None:
    assert without_seconds(text) == cut
    assert len(cut) == len(text)


@each(
    ("value", "wanted", "kept"),
    [
        ({"a": 1, "b": 2}, {"a": None}, {"a": 1}),
        ({"a": 1}, None, {"a": 1}),
        ([{"a": 1, "b": 2}], [{"a": None}], [{"a": 1}]),
        ({"x": {"a": 1, "b": 2}}, {"*": {"a": None}}, {"x": {"a": 1}}),
        ("a text where a map should be", {"a": None}, None),
        ({"a": "b"}, [{"a": None}], None),
    ],
)
def test_only_what_is_named_is_kept(value: Any, wanted: Any, kept: Any) -> None:
    assert pruned(value, wanted) == kept


@each(
    "text",
    [
        ("at 00:11:22:aa:bb:CC.", "at *****************."),
        ("00-11-22-aa-bb-cc 00-11-22-aa-bb-cd", "***************** *****************"),
        ("0011.22aa.bbcc.ddee.ff00.1122.3344", "**************.**************.3344"),
        ("aabb.ccdd.eeff,00:11:22:33:44:55", "**************,*****************"),
        ("00:11:22:33:44:55:66 x00:11:22:33:44:55 00:11:22:33:44", None),
        ("xaabb.ccdd.eeff aabb.ccdd.eeff0", None),
    ],
)
def test_the_number_of_a_network_card_is_hidden_and_nothing_else(text: tuple[str, str | None]) -> None:
    said, hidden = text
    assert without_devices(said) == (said if hidden is None else hidden)
