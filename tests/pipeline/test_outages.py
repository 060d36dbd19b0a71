"""From a file of levels to what confirm says, through the store and the command line's own path."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from fanous.analysis.detectors.detector import Reads
from fanous.analysis.detectors.registry import version_of
from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.outage import Quantities
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.incident import Incident, Kind, Says, Scope, Status
from fanous.model.instant import DAY
from fanous.model.place import Place
from fanous.model.reason import Reason
from fanous.model.series import SeriesKey
from fanous.pipeline.outages import found_in
from fanous.pipeline.series import ingest_series
from fanous.questions import country as query
from fanous.questions.claims import check, witnesses
from fanous.sources.connector import About, TableColumns
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.web.answers import Site
from fanous.web.application import application
from tests.analysis.detectors.quantity_series import cut, daily
from tests.copies import copy_of
from tests.web.visits import Reader

T = TypeVar("T")

BEGIN = datetime(2024, 3, 4, tzinfo=UTC)
HALF_HOURS = 48
COLUMNS = {"Google (Search)": 60.0, "BGP (#Visible /24s)": 99.0, "Active Probing (#/24s Up)": 95.0}
"""As IODA's dashboard exports them, in per cent of the most."""

Left = Callable[[str, float], float]
"""Column and hours since the beginning -> share of its ordinary level that is left."""


def exported(path: Path, left: Left, *, days: int = 20, begin: datetime = BEGIN) -> Path:
    chance = np.random.default_rng(5)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Time (UTC)", *COLUMNS])
        for row in range(days * HALF_HOURS):
            swing = {"Google (Search)": 1 + 0.5 * np.sin(2 * np.pi * row / HALF_HOURS)}
            values = [
                level * swing.get(name, 1.0) * (1 + 0.01 * chance.standard_normal()) * left(name, row / 2)
                for name, level in COLUMNS.items()
            ]
            at = begin + timedelta(minutes=30 * row)
            writer.writerow([at.strftime("%Y-%m-%d %H:%M:%S"), *values])
    return path


def of_google(path: Path) -> Path:
    """The search traffic of a dashboard's table, as Google gives it: another hand."""
    own = path.with_suffix(".google.csv")
    rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    own.write_text("\n".join(",".join(row[:2]) for row in rows) + "\n", encoding="utf-8")
    return own


BY_GOOGLE = TableColumns("Time (UTC)", "Google (Search)", "google_traffic")


def asked(
    folder: Path, *files: Path, two_hands: bool = False
) -> tuple[list[Incident], list[tuple[str, Reason]]]:
    with open_store(folder / "store") as store:
        for file in files:
            ingest_series(store, "ioda-csv", [file], About("XK"))
            if two_hands:
                ingest_series(store, "csv", [of_google(file)], About("XK", BY_GOOGLE))
        answer = query.confirm(store, "XK", [], None, None)
    return list(answer.incidents), list(answer.insufficient)


def blackout(name: str, hour: float) -> float:
    """Everything but the routes is gone from the tenth day on, 07:00 to 19:00."""
    return 0.02 if 10 * 24 + 7 <= hour < 10 * 24 + 19 and "BGP" not in name else 1.0


def quiet(_name: str, _hour: float) -> float:
    return 1.0


def codes(incident: Incident) -> list[str]:
    return [reason.code for reason in incident.reasons]


def test_a_backfill_says_that_its_confirmation_is_hindsight_and_a_live_monitor_does_not(
    tmp_path: Path,
) -> None:
    (past,), _ = asked(tmp_path, exported(tmp_path / "past.csv", blackout), two_hands=True)
    assert past.confirmed_at is not None and "hindsight" in codes(past)
    (again,), _ = asked(tmp_path, exported(tmp_path / "past.csv", blackout, days=21), two_hands=True)
    assert "hindsight" in codes(again), "which more figures do not change"

    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=10)
    for days in (10, 11):  # the second time, half a day is known that had not happened when it was raised
        table = exported(
            tmp_path / "now.csv", lambda _, at: 0.02 if at >= 236 else 1.0, days=days, begin=begin
        )
        (now,), _ = asked(tmp_path / "live", table, two_hands=True)
        assert now.confirmed_at is not None and "hindsight" not in codes(now)


