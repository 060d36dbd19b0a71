"""What is asked of the store: quickly, and without saying more than was measured."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from fanous.analysis.events import EventOutcome
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.event import AnnouncedEvent
from fanous.model.instant import DAY, HOUR
from fanous.model.place import Place
from fanous.model.reason import Reason
from fanous.model.series import SeriesKey, SourceSeries
from fanous.publish.edition import claims_about
from fanous.questions.claims import check, event_report
from fanous.questions.country import confirm
from fanous.store.coverage import Within
from fanous.store.local import open_store
from fanous.wording.reasons import reasons_text
from tests.children import child_environment
from tests.copies import copy_of
from tests.store.cases import NOON, incident, judged

CONCLUDING = (
    "fanous.analysis.detectors",
    "fanous.analysis.rules",
    "fanous.pipeline.detect",
    "fanous.pipeline.ingest",
    "fanous.pipeline.interference",
    "fanous.pipeline.judge",
    "fanous.pipeline.outages",
    "fanous.questions.claims",
    "fanous.questions.incident",
    "fanous.sources.connector",
    "fanous.sources.ooni",
    "fanous.sources.publishers",
    "fanous.sources.stream",
)
NOT_NEEDED = ("pandas", "pyarrow")
"""What chDB would load for answers of other kinds."""


def test_confirm_loads_none_of_the_stages_that_conclude(small_rally_folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from fanous.cli.main import app\n"
        f"app(['confirm', 'PK', '--store', {str(copy_of(small_rally_folder, tmp_path / 'store'))!r}],"
        " standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert "Pakistan" in ran.stdout
    assert [name for name in ran.stderr.split() if name.startswith(CONCLUDING + NOT_NEEDED)] == []


def test_what_was_measured_around_a_window_is_not_measured_in_it(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        old, new = judged("old", started_at=NOON - 100 * DAY), judged("new")
        store.append([old, new], rules_version="1")
        assert confirm(store, "PK", [], None, None).within == Within(2, 1, hours_measured=2)
        assert confirm(store, "PK", [], NOON - 1, NOON + 1).within == Within(1, 1, hours_measured=1)
        gap = NOON - 50 * DAY, NOON - 10 * DAY
        assert not confirm(store, "PK", [], *gap).within
        assert confirm(store, "PK", ["x"], None, None).within == Within(2, 1, hours_measured=2)
        assert not confirm(store, "PK", ["youtube"], None, None).within
        times = np.array([int(NOON - 20 * DAY)])
        store.facts.put_series(
            [SourceSeries(SeriesKey(Place("PK"), "", "bgp", source="ioda"), 300, times, np.ones(1))]
        )
        assert confirm(store, "PK", [], *gap).within == Within(0, 0, ("ioda",), hours_measured=1)
        inside = NOON - 20 * DAY + 120
        assert confirm(store, "PK", [], inside, inside + 60).within.sources == ("ioda",), "within a bin"
        days = SourceSeries(SeriesKey(Place("PK"), "", "tor_relay", source="tor"), 86400, times, np.ones(1))
        store.facts.put_series([days])
        from_then = confirm(store, "PK", [], NOON - 20 * DAY, NOON - 18 * DAY)
        assert (from_then.within.hours_measured, from_then.hours) == (24, 48)


def test_series_of_a_targets_traffic_are_measurements_of_it(tmp_path: Path) -> None:
    at = np.array([int(NOON)])
    keys = (
        SeriesKey(Place("PK"), "youtube", "connectivity", source="csv"),
        SeriesKey(Place("PK"), "", "gtr-norm", source="ioda", subtype="GMAIL"),
    )
    with open_store(tmp_path) as store:
        store.facts.put_series([SourceSeries(key, 300, at, np.ones(1)) for key in keys])
        asked = {name: confirm(store, "PK", [name], NOON, NOON + HOUR) for name in ("youtube", "gmail", "x")}
    assert {name: answer.within.sources for name, answer in asked.items()} == {
        "youtube": ("csv",),
        "gmail": ("ioda",),
        "x": (),
    }
    unmeasured = [("x", Reason("coverage.none"))]
    assert [answer.insufficient for answer in asked.values()] == [[], [], unmeasured]


def test_series_are_reported_of_an_event_and_a_claim_but_show_nothing_unless_a_detector_watched_them(
    tmp_path: Path,
) -> None:
    """One kind of source, and no probe: it can be said what there is, but not that nothing happened."""
    days = np.arange(int(NOON - 30 * DAY), int(NOON + DAY), 1800)
    traffic = SeriesKey(Place("RU"), "youtube", "google_traffic", source="csv")
    table = "csv google_traffic youtube"
    with open_store(tmp_path) as store:
        whole = SourceSeries(traffic, 1800, days, (100 + np.arange(len(days)) % 48).astype(np.float64))
        young = SourceSeries(replace(traffic, place=Place("GE")), 1800, days[-48:], np.ones(48))
        hidden = (days < NOON + 2 * HOUR) | (days >= NOON + 4 * HOUR)
        place = replace(traffic, place=Place("KZ"))
        holed = SourceSeries(place, 1800, days[hidden], whole.values[hidden])
        store.facts.put_series([whole, young, holed])

        def said(country: str, target: str) -> list[Reason]:
            event = AnnouncedEvent(country, NOON, NOON + 6 * HOUR, "rally", (target,))
            report = event_report(store, event)
            assert report.outcome is EventOutcome.CANNOT_TELL
            assert report.coverage.series == ((table,) if target == "youtube" else ())
            assert report.comparison == Reason("compare.unmeasured")
            for what in (Said.NORMAL, Said.BLOCKING):
                claim = Claim("the regulator", what, country, NOON, NOON + 6 * HOUR, targets=(target,))
                assert check(store, claim).answer is ClaimCheck.CANNOT_TELL
                assert check(store, claim).reasons == report.reasons[1:]
            return list(report.reasons[1:])

        there, usual = (
            Reason("coverage.series", {"sources": (table,)}),
            Reason("coverage.no_loss", {"families": ("usage",)}),
        )
        assert said("RU", "youtube") == [there, usual]
        assert said("GE", "youtube") == [there]
        assert said("KZ", "youtube") == [there], "a loss may hide in the gap"
        assert said("RU", "x") == [Reason("coverage.none")]
        of_a_network = Claim("the regulator", Said.NORMAL, "RU", NOON, NOON + DAY, networks=(8359,))
        assert check(store, of_a_network).reasons == (Reason("coverage.none"),)
        blocked = Claim("the regulator", Said.BLOCKING, "RU", NOON, NOON + DAY)
        assert check(store, blocked).reasons == (there,)
    assert reasons_text([there, usual]) == (
        "No probe measured in that time. There are only these series: Share of a Google product's traffic, "
        "YouTube, an imported table. No loss was found in series of these kinds of sources: traffic and "
        "users."
    )


def test_an_incident_whose_data_ended_says_nothing_of_later_times(tmp_path: Path) -> None:
    """It is open for as long as nothing is measured, but no one knows whether it went on."""
    with open_store(tmp_path) as store:
        store.append([judged()], rules_version="1")
        store.ledger.put(incident(id=""), (Reason("rule.c2"),), at=NOON)

        def normal(since: float) -> ClaimCheck:
            return check(store, Claim("the regulator", Said.NORMAL, "PK", since, since + DAY)).answer

        def around(start: float) -> EventOutcome:
            event = AnnouncedEvent("PK", start, start + HOUR, "exams")
            return event_report(store, event).outcome

        assert normal(NOON - HOUR) is ClaimCheck.CONTRADICTED
        assert normal(NOON + 10 * DAY) is ClaimCheck.CANNOT_TELL
        (known,) = store.ledger.incidents("PK")
        earlier, _ = (
            store.ledger.add_claim(Claim("NetBlocks", Said.BLOCKING, "PK", since, since + HOUR))
            for since in (NOON - 60, NOON + 10 * DAY)
        )
        assert claims_about(store, known, NOON + 20 * DAY) == [earlier]
        assert around(NOON - 60) is EventOutcome.DISRUPTED
        assert around(NOON + 10 * DAY) is EventOutcome.CANNOT_TELL
