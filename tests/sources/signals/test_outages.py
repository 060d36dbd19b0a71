"""What IODA and Radar say of outages, in the shapes that ``samples`` cites: claims, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.errors import Rejected
from fanous.model.claim import Claim, Said
from fanous.model.incident import Scope
from fanous.pipeline.pull import answer_of
from fanous.sources.claims.ioda import LIMIT
from fanous.sources.connector import Parsed, Query
from fanous.sources.publishers import LIVE_SOURCES
from fanous.sources.signals.ioda import ADDRESS
from fanous.store.local import open_store
from tests.each import each
from tests.sources.signals.samples import (
    T0,
    ioda_alert,
    ioda_event,
    ioda_outages,
    radar_anomaly,
    radar_outage,
    radar_told,
)

HOUR = 3600
DAY = 86400


def of_ioda(kind: str, *entries: Any, until: int = T0 + DAY) -> Parsed:
    return LIVE_SOURCES["ioda-outages"].parse(ioda_outages(kind, *entries, until=until), "PK", "")


def of_radar(**lists: Any) -> Parsed:
    return LIVE_SOURCES["radar-outages"].parse(radar_told(**lists), "PK", "")


def test_an_event_of_iodas_is_a_claim_of_theirs_and_no_series() -> None:
    found = of_ioda("events", ioda_event())
    assert found.series == ()
    (claim,) = found.claims
    assert (claim.who, claim.said, claim.since, claim.until) == ("IODA", Said.OUTAGE, T0, T0 + 2 * HOUR)
    assert (claim.hours, claim.networks, claim.scope) == (2.0, (), None)
    assert claim.link.startswith("https://ioda.") and "1234" in claim.quote


@pytest.mark.parametrize(
    ("until", "overlaps", "hours"),
    [
        (T0 + 2 * HOUR, True, None),  # IODA ends it with the window, and says so
        (T0 + 2 * HOUR, False, 2.0),  # it was over at that very moment
        (T0 + 2 * HOUR, None, None),  # an answer of before 2022
        (T0 + DAY, True, 2.0),  # it began before the window
        (T0 + HOUR, False, 2.0),  # it was over after the window
    ],
)
def test_whether_an_event_was_over_is_what_iodas_flag_says(
    until: int, overlaps: bool | None, hours: float | None
) -> None:
    (claim,) = of_ioda("events", ioda_event(overlaps_window=overlaps), until=until).claims
    assert claim.hours == hours


def test_an_event_of_a_network_names_it_and_one_of_a_region_is_passed_over() -> None:
    places = ["asn/17557", "geoasn/45669-PK", "region/2330"]
    found = of_ioda("events", *(ioda_event(location=place) for place in places))
    assert [claim.networks for claim in found.claims] == [(17557,), (45669,)]
    assert found.rejects == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"location": "country/IR"}, "not PK"),
        ({"location": "asn/AS1"}, "no place"),
        ({"location": None}, "`$.location`"),
        ({"start": "noon"}, "`$.start`"),
        ({"duration": None}, "`$.duration`"),
    ],
)
def test_an_event_that_cannot_be_used_leaves_the_others(changes: dict[str, Any], why: str) -> None:
    found = of_ioda("events", ioda_event(**changes), ioda_event())
    assert [(number, why in reason) for number, reason in found.rejects] == [(1, True)]
    assert len(found.claims) == 1


def test_critical_alerts_are_one_claim_a_line_until_it_is_normal_again() -> None:
    found = of_ioda(
        "alerts",
        ioda_alert(T0, "critical"),
        ioda_alert(T0 + 600, "critical"),
        ioda_alert(T0 + 900, "normal", datasource="bgp"),
        ioda_alert(T0 + HOUR, "normal"),
        ioda_alert(T0 + 5 * HOUR, "warning"),
        ioda_alert(T0 + 6 * HOUR, "critical", entity={"code": "17557", "type": "asn", "name": "PTCL"}),
    )
    assert [(c.since, c.until, c.hours, c.networks) for c in found.claims] == [
        (T0, T0 + HOUR, 1.0, ()),
        (T0 + 6 * HOUR, T0 + DAY, None, (17557,)),
    ]
    assert found.claims[0].who == "IODA, an alert of ping-slash24"
    assert found.claims[0].quote == "ping-slash24: 900 where 5000 was expected"


@pytest.mark.parametrize(
    "entry", [None, {}, ioda_alert(-5, "critical"), ioda_alert(T0, "critical", entity={})]
)
def test_an_alert_that_cannot_be_used_is_named(entry: Any) -> None:
    found = of_ioda("alerts", entry, ioda_alert(T0, "critical"))
    assert [number for number, _ in found.rejects] == [1]
    assert len(found.claims) == 1


def test_an_outage_of_radars_says_how_far_and_why() -> None:
    (claim,) = of_radar(annotations=[radar_outage()]).claims
    assert (claim.who, claim.said, claim.scope, claim.hours) == (
        "Cloudflare Radar",
        Said.OUTAGE,
        Scope.NATION,
        2.0,
    )
    assert claim.quote == "Mobile networks were cut; cause: GOVERNMENT_DIRECTED"
    assert claim.link == "https://example.org/told"


def test_an_outage_of_networks_names_them_and_one_of_a_service_is_passed_over() -> None:
    network = radar_outage(
        asns=[45669, 17557], outage={"outageCause": "POWER_OUTAGE", "outageType": "NETWORK"}
    )
    service = radar_outage(outage={"outageCause": "UNKNOWN", "outageType": "PLATFORM"})
    (claim,) = of_radar(annotations=[network, service]).claims
    assert (claim.networks, claim.scope) == ((17557, 45669), None)


def test_an_outage_without_an_end_speaks_of_its_beginning() -> None:
    (claim,) = of_radar(annotations=[radar_outage(endDate=None)]).claims
    assert (claim.since, claim.until, claim.hours) == (T0, T0 + HOUR, None)


def test_an_anomaly_of_radars_is_no_more_than_they_call_it() -> None:
    (claim,) = of_radar(trafficAnomalies=[radar_anomaly()]).claims
    assert (claim.said, claim.networks) == (Said.DISRUPTED, (17557,))
    assert claim.quote == "a traffic anomaly, verified, seen in NETFLOWS, HTTP"


@each(
    "lists",
    [
        {"annotations": [radar_outage(locations=["IR"])]},
        {"annotations": [radar_outage(startDate="soon")]},
        {"annotations": [radar_outage(endDate="2023-11-14T00:00:00Z")]},
        {"annotations": [radar_outage(asns=["PTCL"])]},
        {"annotations": [None]},
        {"trafficAnomalies": [radar_anomaly(asnDetails={"asn": "1", "locations": {"code": "IR"}})]},
    ],
)
def test_an_entry_of_radar_that_cannot_be_used_is_named(lists: dict[str, Any]) -> None:
    found = of_radar(**lists)
    assert [number for number, _ in found.rejects] == [1]
    assert found.claims == ()


@each("source", ["ioda-outages", "radar-outages"])
@each("data", [b"", b"[]", b"{}", b'{"type": "signals", "data": []}', b'{"success": true}'])
def test_another_document_is_rejected_whole(source: str, data: bytes) -> None:
    with pytest.raises(Rejected):
        LIVE_SOURCES[source].parse(data, "PK", "")


def test_events_and_alerts_are_asked_for_by_place_from_a_week_before() -> None:
    pieces = list(
        LIVE_SOURCES["ioda-outages"].pieces(Query("PK", T0, T0 + DAY, networks=(17557,)), lambda _: b"")
    )
    assert [piece.name for piece in pieces] == [
        "outages/events/country/PK",
        "outages/alerts/country/PK",
        "outages/events/asn/17557",
        "outages/alerts/asn/17557",
    ]
    assert pieces[0].url == (
        f"{ADDRESS}/outages/events?entityType=country&entityCode=PK&from={T0 - 7 * DAY}&until={T0 + DAY}"
        "&format=codf&ignoreMethods=*.sarima&limit=500&page=0"
    )


def test_every_page_is_asked_for_from_0_and_none_beyond_the_last() -> None:
    """The newest come last, and IODA cuts in silence."""
    entries = [ioda_event(start=T0 + 10 * n, duration=5) for n in range(2 * LIMIT + 7)]
    asked: list[str] = []

    def get(url: str) -> bytes:
        asked.append(url)
        page = int(url.rpartition("&page=")[2])
        return ioda_outages("events", *entries[page * LIMIT : (page + 1) * LIMIT])

    live = LIVE_SOURCES["ioda-outages"]
    piece = next(iter(live.pieces(Query("PK", T0, T0 + DAY), get)))
    found = live.parse(answer_of(live, get, piece.url), "PK", piece.name)
    assert [url.rpartition("&page=")[2] for url in asked] == ["0", "1", "2"]
    assert [claim.since for claim in found.claims] == [T0 + 10 * n for n in range(len(entries))]


def test_an_alert_that_ends_on_the_next_page_has_ended() -> None:
    alerts = [
        *(ioda_alert(T0 + n, "warning", datasource="bgp") for n in range(LIMIT - 1)),
        ioda_alert(T0 + LIMIT, "critical"),
        ioda_alert(T0 + HOUR, "normal"),
    ]
    pages = [ioda_outages("alerts", *alerts[:LIMIT]), ioda_outages("alerts", *alerts[LIMIT:])]
    live = LIVE_SOURCES["ioda-outages"]
    data = answer_of(
        live, lambda url: pages[int(url.rpartition("=")[2])], f"{ADDRESS}/outages/alerts?page=0&page=0"
    )
    (claim,) = live.parse(data, "PK", "").claims
    assert claim.until == T0 + HOUR and claim.hours is not None


@pytest.mark.parametrize(
    ("second", "why"),
    [(b'{"error": "no", "data": []}', "IODA says: no"), (b"[]", "known form"), (b"<", "a web page")],
)
def test_an_invalid_page_spoils_the_answer(second: bytes, why: str) -> None:
    pages = [ioda_outages("events", *LIMIT * [ioda_event()]), second]
    live = LIVE_SOURCES["ioda-outages"]
    with pytest.raises(Rejected, match=why):
        answer_of(live, lambda url: pages[int(url.rpartition("=")[2])], "x&page=0")


def test_pages_without_end_are_given_up() -> None:
    live, full = LIVE_SOURCES["ioda-outages"], ioda_outages("events", *LIMIT * [ioda_event()])
    with pytest.raises(Rejected, match="more than 20,000"):
        answer_of(live, lambda _: full, "x&page=0")


def test_outages_and_anomalies_of_radar_are_asked_for_by_place() -> None:
    pieces = list(LIVE_SOURCES["radar-outages"].pieces(Query("PK", T0, T0 + DAY), lambda _: b""))
    assert [piece.name for piece in pieces] == [
        "annotations/outages?location=PK",
        "traffic_anomalies?location=PK",
    ]
    assert "dateStart=2023-11-15T00:00:00Z" in pieces[0].url


def fanous(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_saved_answer_becomes_claims_once_that_are_held_against_the_evidence(tmp_path: Path) -> None:
    path, store = tmp_path / "events.json", str(tmp_path / "store")
    path.write_bytes(ioda_outages("events", ioda_event(overlaps_window=True), until=T0 + 2 * HOUR))
    told = ("ingest", "ioda-outages", str(path), "--country", "PK", "--store", store)
    assert "stored 1, repeated 0" in fanous(*told)
    assert "stored 0, repeated 1" in fanous(*told)
    path.write_bytes(ioda_outages("events", ioda_event(duration=5 * HOUR)))
    assert "stored 1, repeated 0" in fanous(*told), "it is over now: that is another statement"
    checked = fanous("claims", "check", "--store", store)
    assert checked.count("IODA: outage in PK") == 2
    assert "CANNOT TELL" in checked
    with open_store(Path(store)) as opened:
        assert opened.ledger.incidents("PK") == [] and opened.facts.levels("PK") == [], (
            "a claim is no measurement"
        )
        claims: list[Claim] = opened.ledger.claims("PK")
    assert [claim.hours for claim in claims] == [None, 5.0]