def test_a_blackout_is_one_confirmed_incident_and_is_told_in_words(tmp_path: Path) -> None:
    (incident,), insufficient = asked(tmp_path, exported(tmp_path / "a.csv", blackout), two_hands=True)
    assert (incident.kind, incident.status, incident.scope) == (Kind.OUTAGE, Status.ENDED, Scope.NATION)
    assert incident.rule == "C3"
    begun = (BEGIN + timedelta(days=10, hours=7)).timestamp()
    assert incident.onset == begun and incident.end == begun + 12 * 3600
    assert incident.confirmed_at is not None and incident.confirmed_at - begun == 1800 + 1200, (
        "two publishers lost more than half in one bin, and IODA's figures are out twenty minutes after it"
    )
    assert incident.mechanisms == ("outage.national", "outage.stealth")
    assert incident.level is not None and incident.level.mean == pytest.approx(0.02, abs=0.01)
    assert [o.says for o in incident.opinions] == [Says.BLIND, Says.DOWN, Says.DOWN]
    assert incident.detector_version == version_of(Reads.QUANTITIES)
    assert [why.code for _, why in insufficient] == ["lacks.beginning", "lacks.first_week"]


def test_an_outage_is_shown_next_to_measurements_of_platforms(tmp_path: Path, rally_folder: Path) -> None:
    """Its network parts are named by the country: every view that counts by network has to pass them over."""
    levels = exported(tmp_path / "a.csv", blackout, days=14, begin=datetime(2023, 12, 6, tzinfo=UTC))
    with open_store(copy_of(rally_folder, tmp_path / "store"), staged=True) as store:
        ingest_series(store, "ioda-csv", [levels], About("PK"))
        answer = query.confirm(store, "PK", [], None, None)
        assert {one.kind for one in answer.incidents} >= {Kind.OUTAGE, Kind.BLOCKING}
        assert answer.grid is not None and answer.grid.rows
        about_x = query.confirm(store, "PK", ["x"], None, None)
        assert {one.kind for one in about_x.incidents} >= {Kind.OUTAGE, Kind.BLOCKING}
        (outage,) = [one for one in answer.incidents if one.kind is Kind.OUTAGE]
        assert [network.asn for network in outage.networks] == [0]
        assert all(witness.reasons for witness in witnesses(store, outage))

        async def ask(question: Callable[[Store], T], /) -> T:
            return question(store)

        pages = Reader(application(ask, Site(clock=lambda: answer.until)))
        shown = {path: pages.get(path).status_code for path in ("/", "/PK", f"/PK/{outage.id}", "/target/x")}
        assert set(shown.values()) == {200}, shown


def test_quiet_series_give_nothing(tmp_path: Path) -> None:
    incidents, insufficient = asked(tmp_path, exported(tmp_path / "a.csv", quiet))
    assert incidents == []
    assert [why.code for _, why in insufficient] == ["lacks.beginning", "lacks.first_week"]


def test_what_comes_later_revises_the_same_incident(tmp_path: Path) -> None:
    early, late = tmp_path / "early.csv", tmp_path / "late.csv"
    exported(late, blackout)
    lines = late.read_text().splitlines(keepends=True)
    early.write_text("".join(lines[: 1 + (10 * 24 + 12) * 2]))
    (going_on,), _ = asked(tmp_path, early, two_hands=True)
    assert (going_on.status, going_on.end) == (Status.CONFIRMED, None)
    (over,), _ = asked(tmp_path, late, two_hands=True)
    assert (over.id, over.status) == (going_on.id, Status.ENDED)
    assert over.confirmed_at == going_on.confirmed_at, "what was known then is what was known then"


