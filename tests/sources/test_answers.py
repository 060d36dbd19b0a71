"""Contracts with publishers: retyped answers, and recorded ones that may be kept, fit what we declare and read.

``tests/sources/answers/README.md`` says what each typed answer imitates; docs/limits.md, what each source rests on.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fanous.errors import FanousError, Rejected
from fanous.sources.connector import Query
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni_csv import REQUIRED, STEPS
from fanous.sources.publishers import LIVE_SOURCES
from tests.documents import ROOT
from tests.shared_data import shared_file
from tests.sources.answers import ANSWERS, FOLDER, SOURCES_OF
from tests.sources.ooni_csv.rows import UID, csv_of, row
from tests.sources.records import document, encoded

each = pytest.mark.parametrize("name", sorted(ANSWERS))
NAMES = {"google_traffic.txt": "product=21", "ripestat_country_resource_stats.json": "country/PK"}
SERIES = {
    "ioda_signals.json": {
        *("bgp", "ping-slash24", "merit-nt", "gtr", "gtr-norm", "mozilla"),
        *("ping-slash24-loss", "ping-slash24-latency"),
    },
    "ripestat_country_resource_stats.json": {"asns", "prefixes_v4", "prefixes_v6"},
    "radar_netflows.json": {"radar_netflows"},
    "radar_tcp_resets.json": {"radar_tampering"},
    "tor_relay.csv": {"tor_relay"},
    "tor_bridge.csv": {"tor_bridge"},
    "google_traffic.txt": {"google_traffic"},
}
CLAIMS = {"ioda_events.json": 3, "ioda_alerts.json": 1, "radar_outages.json": 2, "radar_anomalies.json": 2}


def test_every_source_on_the_internet_has_an_answer_and_every_answer_names_what_it_imitates() -> None:
    assert set(SOURCES_OF) == set(ANSWERS)
    assert set(SOURCES_OF.values()) == LIVE_SOURCES.keys() - {"atlas"}
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|", (FOLDER / "README.md").read_text(), re.M)
    named = {file for files, *_ in rows for file in files.split(", ")}
    assert named - {"file"} == set(ANSWERS)
    told = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    assert [name for name in LIVE_SOURCES if f"`{name}`" not in told] == []


@each
def test_an_answer_is_read_whole(name: str) -> None:
    parsed = LIVE_SOURCES[SOURCES_OF[name]].parse(ANSWERS[name], "PK", NAMES.get(name, name))
    assert parsed.rejects == ()
    assert {one.key.signal for one in parsed.series} == SERIES.get(name, set())
    assert len(parsed.claims) == CLAIMS.get(name, 0)


def test_odd_values_are_read_for_what_they_are() -> None:
    def series(name: str) -> dict[str, list[float | None]]:
        parsed = LIVE_SOURCES[SOURCES_OF[name]].parse(ANSWERS[name], "PK", NAMES.get(name, name))
        return {
            one.key.signal: [None if value != value else value for value in one.values.tolist()]
            for one in parsed.series
        }

    assert series("ioda_signals.json")["bgp"] == [13107, 13107, None, 13104]
    assert series("ioda_signals.json")["ping-slash24-loss"] == [0.025, None]
    assert series("ripestat_country_resource_stats.json")["prefixes_v6"][-2:] == [None, None], "-1 is missing"
    assert series("tor_relay.csv")["tor_relay"] == [5872, 5901, None]
    assert series("google_traffic.txt")["google_traffic"][-1] == 0
    claims = LIVE_SOURCES["ioda-outages"].parse(ANSWERS["ioda_events.json"], "PK", "").claims
    assert [claim.hours for claim in claims] == [2.67, 2.0, None], "the last is cut by the window's end"


def paths(document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field of an answer, by the names on the way to it; objects that are read as they come are left out."""
    if isinstance(document, list):
        for element in document[:1]:
            yield from paths(element, (*path, ""))
    elif isinstance(document, dict):
        for name, value in document.items():
            yield (*path, name)
            yield from paths(value, (*path, name))


def renamed(document: Any, path: tuple[str, ...]) -> Any:
    """With the field at ``path`` under another name, in every element of a list on the way."""
    if isinstance(document, list):
        return [renamed(element, path[1:]) for element in document] if path[0] == "" else document
    if not isinstance(document, dict) or path[0] not in document:
        return document
    if len(path) == 1:
        return {(f"{name}_2" if name == path[0] else name): value for name, value in document.items()}
    return document | {path[0]: renamed(document[path[0]], path[1:])}


