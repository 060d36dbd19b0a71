"""Open data: what leaves, what does not, and how it is described."""

import csv
import hashlib
import io
import json
from copy import copy
from dataclasses import dataclass, field, replace
from math import inf, nan
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pyarrow import parquet

from fanous.errors import FanousError
from fanous.model.incident import EvidenceCounts, FamilyView, Kind, Says
from fanous.model.measurement import Provenance
from fanous.model.place import Place
from fanous.model.series import Series, SeriesKey, Votes
from fanous.publish.credits import credit_line, credits_line, sources_of
from fanous.publish.export import (
    LEAST_PROBES,
    NO_LICENCE,
    TABLES,
    Exported,
    ExportScope,
    export,
    is_open,
    licence_of,
    minute,
    stated_licences,
)
from fanous.publish.table import cell
from fanous.sources.connector import open_licence
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.publishers import SOURCES
from fanous.store.coverage import Freshness
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.wording.language import LANGUAGES
from tests.analysis.incidents.events import MONDAY, Ballot
from tests.charts.events import incident
from tests.commands import fanous
from tests.each import each
from tests.web.small_store import SmallStore

OWN = "CC BY 4.0"
ALL = ExportScope(None, -inf, inf, OWN)


def by(*families: str, **given: Any) -> Any:
    return incident(id="PK-2023-0001", evidence=EvidenceCounts(9, 4, 2, 9, families), **given)


OURS = by("edge")


@dataclass
class Holding(SmallStore):
    """Votes of a source, and ready-made series, in addition to the incidents."""

    source: str = "edge"
    ready: list[Series] = field(default_factory=list)

    def votes(self, country: str, since: float, until: float, targets: Any = None) -> Votes:
        found = super().votes(country, since, until, targets)
        return replace(found, sources=np.array([self.source] * len(found), dtype=object))

    def freshness(self, since: float, until: float) -> list[Freshness]:
        made = [Freshness(self.source, MONDAY, 30, 1)] if self.ballots and not self.is_synthetic else []
        return [one for one in made if since <= one.at < until]

    def measured(self, _country: str, since: float = -inf) -> tuple[float, float] | None:
        first, last = max(since, MONDAY), MONDAY + 30 * 86_400
        return (first, last) if self.ballots and first <= last else None

    def levels(self, country: str, *_rest: Any, **_named: Any) -> list[Series]:
        return self.ready if country == self.country and not self.is_synthetic else []

    def countries(self) -> list[str]:
        return [] if self.is_synthetic else [self.country]


def exported(folder: Path, store: Holding, wanted: ExportScope = ALL) -> Exported:
    return export(cast(Store, store), wanted, folder, 1_702_900_000.0)


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / f"{table}.csv").read_text())))


def level(source: str, *values: float) -> Series:
    key = SeriesKey(Place("PK"), "", "tor_users", source=source)
    n = len(values)
    ones = np.ones(n, np.int64)
    times = np.array([int(MONDAY) + k * 600 for k in range(n)], np.int64)
    return Series(key, 600, times, np.array(values), ones, ones, ones)


# --- what may leave -------------------------------------------------------------------------------


@each("source", [one.name for one in SOURCES.values()] + ["ooni", "ooni-csv", "edge", "new"])
def test_only_sources_of_a_free_licence_are_open(source: str) -> None:
    assert is_open(source) == (source in {"tor", "scan", "edge"})


def opinion(family: str, source: str, says: Says = Says.DOWN) -> FamilyView:
    return FamilyView(family, says, (f"{source} a-signal",), ("PK",))


@each(
    ("claim", "sources", "licence"),
    [
        (by("edge"), ("edge",), OWN),
        (by("ooni"), ("ooni",), ""),
        (by("edge", "ooni"), ("edge", "ooni"), ""),
        (by("probing", opinions=(opinion("probing", "ioda"),)), ("ioda",), ""),
        (by("probing", opinions=(opinion("probing", "scan"),)), ("scan",), OWN),
        (by("usage", opinions=(opinion("usage", "tor"),)), ("tor",), f"{OWN}; CC0"),
        (by("usage", opinions=(opinion("usage", "tor"), opinion("usage", "radar"))), ("tor", "radar"), ""),
        (by("routing"), ("family:routing",), ""),  # no one says from where
    ],
)
def test_a_claim_leaves_with_the_licence_of_what_it_rests_on_or_not_at_all(
    claim: Any, sources: tuple[str, ...], licence: str
) -> None:
    assert sources_of(claim) == sources
    assert licence_of(sources, OWN) == licence


