"""What strangers can make Fanous say, by a collector's door and through OONI, and at what price."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fanous.analysis.incidents.disputes import is_disputed
from fanous.analysis.rules import judge
from fanous.collector.origin import UNKNOWN
from fanous.collector.submission import Senders, new_report_id, receive
from fanous.model.incident import Basis, Incident, Status
from fanous.model.measurement import LATE, Provenance, Record
from fanous.model.verdict import State
from fanous.pipeline import ingest
from fanous.pipeline.detect import detect_all
from fanous.pipeline.judge import known_fingerprints
from fanous.publish.evidence import manifest
from fanous.publish.evidence.container import read_parts, unpack_lines
from fanous.publish.evidence.pack import gather, pack
from fanous.publish.evidence.verify import Result, verify
from fanous.publish.signer import make_key
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store.local import open_store
from fanous.wording.reasons import reasons_text
from tests.each import each

NOW = 1_702_900_800.0  # 2023-12-18 12:00
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
ZONG, TELENOR, WATEEN = 59257, 24499, 38264


@pytest.fixture(scope="session")
def models(real_rally: Path) -> dict[bool, dict[str, Any]]:
    """A record of X that fails with its own normal control, and one that works."""
    found: dict[bool, dict[str, Any]] = {}
    source = MEASUREMENT_SOURCES["ooni"]
    for line in real_rally.read_bytes().splitlines():
        parsed = source.parse(Record("ooni", line))
        said = [one for one in judge(parsed, known_fingerprints()) if one.target == "x"]
        if any(one.state is State.BLOCKED and one.controlled for one in said):
            found.setdefault(True, json.loads(line))
        if said and all(one.state is State.OK for one in said):
            found.setdefault(False, json.loads(line))
        if len(found) == 2:
            return found
    raise AssertionError("the generator makes no such records")


class Door:
    """A collector's door, and OONI's: what comes in by them, as lines of records."""

    def __init__(self, models: dict[bool, dict[str, Any]]) -> None:
        self._models, self._senders, self._numbers = models, Senders(), count()

    def _record(self, asn: int, at: float, fails: bool, **fields: Any) -> dict[str, Any]:
        stamp = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
        own = {"probe_asn": f"AS{asn}", "measurement_start_time": stamp, "test_start_time": stamp}
        named = {"id": f"{next(self._numbers)}", "resolver_asn": f"AS{asn}"}
        left = {name: value for name, value in self._models[fails].items() if name not in NAMES}
        return left | own | named | fields

    def upload(
        self,
        address: str,
        asn: int,
        at: float,
        received: float | None = None,
        *,
        fails: bool = True,
        known: bool = False,
    ) -> bytes:
        """By a stranger at an address, or a known volunteer; by a probe of ours if it is empty."""
        now = at + 5 if received is None else received
        content = self._record(asn, at, fails)
        number = f"{next(self._numbers):012d}".encode()
        report = new_report_id("webconnectivity", "PK", f"AS{asn}", now, number)
        sender = self._senders.name_of(address, now) if address else ""
        body = json.dumps({"format": "json", "content": content}).encode()
        sent = receive(report, body, address or "203.0.113.1", UNKNOWN, now, sender)
        return sent.proved_by("ab" * 16, is_known=True).line if known else sent.line

    def ooni(self, asn: int, at: float, received: float, *, fails: bool = True, **fields: Any) -> bytes:
        """As OONI publishes it, which gives each record an identity that begins with the time of receipt."""
        uid = f"{datetime.fromtimestamp(received, UTC):%Y%m%d%H%M%S}.{next(self._numbers):06d}_PK_webconnectivity_a"
        return json.dumps(self._record(asn, at, fails, measurement_uid=uid, **fields)).encode()


NAMES = {"measurement_uid", "report_id", "probe_id", "x_collector"}


@pytest.fixture
def door(models: dict[bool, dict[str, Any]]) -> Door:
    return Door(models)


def concluded(
    folder: Path, edge: Sequence[bytes] = (), ooni: Sequence[bytes] = (), batches: int = 1
) -> list[Incident]:
    """The incidents about X that follow from what came in, in so many batches."""
    with open_store(folder, clock=lambda: NOW + 2 * HOUR) as store:
        for batch in range(batches):
            for source, lines in (("edge", edge[batch::batches]), ("ooni", ooni[batch::batches])):
                if lines:
                    path = folder / f"{source}{batch}.jsonl"
                    path.write_bytes(b"".join(line + b"\n" for line in lines))
                    ingest.ingest(store, source, [path], provenance=Provenance.REAL, detects=False)
            detect_all(store)
        found = [one for one in store.ledger.incidents("PK") if one.status is not Status.RETRACTED]
    return [replace(one, id="") for one in found]


def works(door: Door, asns: Sequence[int], hours: Sequence[float], of: str = "198.51.100.7") -> list[bytes]:
    return [door.upload(of, asn, NOW + hour * HOUR, fails=False) for asn in asns for hour in hours]


def elsewhere(door: Door) -> list[bytes]:
    """It works on another network all the while, as others see it."""
    return works(door, [WATEEN], [hour / 2 for hour in range(-60, 4)])


HOME = [f"2a00:1450:1:{n:x}::7" for n in range(9)]
"""Addresses of one line: a /56 has 256 networks of them."""


def test_own_probes_confirm_within_the_hour(door: Door, tmp_path: Path) -> None:
    """What is asked of strangers is not asked of them: the attacks below are otherwise good evidence."""
    events = [door.upload("", ZONG, NOW + (5 * n - 60) * MINUTE) for n in range(9)]
    (one,) = concluded(tmp_path / "s", [*works(door, [ZONG], [-9, -6, -3], ""), *events, *elsewhere(door)])
    assert one.confirmed_at is not None and one.confirmed_at <= NOW
    assert "afterwards" not in {reason.code for reason in one.reasons}


def test_what_own_probes_stored_through_a_cut_is_confirmed_when_it_arrives(
    door: Door, tmp_path: Path
) -> None:
    events = [door.upload("", ZONG, NOW - (9 - n / 5) * HOUR, NOW) for n in range(15)]
    (one,) = concluded(tmp_path / "s", [*works(door, [ZONG], [-15, -12, -1], ""), *events, *elsewhere(door)])
    assert one.onset < NOW - 8 * HOUR and one.confirmed_at is not None and one.confirmed_at >= NOW - MINUTE
    assert [reason.params["at"] for reason in one.reasons if reason.code == "afterwards"] == [
        one.confirmed_at
    ]
    assert "Reported afterwards" in reasons_text(one.reasons)


def test_one_line_makes_nothing_of_the_past(door: Door, tmp_path: Path) -> None:
    """T1 and T5: nine uploads that are dated back by hours, or by a month."""
    for back in (3 * HOUR, 30 * DAY):
        made = [door.upload(HOME[n % 3], ZONG, NOW - back + n * 10 * MINUTE, NOW) for n in range(6)]
        assert (
            concluded(tmp_path / f"{back}", [*works(door, [ZONG], [-9, -6]), *made, *elsewhere(door)]) == []
        )


def test_one_line_confirms_nothing_however_patient_it_is(door: Door, tmp_path: Path) -> None:
    """T1 in real time: for an hour, and for three days and nights under another name each day."""
    for hours in (3, 72):
        made = [door.upload(HOME[n % 9], ZONG, NOW - HOUR * (hours - n / 2)) for n in range(2 * hours)]
        found = concluded(tmp_path / f"{hours}", [*works(door, [ZONG], [-90, -80]), *made, *elsewhere(door)])
        assert all(one.confirmed_at is None for one in found)


def laptop(door: Door, asns: Sequence[int], hours: Sequence[float], *, back: float = 0.0) -> list[bytes]:
    """T7: OONI records from anywhere, by three versions of a probe each hour."""
    return [
        door.ooni(
            asn,
            NOW + hour * HOUR + MINUTE * n - back,
            NOW + hour * HOUR + MINUTE * n + 2,
            software_version=f"3.{n}.0",
            report_id=f"20231218T000000Z_webconnectivity_PK_{asn}_n1_{hour}{n}",
        )
        for asn in asns
        for hour in hours
        for n in range(3)
    ]


@each(
    ("asns", "hours", "confirmed"),
    [
        ((ZONG,), (-2, -1.5, -1), False),
        ((ZONG,), (-8, -7, -6, -5, -4, -3, -2, -1), False),
        ((ZONG, TELENOR), (-1.9, -1.5, -1.1), False),
        ((ZONG, TELENOR), (-3.5, -2.5, -1.5, -0.5), True),
        ((ZONG,), tuple(range(-26, 0)), True),
    ],
)
def test_volunteers_alone_are_reported_until_it_has_cost_as_much_as_the_page_says(
    asns: Sequence[int], hours: Sequence[float], confirmed: bool, models: Any, tmp_path: Path
) -> None:
    door = Door(models)
    folder = tmp_path / f"{len(asns)}{len(hours)}"
    found = concluded(folder, elsewhere(door), laptop(door, asns, hours))
    assert len(found) == 1
    assert (found[0].confirmed_at is not None) is confirmed
    assert found[0].basis is Basis.VOLUNTEERS


@each(
    ("asns", "blocks", "known", "confirmed"),
    [
        ((ZONG,), 5, 5, False),
        ((ZONG,), 6, 6, True),
        ((ZONG,), 8, 5, False),
        ((ZONG, TELENOR), 2, 2, False),
        ((ZONG, TELENOR), 3, 3, True),
        ((ZONG, TELENOR), 5, 2, False),
        ((ZONG, TELENOR), 5, 3, True),
    ],
)
def test_known_volunteers_confirm_within_the_hour_if_there_are_enough(
    asns: Sequence[int], blocks: int, known: int, confirmed: bool, models: Any, tmp_path: Path
) -> None:
    door = Door(models)
    made = [
        door.upload(f"39.{n}.{asn % 200}.7", asn, NOW + (15 * turn + n - 60) * MINUTE, known=n < known)
        for asn in asns
        for turn in range(4)
        for n in range(blocks)
    ]
    folder = tmp_path / f"{len(asns)}{blocks}{known}"
    (one,) = concluded(folder, [*works(door, asns, [-9, -6, -3]), *made, *elsewhere(door)])
    assert (one.confirmed_at is not None) is confirmed
    assert one.basis is Basis.VOLUNTEERS


def test_a_bundle_of_what_known_volunteers_saw_comes_to_the_same_and_has_no_pseudonym(
    door: Door, tmp_path: Path
) -> None:
    made = [
        door.upload(f"39.{n}.1.7", ZONG, NOW + (15 * turn + n - 60) * MINUTE, known=True)
        for turn in range(4)
        for n in range(6)
    ]
    (one,) = concluded(tmp_path / "s", [*works(door, [ZONG], [-9, -6, -3]), *made, *elsewhere(door)])
    assert one.confirmed_at is not None
    with open_store(tmp_path / "s") as store:
        gathered = gather(store, store.ledger.incidents("PK")[0].id)
    packed = pack(gathered, tmp_path / "one.fan", make_key(tmp_path / "key.pem"), NOW)
    assert (verify(packed.path).result, packed.differences) == (Result.MATCH, [])
    records = [
        line.data for line in unpack_lines(read_parts(packed.path)[manifest.RECORDS], manifest.RECORDS)
    ]
    assert sum(b'"volunteer":true' in line for line in records) >= len(made)
    assert not any(b"ab" * 16 in line for line in records)


def test_known_volunteers_need_controls_that_are_not_their_own(door: Door, tmp_path: Path) -> None:
    made = [
        door.upload(f"39.{n}.1.7", ZONG, NOW + (15 * turn + n - 60) * MINUTE, known=True)
        for turn in range(4)
        for n in range(6)
    ]
    found = concluded(tmp_path / "s", [*works(door, [ZONG], [-9, -6, -3]), *made])
    assert [one.confirmed_at for one in found] == [None]


def test_ooni_records_that_are_dated_back_do_not_count(door: Door, tmp_path: Path) -> None:
    made = laptop(door, [ZONG, TELENOR], [-3.5, -2.5, -1.5, -0.5], back=2 * HOUR)
    assert concluded(tmp_path / "s", elsewhere(door), made) == []


@each("by", ["the collector", "ooni"])
def test_strangers_take_nothing_back_that_own_probes_saw(by: str, models: Any, tmp_path: Path) -> None:
    """T2: a hundred denials an hour, of a crowd with lines all over both networks."""
    door = Door(models)
    honest = [door.upload("", asn, NOW + (5 * n - 60) * MINUTE) for asn in (ZONG, TELENOR) for n in range(9)]
    honest += [*works(door, [ZONG, TELENOR], [-9, -6, -3], ""), *elsewhere(door)]
    moments = [(asn, NOW + (n - 60) * MINUTE, n) for asn in (ZONG, TELENOR) for n in range(60)]
    plain = concluded(tmp_path / by, honest)
    if by == "ooni":
        lies = [
            door.ooni(
                asn, at, at + 2, fails=False, report_id=f"20231218T000000Z_webconnectivity_PK_{asn}_n1_{n}"
            )
            for asn, at, n in moments
        ]
        found = concluded(tmp_path / f"{by} lies", honest, lies)
    else:
        lies = [door.upload(f"198.{n}.{asn % 200}.7", asn, at, fails=False) for asn, at, n in moments]
        found = concluded(tmp_path / f"{by} lies", [*honest, *lies])
    (one,), (told,) = plain, found
    assert one.confirmed_at is not None
    assert (told.confirmed_at, told.onset, told.end) == (one.confirmed_at, one.onset, one.end)
    assert set(told.entities) >= {f"AS{ZONG}", f"AS{TELENOR}"}
    assert (told.basis, is_disputed(told)) == (Basis.VOUCHED, True)


def test_late_uploads_move_no_onset(door: Door, tmp_path: Path) -> None:
    """T4: one line, 160 uploads dated over the day before a true event."""
    honest = [door.upload("", ZONG, NOW + (5 * n - 60) * MINUTE) for n in range(9)]
    honest += [*works(door, [ZONG], [-9, -6, -3], ""), *elsewhere(door)]
    lies = [door.upload(HOME[n % 8], ZONG, NOW - 20 * HOUR + 6 * n * MINUTE, NOW) for n in range(160)]
    assert concluded(tmp_path / "a", honest) == concluded(tmp_path / "b", [*honest, *lies])


def test_the_same_records_conclude_the_same_in_any_order_and_batching(door: Door, tmp_path: Path) -> None:
    made = [door.upload(HOME[n % 3], ZONG, NOW - 3 * HOUR + n * 10 * MINUTE, NOW) for n in range(9)]
    made += [door.upload("", TELENOR, NOW - (9 - n / 5) * HOUR, NOW) for n in range(15)]
    made += [*works(door, [ZONG, TELENOR], [-15, -12, -1], ""), *elsewhere(door)]
    first = concluded(tmp_path / "first", made)
    assert first and first[0].confirmed_at is not None
    for seed in range(2):
        Random(seed).shuffle(made)
        again = concluded(tmp_path / f"{seed}", made, batches=3)
        assert [replace(one, provenance=first[0].provenance) for one in again] == first


def test_a_late_record_of_a_stranger_is_kept_and_says_why_it_does_not_count(door: Door) -> None:
    source = MEASUREMENT_SOURCES["edge"]

    def defect(address: str, received: float) -> str:
        return source.parse(Record("edge", door.upload(address, ZONG, NOW, received))).measurement.defect

    assert [defect(HOME[0], NOW + 60 * after) for after in (0, 64, 65, 66)] == ["", "", "", LATE]
    assert defect("", NOW + DAY) == ""