READ_AS_THEY_COME = (
    "metadata",
    "requestParameters",
    "perf",
    "meta",
    "attrs",
    "agg_values",
    "values",
    "asnsDetails",
)
"""Objects whose fields are not declared."""
NEEDED = {
    "ioda_signals.json": ["data", "datasource", "from", "step", "values", "entityType", "entityCode"],
    "ioda_events.json": ["type", "data", "location", "start", "duration"],
    "ioda_alerts.json": ["type", "data", "datasource", "level", "time", "entity"],
    "ripestat_country_resource_stats.json": ["data", "stats", "timeline", "starttime", "endtime", "asns_ris"],
    "radar_netflows.json": ["success", "result", "main", "timestamps", "values"],
    "radar_tcp_resets.json": ["success", "result", "main", "timestamps", "post_syn"],
    "radar_outages.json": ["success", "result", "annotations", "locations", "startDate"],
    "radar_anomalies.json": ["success", "result", "trafficAnomalies", "startDate"],
}


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, fields in NEEDED.items() for field in fields]
)
def test_without_a_field_that_it_needs_a_reader_says_so_or_reads_less(name: str, field: str) -> None:
    live = LIVE_SOURCES[SOURCES_OF[name]]
    whole = live.parse(ANSWERS[name], "PK", NAMES.get(name, name))
    found = paths(json.loads(ANSWERS[name]))
    path = next(path for path in found if path[-1] == field and not set(path[:-1]) & set(READ_AS_THEY_COME))
    try:
        less = live.parse(
            json.dumps(renamed(json.loads(ANSWERS[name]), path)).encode(), "PK", NAMES.get(name, name)
        )
    except Rejected:
        return
    assert less.rejects or (len(less.series), len(less.claims)) < (len(whole.series), len(whole.claims))


@pytest.mark.parametrize("path", [("data",), ("data", "", "code")], ids=".".join)
def test_a_changed_list_of_regions_is_reported_and_the_country_is_complete(
    path: tuple[str, ...],
) -> None:
    other = json.dumps(renamed(json.loads(ANSWERS["ioda_regions.json"]), path)).encode()
    ioda = LIVE_SOURCES["ioda"]
    pieces = list(ioda.pieces(Query("PK", 0, 86_400, regions=True), lambda _: other))
    assert [piece.name for piece in pieces] == ["regions", "country/PK"]
    with pytest.raises(Rejected, match="not a response with IODA"):
        ioda.parse(other, "PK", "regions")


def unheard(*_: object) -> None:
    """What is rejected is not of interest."""


@pytest.mark.parametrize("column", [*REQUIRED, *(f"{step}_failure" for step in STEPS)])
def test_a_column_of_oonis_observations_that_is_renamed_is_named(column: str, tmp_path: Path) -> None:
    """Of the tables that researchers share, and of what the API lists."""
    table = tmp_path / "rows.csv"
    table.write_bytes(csv_of(row()))
    read = MEASUREMENT_SOURCES["ooni-csv"].read
    assert len(list(read(table, unheard))) == 1
    table.write_bytes(table.read_bytes().replace(column.encode(), column.encode() + b"_2"))
    with pytest.raises(FanousError, match=f"lacks .*{column}"):
        list(read(table, unheard))


def test_an_answer_about_one_measurement_that_no_longer_holds_it_is_rejected(tmp_path: Path) -> None:
    answer = json.dumps({"measurement_uid": UID, "raw_measurement": encoded(document()).decode()})
    path, ooni = tmp_path / "answer.json", MEASUREMENT_SOURCES["ooni"]
    path.write_text(answer, encoding="utf-8")
    (record,) = ooni.read(path, unheard)
    assert ooni.parse(record).measurement.target
    path.write_text(answer.replace("raw_measurement", "raw"), encoding="utf-8")
    with pytest.raises(Rejected):
        [ooni.parse(record) for record in ooni.read(path, unheard)]


@pytest.mark.parametrize("name", ["tor_relay.csv", "tor_bridge.csv"])
@pytest.mark.parametrize("column", ["date", "country", "users"])
def test_a_column_that_is_renamed_is_noticed(name: str, column: str) -> None:
    with pytest.raises(Rejected, match=f"lacks {column}"):
        LIVE_SOURCES["tor"].parse(ANSWERS[name].replace(column.encode(), b"x", -1), "PK", name)


def test_a_recorded_answer_of_ioda_about_a_newer_data_source_is_accepted() -> None:
    data = shared_file("answers/ioda_upstream_delay_1299.json").read_bytes()
    parsed = LIVE_SOURCES["ioda"].parse(data, "SE", "asn/1299")
    assert (parsed.series, parsed.rejects) == ((), ())


def test_a_recorded_answer_of_googles_has_the_shape_and_is_read() -> None:
    data = shared_file("signals/gtr_raw_answer_ru.txt").read_bytes()
    parsed = LIVE_SOURCES["google"].parse(data, "RU", "product=21")
    assert parsed.rejects == () and len(parsed.series[0]) > 100