@pytest.mark.parametrize(("is_open", "licence"), [(True, f"{OWN}; CC BY 4.0 of the harbour"), (False, "")])
def test_a_claim_rests_on_every_source_of_its_family(
    is_open: bool, licence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = MEASUREMENT_SOURCES["edge"]
    harbour = copy(edge)
    harbour.name, harbour.licence, harbour.is_open = "harbour", "CC BY 4.0 of the harbour", is_open
    monkeypatch.setitem(MEASUREMENT_SOURCES, "harbour", harbour)
    monkeypatch.setitem(SOURCES, "harbour", harbour)
    assert sources_of(by("edge")) == ("edge", "harbour")
    assert licence_of(("edge", "harbour"), OWN) == licence


def test_what_rests_on_others_is_left_out_and_counted(tmp_path: Path) -> None:
    done = exported(tmp_path, Holding([OURS, replace(by("ooni"), id="PK-2023-0002")]))
    assert [row["id"] for row in rows(tmp_path, "incidents")] == ["PK-2023-0001"]
    assert done.left_out == {"incidents that rest on ooni": 1}
    assert json.loads((tmp_path / "datapackage.json").read_text())["left_out"] == done.left_out


class Hiding(Holding):
    """``[review] public = false``."""

    def for_readers(self, _memory: Any = None) -> Any:
        return replace(self, known=[one for one in self.known if not one.held_by])


@pytest.mark.parametrize("private", [False, True])
def test_what_waits_for_a_person_is_in_no_table_but_the_owners(tmp_path: Path, private: bool) -> None:
    waits = replace(OURS, id="PK-2023-0002", held_by="review")
    exported(tmp_path, Hiding([OURS, waits]), replace(ALL, private=private))
    for table in ("incidents", "networks", "intervals"):
        ids = {row["id"] for row in rows(tmp_path, table)}
        assert ids == {OURS.id, *([waits.id] if private else [])}, table


def test_measurements_of_others_never_enter(tmp_path: Path) -> None:
    ballots = (Ballot([n / 60 for n in range(30)], True),)
    done = exported(tmp_path / "ooni", Holding(ballots=ballots, source="ooni"))
    assert done.left_out == {"measurements of ooni (CC BY-NC-SA 4.0)": 30}, "an empty table says why"
    exported(tmp_path / "own", Holding(ballots=ballots))
    assert rows(tmp_path / "ooni", "cells") == []
    assert len(rows(tmp_path / "own", "cells")) == 1


@pytest.mark.parametrize(("probes", "cells"), [(LEAST_PROBES - 1, 0), (LEAST_PROBES, 1)])
def test_a_cell_has_enough_probes_behind_it(probes: int, cells: int, tmp_path: Path) -> None:
    ballots = tuple(Ballot([0.1, 0.2, 0.3], n == 0, probe=f"p{n}") for n in range(probes))
    done = exported(tmp_path, Holding(ballots=ballots))
    found = rows(tmp_path, "cells")
    assert len(found) == cells
    assert bool(done.left_out) == (cells == 0)
    if found:
        (cell,) = found
        assert (cell["measurements"], cell["failed"], cell["probes"]) == ("9", "3", "3")
        assert (cell["network"], cell["target"], cell["hour"]) == ("AS1", "x", "2023-11-13T00:00:00Z")


def test_series_of_open_sources_leave_with_their_licence_and_gaps_are_no_rows(tmp_path: Path) -> None:
    done = exported(tmp_path, Holding(ready=[level("tor", 10.0, nan, 12.0), level("radar", 1.0)]))
    found = rows(tmp_path, "levels")
    assert [(row["value"], row["licence"]) for row in found] == [("10.0", "CC0"), ("12.0", "CC0")]
    assert done.left_out == {"series of radar (CC BY-NC 4.0)": 1}
    package = json.loads((tmp_path / "datapackage.json").read_text())
    assert [one["title"] for one in package["sources"]] == [SOURCES["tor"].title]


def test_a_source_of_which_no_row_is_there_is_not_named(tmp_path: Path) -> None:
    exported(tmp_path, Holding([OURS]))
    assert json.loads((tmp_path / "datapackage.json").read_text())["sources"] == []


def test_no_text_of_others_is_a_formula(tmp_path: Path) -> None:
    """Series and targets have names that their source, or a probe, chose."""
    named = level("tor", 10.0)
    key = replace(named.key, subtype='=HYPERLINK("https://a.example")', target="-x.example")
    exported(tmp_path, Holding(ready=[replace(named, key=key)]))
    (row,) = rows(tmp_path, "levels")
    assert (row["subtype"], row["target"]) == ("'" + key.subtype, "'-x.example")
    assert row["value"] == "10.0"
    wide = "＝1+1"
    assert (cell(wide), cell("\t=1"), cell("x;=1;-2")) == (f"'{wide}", "'=1", "x; =1; -2")
    assert (cell("a; b"), cell("a;b"), cell(-1.0), cell(None)) == ("a; b", "a;b", -1.0, None)


def test_times_are_whole_minutes() -> None:
    assert minute(1_702_824_359.9) == "2023-12-17T14:45:00Z"
    assert minute(None) is None


def test_a_recorded_event_says_so_in_every_row(tmp_path: Path) -> None:
    exported(tmp_path, Holding([OURS, replace(OURS, id="PK-2023-0009", provenance=Provenance.SYNTHETIC)]))
    told = [(row["provenance"], row["synthetic"]) for row in rows(tmp_path, "incidents")]
    assert told == [("imported", "False"), ("synthetic", "True")]
    staged = [row for table in TABLES for row in rows(tmp_path, table.name) if row["synthetic"] == "True"]
    assert {row["id"] for row in staged} == {"PK-2023-0009"}
    assert json.loads((tmp_path / "datapackage.json").read_text())["synthetic"] == len(staged) == 4


PRIVATE = replace(ALL, private=True)


def test_a_private_export_has_everything_with_the_licence_under_which_it_came(tmp_path: Path) -> None:
    store = Holding(
        [OURS, replace(by("ooni"), id="PK-2023-0002"), replace(by("routing"), id="PK-2023-0003")],
        ballots=(Ballot([0.1, 0.2], True),),
        source="ooni",
        ready=[level("tor", 10.0), level("radar", 1.0)],
    )
    done = exported(tmp_path, store, PRIVATE)
    assert done.left_out == {}
    told = {row["id"]: row["licence"] for row in rows(tmp_path, "incidents")}
    assert told == {"PK-2023-0001": OWN, "PK-2023-0002": "CC BY-NC-SA 4.0", "PK-2023-0003": NO_LICENCE}
    (cell,) = rows(tmp_path, "cells")
    assert (cell["source"], cell["probes"], cell["licence"]) == ("ooni", "2", "CC BY-NC-SA 4.0")
    assert [row["licence"] for row in rows(tmp_path, "levels")] == ["CC0", "CC BY-NC 4.0"]
    package = json.loads((tmp_path / "datapackage.json").read_text())
    assert package["name"] == "fanous-private-data"
    assert "licenses" not in package, "each row has its own"
    assert package["description"].startswith("Private: ")


def test_lists_are_lists_and_each_network_and_interval_has_a_row(tmp_path: Path) -> None:
    exported(tmp_path, Holding([OURS, replace(by("ooni"), id="PK-2023-0002")]))
    (one,) = parquet.read_table(tmp_path / "incidents.parquet").to_pylist()
    assert (one["targets"], one["networks"]) == (list(OURS.targets), ["AS59257"])
    (network,) = parquet.read_table(tmp_path / "networks.parquet").to_pylist()
    assert (network["id"], network["entity"], network["targets"]) == (OURS.id, "AS59257", ["x"])
    assert network["measurements"] == OURS.networks[0].measurements
    spans = parquet.read_table(tmp_path / "intervals.parquet").to_pylist()
    assert [(row["entity"], row["n"]) for row in spans] == [("", 1), ("AS59257", 1)]
    assert spans[0]["start"].timestamp() == OURS.intervals[0].start // 60 * 60


# --- how it is described --------------------------------------------------------------------------


def test_every_file_is_described_as_it_is(tmp_path: Path) -> None:
    done = exported(tmp_path, Holding([OURS]))
    package = json.loads((tmp_path / "datapackage.json").read_text())
    assert {one["path"] for one in package["resources"]} == {path.name for path in done.files} - {
        "datapackage.json"
    }
    for one in package["resources"]:
        content = (tmp_path / one["path"]).read_bytes()
        assert one["bytes"] == len(content)
        assert one["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert one["name"] == one["name"].lower()
    for table in TABLES:
        (described,) = [one for one in package["resources"] if one["name"] == table.name]
        names = [one["name"] for one in described["schema"]["fields"]]
        assert next(csv.reader(io.StringIO((tmp_path / f"{table.name}.csv").read_text()))) == names
        assert set(described["schema"]["primaryKey"]) <= set(names)
        assert {one["type"] for one in described["schema"]["fields"]} <= {
            "string",
            "integer",
            "number",
            "datetime",
            "boolean",
        }


def test_all_forms_say_the_same(tmp_path: Path) -> None:
    exported(tmp_path, Holding([OURS, replace(by("edge", kind=Kind.OUTAGE, end=None), id="PK-2023-0002")]))
    told = rows(tmp_path, "incidents")
    table = parquet.read_table(tmp_path / "incidents.parquet").to_pylist()
    features = json.loads((tmp_path / "incidents.geojson").read_text())["features"]
    for a, b, c in zip(told, table, features, strict=True):
        assert a["id"] == b["id"] == c["id"] == c["properties"]["id"]
        assert (
            a["end"]
            == (f"{b['end']:%Y-%m-%dT%H:%M:%SZ}" if b["end"] else "")
            == (c["properties"]["end"] or "")
        )
        assert float(a["confidence"]) == b["confidence"]
        assert c["geometry"] is None


def test_an_empty_store_gives_empty_tables(tmp_path: Path) -> None:
    assert exported(tmp_path, Holding()).rows == dict.fromkeys(
        ("incidents", "networks", "intervals", "cells", "levels"), 0
    )
    assert parquet.read_table(tmp_path / "cells.parquet").num_rows == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FanousError, match="name another with -o"):
        exported(tmp_path / "file", Holding())


def test_a_picture_credits_those_whose_data_it_shows_with_their_licence() -> None:
    assert credit_line(by("edge", "ooni"), LANGUAGES["en"]) == "Data: Fanous; OONI (CC BY-NC-SA 4.0)"
    assert credit_line(by("ooni"), LANGUAGES["ur"]).endswith("\u2068OONI\u2069 (\u2068CC BY-NC-SA 4.0\u2069)")
    assert credit_line(by(), LANGUAGES["en"]) == ""
    table = ("csv connectivity",)
    imported = replace(by("probing"), opinions=(FamilyView("probing", Says.DOWN, table, ("PK",)),))
    assert credit_line(imported, LANGUAGES["en"]) == "Data: an imported table", "not: licence not stated"
    assert credits_line(["csv"], LANGUAGES["en"], {"csv": "CC0"}) == "Data: an imported table (CC0)"


# --- tables of the operator's ---------------------------------------------------------------------


def test_a_table_leaves_under_the_open_licence_that_its_owner_states(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("time,value\n2023-12-17T10:00Z,5\n2023-12-17T11:00Z,6\n")
    words = ("ingest", "csv", table, "--country", "PK", "--store", tmp_path / "store")
    for stated, licence in (
        ((), ""),
        (("--licence", "all rights reserved"), ""),
        (("--licence", "cc-by-sa-4.0"), "CC BY-SA 4.0"),
        ((), "CC BY-SA 4.0"),  # the same values again, about which nothing new is said
    ):
        fanous(*words, *stated)
        out = tmp_path / "data"
        said = json.loads(fanous("export", "--out", out, "--store", tmp_path / "store", "--json").stdout)
        assert [(row["value"], row["licence"]) for row in rows(out, "levels")] == (
            [("5.0", licence), ("6.0", licence)] if licence else []
        ), stated
        assert bool(said["left_out"]) is not bool(licence)
    private = tmp_path / "private"
    fanous("export", "--private", "--out", private, "--store", tmp_path / "store")
    assert {row["licence"] for row in rows(private, "levels")} == {"CC BY-SA 4.0"}
    with open_store(tmp_path / "store") as store:
        assert stated_licences(store, "PK") == {"csv": "CC BY-SA 4.0"}


def test_what_rests_on_a_stated_table_leaves_with_both_licences() -> None:
    assert licence_of(("edge", "csv"), OWN) == ""
    assert licence_of(("edge", "csv"), OWN, {"csv": "ODbL 1.0"}) == "CC BY 4.0; ODbL 1.0"
    assert licence_of(("radar", "csv"), OWN, {"csv": "ODbL 1.0"}) == ""


@pytest.mark.parametrize(
    ("typed", "name"),
    [("CC-BY-4.0", "CC BY 4.0"), ("odbl 1.0", "ODbL 1.0"), ("CC BY-NC 4.0", ""), ("ours", ""), ("", "")],
)
def test_an_open_licence_is_known_however_it_is_spelt(typed: str, name: str) -> None:
    assert open_licence(typed) == name
