"""Costs for readers."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.analysis.cost import Range
from fanous.cli.main import app
from fanous.model.reason import as_written
from fanous.store.local import open_store
from fanous.wording.cost import dollars
from tests.charts.events import incident
from tests.each import each


def fanous(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["cost", *words])
    return result.exit_code, result.output


@each(
    ("amount", "text"),
    [
        (Range(3_701_234, 9_281_234), "US$ 3.7 million to 9.3 million"),
        (Range(0, 123_456), "US$ 0 to 120,000"),
        (Range(996_000, 996_000), "US$ 1 million"),
        (Range(0, 0), "US$ 0"),
        (Range(0.5, 12), "US$ 0.5 to 12"),
        (Range(2.7e13, 2.7e13), "US$ 27 trillion"),
    ],
)
def test_dollars_have_two_digits(amount: Range, text: str) -> None:
    assert dollars(amount) == text


@each(
    ("hours", "lang", "end"),
    [
        ("1", "en", "in 1 hour."),
        ("0.5", "en", "in 0.5 hours."),
        ("7.2", "en", "in 7.2 hours."),
        ("1", "fr", "en 1 heure."),
        ("1", "es", "en 1 hora."),
        ("7.2", "es", "en 7,2 horas."),
        ("1", "ar", "خلال مدة قدرها ساعة واحدة."),
    ],
)
def test_hours_are_counted_in_every_language(hours: str, lang: str, end: str) -> None:
    _, out = fanous("PK", "--hours", hours, "--lang", lang)
    first = out.splitlines()[0]
    assert re.sub(r"[\u2068\u2069]", "", first).endswith(end)


def test_a_country_has_a_range_by_method() -> None:
    code, out = fanous("PK", "--hours", "24", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["in_all"] == {"low": 3708147.0, "high": 9270369.0}
    assert [one["method"] for one in document["methods"]] == ["deloitte", "digital-share", "cipesa"]
    assert document["methods"][1]["per_hour"] is None
    assert document["methods"][0]["inputs"][0]["source"] == "World Bank, World Development Indicators"


def test_a_region_counts_by_its_people_and_an_unknown_one_widens_the_range() -> None:
    punjab = json.loads(fanous("PK", "--hours", "24", "--regions", "PK-PB", "--json")[1])
    assert punjab == json.loads(fanous("PK", "--hours", "24", "--region", "punjab", "--json")[1])
    assert punjab["affected_share"] == {"low": 0.5287, "high": 0.5287}
    code, out = fanous("IN", "--hours", "24", "--regions", "IN-BR")
    assert code == 0
    assert "The population of IN-BR is not known" in out
    assert "if everyone in the country was affected" in out


def test_targets_have_no_low_figure_unless_one_is_given() -> None:
    """ "US$ 0 to 63 million" was quoted as 63 million, which is what a full shutdown would cost."""
    first = fanous("PK", "--hours", "1", "--targets", "x")[1].splitlines()[0]
    assert first.startswith("The cost is not known. By published methods, even a full shutdown")
    assert "US$ 0" not in first
    assert json.loads(fanous("PK", "--hours", "1", "--targets", "x", "--json")[1])["per_hour"]["low"] == 0
    given = fanous("PK", "--hours", "1", "--targets", "x", "--dependence", "0.1-0.2", "--json")[1]
    assert json.loads(given)["per_hour"] == {"low": 15451.0, "high": 77253.0}


@pytest.mark.parametrize("hours", ["1", "7", "396"])
def test_a_limit_is_not_rounded_down(hours: str) -> None:
    asked = ("PK", "--hours", hours, "--targets", "x")
    first = fanous(*asked)[1].splitlines()[0]
    found = re.findall(r"US\$ ([\d.,]+)( million)?", first)
    rate, total = (float(n.replace(",", "")) * (1e6 if of else 1) for n, of in found)
    high = json.loads(fanous(*asked, "--json")[1])["per_hour"]["high"]
    assert high <= rate <= 1.1 * high
    assert high * float(hours) <= total <= 1.1 * high * float(hours)


@pytest.mark.parametrize(
    "words",
    [
        ("PK",),
        ("XX", "--hours", "1"),
        ("PK", "--hours", "nan"),
        ("PK", "--hours", "1e9"),
        ("PK", "--hours", "1", "--affected", "90"),
        ("PK", "--hours", "1", "--regions", "IN-BR"),
        ("KE", "--hours", "1", "--regions", "Blah"),
        ("PK", "--hours", "1", "--dependence", "0.5-0.1"),
    ],
)
def test_wrong_usage_is_reported(words: tuple[str, ...]) -> None:
    assert fanous(*words)[0] == 2


def test_an_incident_brings_its_own_hours_and_users(tmp_path: Path) -> None:
    with open_store(tmp_path / "s") as store:
        store.ledger.put(incident(), as_written("a test"))
    document = json.loads(fanous("pk-2023-0001", "--store", str(tmp_path / "s"), "--json")[1])
    assert document["hours"] == 3.17
    assert document["affected_share"] == {"low": 0.05, "high": 0.2}
    assert document["targets"] == ["x"]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("ur", ["فی گھنٹہ", "امریکی ڈالر"]),
        ("fa", ["در ساعت", "۲۴"]),
        ("ar", ["في الساعة", "دولار أمريكي"]),
        ("fr", ["par heure", "M US$"]),
        ("es", ["por hora", "millones US$"]),
    ],
)
def test_a_cost_is_said_in_the_language_asked_for(lang: str, words: list[str]) -> None:
    code, out = fanous("KE", "--hours", "24", "--lang", lang)
    assert code == 0
    assert all(word in out for word in words)
    assert not any(word in out for word in ("an hour", "Ceiling", "not applicable", "These are results"))


def test_a_language_that_is_not_there_is_refused() -> None:
    code, out = fanous("KE", "--hours", "24", "--lang", "xx")
    assert code == 2
    assert "one of en, ur, fa, ar, fr, es" in out


def test_hours_are_never_written_as_a_power_of_ten() -> None:
    assert "in 168 hours" in fanous("PK", "--hours", "168")[1]
