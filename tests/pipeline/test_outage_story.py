"""An outage from end to end: probes that fall silent, and what they recorded in the meantime."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fanous.model.incident import Incident, Kind, Scope, Status
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.pipeline import detect, ingest
from fanous.pipeline.judge import Ingested
from fanous.store.local import open_store
from fanous.store.protocol import Store

START, STEP = 1_702_800_000, 600
BINS, CUT = 40, range(20, 28)
SHARES = UserWeights(
    "PK", tuple(NetworkWeight(asn, 0.33, Access.FIXED, f"AS{asn}") for asn in (1, 2, 3)), 0.1, "a test"
)


def look(
    asn: int,
    probe: int,
    bin_: int,
    *,
    online: bool = True,
    country: str = "PK",
    found: dict[str, object] | None = None,
) -> str:
    """One look of a probe at its line, as the probe writes it."""
    at = datetime.fromtimestamp(START + bin_ * STEP + probe, UTC).strftime("%Y-%m-%d %H:%M:%S")
    health = {"online": online, "portal": False, "intranet_only": False} | (found or {})
    return json.dumps(
        {
            "test_name": "fanous_health",
            "test_version": "0.1.0",
            "data_format_version": "0.2.0",
            "measurement_start_time": at,
            "test_start_time": at,
            "probe_cc": country,
            "probe_asn": f"AS{asn}",
            "report_id": f"{country}-{asn}-{probe}",
            "annotations": {"network_type": "" if online else "no_internet"},
            "test_keys": {"x_health": health},
        }
    )


def heard(
    networks: tuple[int, ...],
    bins: Iterator[int] | range,
    *,
    online: bool = True,
    found: dict[str, object] | None = None,
) -> list[str]:
    return [
        look(asn, probe, b, online=online, found=found)
        for asn in networks
        for probe in (1, 2, 3)
        for b in bins
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def found(store: Store, folder: Path, lines: list[str], until: int) -> list[Incident]:
    path = folder / f"{len(list(folder.iterdir()))}.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ingest.bring_in(store, "edge", [path], Ingested())
    return detect.detect(store, "PK", START, START + until * STEP, SHARES)


def abroad(bins: range) -> list[str]:
    return [look(9, 1, b, country="SE") for b in bins]


def before(networks: tuple[int, ...] = (1, 2, 3)) -> list[str]:
    return heard(networks, range(CUT.start)) + abroad(range(CUT.stop))


def test_silence_of_all_networks_is_suspected_while_it_lasts(store: Store, tmp_path: Path) -> None:
    (incident,) = found(store, tmp_path, before(), CUT.stop)
    assert (incident.kind, incident.status, incident.scope) == (Kind.OUTAGE, Status.SUSPECTED, Scope.NATION)
    assert [part.target for part in incident.parts] == [""] and incident.targets == ()


def test_what_the_probes_wrote_down_in_that_time_confirms_it_later(store: Store, tmp_path: Path) -> None:
    found(store, tmp_path, before(), CUT.stop)
    late = heard((1, 2, 3), CUT, online=False) + heard((1, 2, 3), range(CUT.stop, BINS))
    (incident,) = found(store, tmp_path, late + abroad(range(CUT.stop, BINS)), BINS)
    assert (incident.status, incident.scope) == (Status.ENDED, Scope.NATION)
    assert incident.confirmed_at is not None
    assert incident.mechanisms == ("outage.national",)
    assert [len(store.ledger.incidents("PK")), incident.id] == [1, "PK-2023-0001"]


@pytest.mark.parametrize(
    ("look_found", "mechanism"),
    [
        ({"domestic": True, "intranet_only": True}, "outage.intranet"),
        ({"domestic": True, "spared": ["https://www.google.com/"]}, "outage.allow_list"),
        ({"domestic": False, "spared": ["https://www.google.com/"]}, "outage.allow_list"),
    ],
)
def test_probes_that_reach_home_or_a_list_alone_say_what_kind_of_outage_it_is(
    store: Store, tmp_path: Path, look_found: dict[str, object], mechanism: str
) -> None:
    meanwhile = heard((1, 2, 3), CUT, found=look_found) + heard((1, 2, 3), range(CUT.stop, BINS))
    lines = before() + meanwhile + abroad(range(CUT.stop, BINS))
    (incident,) = found(store, tmp_path, lines, BINS)
    assert (incident.kind, incident.scope, incident.mechanisms) == (Kind.OUTAGE, Scope.NATION, (mechanism,))
    assert (incident.status, incident.rule) == (Status.ENDED, "C2")
    assert incident.end is not None and abs(incident.end - (START + CUT.stop * STEP)) <= STEP


def test_one_network_alone_is_no_nation(store: Store, tmp_path: Path) -> None:
    late = heard((1,), CUT, online=False) + heard((1,), range(CUT.stop, BINS))
    others = heard((2, 3), range(CUT.start, BINS)) + abroad(range(CUT.stop, BINS))
    (incident,) = found(store, tmp_path, before() + late + others, BINS)
    assert (incident.scope, incident.mechanisms) == (Scope.ISP, ("outage.isp",))
    assert incident.confirmed_at is not None
    assert incident.entities == ("AS1",)


def test_probes_that_are_all_heard_are_not_an_outage(store: Store, tmp_path: Path) -> None:
    assert found(store, tmp_path, heard((1, 2, 3), range(BINS)) + abroad(range(BINS)), BINS) == []