def test_one_family_is_suspected_and_the_answer_says_what_is_lacking(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    exported(path, lambda name, hour: 0.85 if "Active" in name and 300 <= hour < 304 else 1.0)
    (incident,), _ = asked(tmp_path, path)
    assert (incident.status, incident.confirmed_at) == (Status.ENDED, None)
    assert incident.scope is Scope.INSUFFICIENT
    lone = tmp_path / "lone"
    lone.mkdir()
    rows = [row[:1] + row[3:] for row in csv.reader(path.read_text().splitlines())]
    alone = lone / "a.csv"
    with alone.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    _, lacking = asked(lone, alone)
    assert {name for name, _ in lacking} == {"connectivity"}
    assert lacking[-1][1] == Reason("lacks.second_family", {"families": ("probing",)})


def test_too_little_history_is_reported(tmp_path: Path) -> None:
    _, insufficient = asked(tmp_path, exported(tmp_path / "a.csv", quiet, days=1))
    assert any(why.code == "lacks.baseline" and why.params["series"] for _, why in insufficient)


@pytest.mark.parametrize(
    ("scope", "columns", "answer"),
    [
        (Scope.NATION, 4, ClaimCheck.CONTRADICTED),
        (Scope.NATION, 3, ClaimCheck.CANNOT_TELL),  # without search traffic: phones may be cut off
        (Scope.ISP, 4, ClaimCheck.CANNOT_TELL),  # a line of the country does not show one operator
    ],
)
def test_levels_that_stayed_as_usual_contradict_a_nation_wide_outage(
    scope: Scope, columns: int, answer: ClaimCheck, tmp_path: Path
) -> None:
    rows = list(csv.reader(exported(tmp_path / "a.csv", quiet).read_text().splitlines()))
    kept = [row[:1] + row[-(columns - 1) :] for row in rows]
    (tmp_path / "b.csv").write_text("\n".join(map(",".join, kept)) + "\n")
    since = (BEGIN + timedelta(days=15)).timestamp()
    claim = Claim("somebody", Said.OUTAGE, "XK", since, since + 6 * 3600, scope=scope)
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "ioda-csv", [tmp_path / "b.csv"], About("XK"))
        checked = check(store, claim)
    assert checked.answer is answer
    if answer is ClaimCheck.CONTRADICTED:
        assert checked.reasons == (Reason("claim.usual", {"families": ("routing", "probing", "usage")}),)


def test_levels_that_stopped_soon_after_its_beginning_contradict_no_outage(tmp_path: Path) -> None:
    whole = exported(tmp_path / "a.csv", quiet, days=16)
    since = (BEGIN + timedelta(days=15, hours=22)).timestamp()
    with open_store(tmp_path / "store") as store:
        ingest_series(store, "ioda-csv", [whole], About("XK"))
        claim = Claim("somebody", Said.OUTAGE, "XK", since, since + 6 * 3600, scope=Scope.NATION)
        assert check(store, claim).answer is ClaimCheck.CANNOT_TELL
        within = replace(claim, until=since + 2 * 3600)
        assert check(store, within).answer is ClaimCheck.CONTRADICTED


@pytest.mark.parametrize(("days", "is_said"), [(4, True), (8, False)])
def test_a_history_without_a_whole_week_says_that_it_hides_losses(
    days: int, is_said: bool, tmp_path: Path
) -> None:
    _, insufficient = asked(tmp_path, exported(tmp_path / "a.csv", quiet, days=days))
    codes = {why.code: why.params for _, why in insufficient}
    assert ("lacks.week" in codes) is is_said
    assert ("lacks.beginning" in codes) is not is_said, "of a window that begins with the series"
    if not is_said:
        first = int(BEGIN.timestamp()) // DAY * DAY
        told = [codes[f"lacks.{name}"]["at"] for name in ("beginning", "first_week")]
        assert told == [first + 2 * DAY, first + 7 * DAY]
    assert not is_said or codes["lacks.week"]["times"] == 3


