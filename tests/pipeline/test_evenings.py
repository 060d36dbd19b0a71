"""OONI's own engine on three evenings in the lab, imported as volunteers' records and as those of own probes.

Six vantage points on three networks, six sites, fourteen rounds, in six of which something was done.
"""

import json
import lzma
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fanous.model.incident import Basis, Incident, Kind, Status
from fanous.pipeline.ingest import ingest
from fanous.pipeline.judge import judge_files
from fanous.questions.country import confirm
from fanous.store.local import open_store
from tests.shared_data import shared_file

pytestmark = pytest.mark.shared_data

BEGIN = datetime(2026, 11, 30, 8, tzinfo=UTC)
NETWORKS = frozenset({"AS17557", "AS23674", "AS59257"})


def records(name: str) -> Iterator[dict[str, Any]]:
    with lzma.open(shared_file(f"ooni/{name}.jsonl.xz"), "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def evening(name: str, step: timedelta, source: str, crowded: frozenset[str] = NETWORKS) -> list[str]:
    """Its lines, a round every ``step``.

    Args:
        crowded: on other networks nothing happens, and the quiet rounds are repeated.
    """
    quiet: dict[tuple[str, str], dict[str, Any]] = {}
    lines, placed = [], dict[tuple[str, int], int]()
    for record in records(name):
        notes = record["annotations"]
        run = (notes["vantage"], int(notes["round"]))
        place = placed[run] = placed.get(run, -1) + 1
        if notes["phase"] == "before":
            quiet[notes["vantage"], record["input"]] = record
        elif record["probe_asn"] not in crowded:
            record = dict(quiet[notes["vantage"], record["input"]])
        begun = BEGIN + step * run[1]
        record["test_start_time"] = f"{begun:%Y-%m-%d %H:%M:%S}"
        record["measurement_start_time"] = f"{begun + timedelta(seconds=5 * place):%Y-%m-%d %H:%M:%S}"
        mark = sha256(f"{run}".encode()).hexdigest()
        if source == "edge":
            record["probe_id"] = sha256(run[0].encode()).hexdigest()
        else:
            asn = record["probe_asn"][2:]
            record["report_id"] = f"{begun:%Y%m%dT%H%M%SZ}_webconnectivity_PK_{asn}_n1_{mark[:16]}"
        lines.append(json.dumps(record))
    return lines


def found(folder: Path, lines: list[str], source: str) -> list[Incident]:
    path = folder / "evening.jsonl"
    path.write_text("\n".join(lines))
    with open_store(folder / "store") as store:
        ingest(store, source, [path])
        day = BEGIN.replace(hour=0).timestamp()
        told = confirm(store, "PK", (), day, day + 86_400).incidents
    return [one for one in told if one.status is not Status.RETRACTED]


@pytest.mark.parametrize(
    ("source", "minutes", "crowded"),
    [
        ("ooni", 15, NETWORKS),
        ("edge", 5, NETWORKS),
        ("ooni", 15, frozenset({"AS17557"})),
        ("edge", 15, frozenset({"AS17557", "AS59257"})),
    ],
)
def test_a_crowded_evening_accuses_no_one_of_slowing_a_site_down(
    source: str, minutes: int, crowded: frozenset[str], tmp_path: Path
) -> None:
    """Every line lost a fifth of its packets and was crowded: all pages starved alike."""
    lines = evening("lab_quiet", timedelta(minutes=minutes), source, crowded)
    assert [one for one in found(tmp_path, lines, source) if set(one.targets) - {""}] == []


def assert_confirmed_or_reported(told: Incident, source: str) -> None:
    """Own probes confirm it; volunteers, two on each network for an hour and a half, report it."""
    expected = (True, Basis.VOUCHED) if source == "edge" else (False, Basis.VOLUNTEERS)
    assert (told.confirmed_at is not None, told.basis) == expected


@pytest.mark.parametrize("source", ["ooni", "edge"])
def test_denied_names_of_encrypted_resolvers_are_told_as_that(source: str, tmp_path: Path) -> None:
    (told,) = found(tmp_path, evening("lab_encdns", timedelta(minutes=15), source), source)
    assert (told.kind, told.targets, told.mechanisms) == (Kind.BLOCKING, ("encrypted_dns",), ("encdns.doh",))
    assert set(told.entities) == NETWORKS
    assert_confirmed_or_reported(told, source)
    cut = (BEGIN + timedelta(hours=1)).timestamp()
    assert told.onset_earliest is not None and told.onset_earliest <= cut + 300 and told.onset_latest >= cut


@pytest.mark.parametrize("source", ["ooni", "edge"])
def test_a_site_slowed_beside_others_that_are_well_is_told_as_slowed(source: str, tmp_path: Path) -> None:
    """Three sites were reset by name, and YouTube was policed to 128 kbit/s, while two others were left alone."""
    (told,) = found(tmp_path, evening("lab_evening", timedelta(minutes=15), source), source)
    assert {(part.target, part.kind, part.mechanisms) for part in told.parts} == {
        ("facebook", Kind.BLOCKING, ("tls.reset",)),
        ("instagram", Kind.BLOCKING, ("tls.reset",)),
        ("x", Kind.BLOCKING, ("tls.reset",)),
        ("youtube", Kind.THROTTLING, ("tls.throttle",)),
    }
    assert set(told.entities) == NETWORKS
    assert_confirmed_or_reported(told, source)
    assert told.kbps is not None and 120 < told.kbps.mean < 180


SLOW = {"sni_throttle_police", "sni_throttle_shape", "sni_loss", "sni_slow_handshake"}
"""Techniques that series of rates have to show."""
NOT_FOR_OLD_ONES = {"http_blockpage", "http_reset"}
"""Seen only where a page is asked for without encryption."""
HARMLESS = {"none", "cdn_answers", "geo_451", "server_down", "quic_drop_target", "quic_sni_drop"}


def test_single_records_of_oonis_engine_are_judged_as_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    made = list(records("lab_ooniprobe"))
    path.write_text("\n".join(map(json.dumps, made)))
    judged, _ = judge_files([path])
    missed, accused, down = [], [], []
    for record, one in zip(made, judged, strict=True):
        notes, url = record["annotations"], record["input"] or ""
        technique = notes["lab_technique"]
        states = {verdict["state"] for verdict in one["verdicts"]}
        is_called = bool(states & {"blocked", "throttled"})
        if record["test_name"] != "web_connectivity" or (
            (is_x := "//x.com" in url and notes["lab_target"] == "x") and technique in SLOW
        ):
            continue
        in_clear = technique in NOT_FOR_OLD_ONES and not url.startswith("http:")
        if is_x and technique not in HARMLESS and not in_clear:
            missed += [(technique, url)] * (not is_called)
            down += [(technique, url)] * ("down" in states)
        else:
            accused += [(technique, url)] * is_called
    assert (missed, accused, down) == ([], [], [])