def test_series_that_no_detector_looks_at_watch_nothing(tmp_path: Path) -> None:
    def seconds(name: str, step: int) -> str:
        rows = (f"{1_709_510_400 + step * n},99" for n in range(20 * 86400 // step))
        return f"Time (UTC),{name}\n" + "\n".join(rows) + "\n"

    probing, routing = tmp_path / "a.csv", tmp_path / "b.csv"
    probing.write_text(seconds("Active Probing (#/24s Up)", 1700))
    routing.write_text(seconds("BGP (#Visible /24s)", 1800))
    incidents, insufficient = asked(tmp_path, probing, routing)
    assert incidents == []
    skipped, *_, lone = (why for _, why in insufficient)
    assert skipped == Reason("lacks.whole_days", {"series": ("ping-slash24 (ioda-csv, 1700 s)",)})
    assert lone == Reason("lacks.second_family", {"families": ("routing",)})


@pytest.mark.parametrize(("hours", "later"), [(1, []), (4, [Status.CONFIRMED])])
def test_the_newest_row_of_a_table_says_nothing_before_those_after_it_are_known(
    tmp_path: Path, hours: int, later: list[Status]
) -> None:
    """Tables of two publishers that were made within their newest bin had lost nine tenths in it."""

    def left(name: str, hour: float) -> float:
        return 0.1 if 297 <= hour < 297 + hours / 2 and "BGP" not in name else 1.0

    rows = exported(tmp_path / "whole.csv", left, days=13).read_text().splitlines(keepends=True)
    for name, until in (("newest.csv", 297 * 2 + 1), ("later.csv", 297 * 2 + 4)):
        (tmp_path / name).write_text("".join(rows[: 1 + until]))
    assert asked(tmp_path, tmp_path / "newest.csv", two_hands=True)[0] == []
    table = tmp_path / "later.csv" if later else exported(tmp_path / "sound.csv", quiet)
    then, _ = asked(tmp_path, table, two_hands=True)
    assert [one.status for one in then] == later


@pytest.mark.parametrize(
    ("countries", "confirmed"),
    [(("PK", "BR", "DE", "KE"), set()), (("GH", "CI", "NG", "CM"), {"GH", "CI", "NG", "CM"})],
)
def test_one_fall_in_many_countries_is_told_in_each_whatever_came_in_first(
    tmp_path: Path, countries: tuple[str, ...], confirmed: set[str]
) -> None:
    table = exported(tmp_path / "a.csv", blackout, days=12)
    with open_store(tmp_path / "store") as store:
        for country in countries:
            ingest_series(store, "ioda-csv", [table], About(country))
            ingest_series(store, "csv", [of_google(table)], About(country, BY_GOOGLE))
        found = {one.country: one for one in store.ledger.incidents()}
        assert not store.ledger.undetected()
        history = [
            one.incident.confirmed_at is not None for one in store.ledger.revisions(found[countries[0]].id)
        ]
    assert set(found) == set(countries)
    assert {one.country for one in found.values() if one.confirmed_at is not None} == confirmed
    for country, one in found.items():
        told = [each for each in (*one.reasons, *one.hints) if "countries" in each.params]
        assert [each.code for each in told] == ["hint.elsewhere" if confirmed else "shared.worldwide"]
        assert told[0].params["countries"] == tuple(sorted(set(countries) - {country}))
    assert history[1] and history[-1] is bool(confirmed), "the first was confirmed before the others came in"


@pytest.mark.parametrize(("country", "left", "suspected"), [("DE", 0.6, 0), ("DE", 0.3, 1), ("PK", 0.6, 1)])
def test_usage_that_falls_after_clocks_were_changed_has_not_fallen_at_once(
    country: str, left: float, suspected: int
) -> None:
    """Everything is an hour later from the night of 27 October 2024 on, in Germany and not in Pakistan."""
    day, noon = datetime(2024, 10, 11, tzinfo=UTC).timestamp(), 20 * 24 + 11
    one = replace(
        cut(daily(24, noise=0.01, swing=0.9), noon, noon + 3.5, left),
        key=SeriesKey(Place(country), "", "gtr", source="a test"),
    )
    one = replace(one, times=(one.times - one.times[0] + day).astype(np.int64))
    found = found_in(Quantities([one]), Setting(country, None, "", ""))
    assert len(found) == suspected
