"""Found incidents become revisions: held, approved, revised for a reason, corrected."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fanous.errors import FanousError
from fanous.model.incident import Interval, Kind, NetworkPart, Part, Scope, Status
from fanous.model.place import Place
from fanous.model.reason import Reason, as_written
from fanous.model.series import SeriesKey, SourceSeries
from fanous.pipeline import detect, ingest
from fanous.pipeline.revise import withdraw, write_changes
from fanous.questions.claims import corrections
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.store.cases import NOON, incident, judged

LATE = 24499


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def test_a_national_claim_waits_for_a_person_and_is_then_unchanged(
    store: Store, rally: Path, tmp_path: Path
) -> None:
    some = tmp_path / "some.jsonl"
    some.write_bytes(b"".join(rally.read_bytes().splitlines(keepends=True)[::4]))
    store.ledger.hold_national(True)
    ingest.ingest(store, "ooni", [some])
    (waiting,) = store.ledger.incidents("PK")
    assert (waiting.status, waiting.confirmed_at) == (Status.SUSPECTED, None)
    with pytest.raises(FanousError, match="an approval needs the reviewer"):
        detect.approve(store, waiting.id, " ", "", NOON)
    standing = detect.approve(store, waiting.id, "Ayesha", "read it twice", 4e9)
    assert standing.status is Status.ENDED
    assert standing.confirmed_at is not None
    assert (standing.onset, standing.evidence) == (waiting.onset, waiting.evidence)
    assert store.ledger.revisions(waiting.id)[-1].reasons[0] == Reason(
        "approved", {"by": "Ayesha", "note": "read it twice"}
    )
    with pytest.raises(FanousError, match="not held"):
        detect.approve(store, waiting.id, "Ayesha", "", NOON)
    with pytest.raises(FanousError, match="no incident XX-1"):
        detect.approve(store, "XX-1", "Ayesha", "", NOON)


def test_a_claim_that_no_one_approved_waits_however_often_it_is_found(store: Store) -> None:
    store.ledger.hold_national(True)
    for end in (None, NOON + 3600):
        found = incident(
            scope=Scope.NATION, end=end, status=Status.CONFIRMED if end is None else Status.ENDED
        )
        (written,) = write_changes(store, "PK", [found], NOON - 1, NOON + 7200)
        assert (written.status, written.confirmed_at) == (Status.SUSPECTED, None)


def test_the_reason_of_a_revision_says_what_came_in(store: Store, rally: Path, tmp_path: Path) -> None:
    lines = rally.read_text("utf-8").splitlines(keepends=True)[::4]
    is_late = [json.loads(line)["probe_asn"] == f"AS{LATE}" for line in lines]
    early, late = tmp_path / "early.jsonl", tmp_path / "late.jsonl"
    for path, wanted in ((early, False), (late, True)):
        path.write_text(
            "".join(one for one, its in zip(lines, is_late, strict=True) if its is wanted), "utf-8"
        )
    ingest.ingest(store, "ooni", [early])
    ingest.ingest(store, "ooni", [late])
    (found,) = store.ledger.incidents("PK")
    revisions = store.ledger.revisions(found.id)
    assert len(revisions) == 2
    came, met, bound, through = revisions[-1].reasons
    assert (came.code, came.params["from"]) == ("arrived.late_measurements", (f"AS{LATE}",))
    assert (met.code, bound.code, through.code) == ("rule.c2", "runs.bound", "resolver.own")
    assert f"AS{LATE}" in found.entities
    assert corrections(store, "PK") == []


def test_the_same_claim_again_is_no_revision(store: Store) -> None:
    (first,) = write_changes(store, "PK", [incident()], NOON - 1, NOON + 1)
    assert write_changes(store, "PK", [incident()], NOON - 1, NOON + 1) == [first]
    assert len(store.ledger.revisions(first.id)) == 1


def test_a_reason_that_became_a_code_is_no_revision(store: Store) -> None:
    old = store.ledger.put(
        incident(reasons=as_written("C2: 23 probes saw it")), as_written("C2: 23 probes saw it")
    )
    assert write_changes(store, "PK", [incident()], NOON - 1, NOON + 1) == [old]
    (changed,) = write_changes(store, "PK", [incident(confidence=0.5)], NOON - 1, NOON + 1)
    assert changed.reasons == incident().reasons
    assert len(store.ledger.revisions(old.id)) == 2


def test_a_hint_that_became_a_code_is_no_revision(store: Store) -> None:
    old = store.ledger.put(incident(hints=as_written("speeds hardly vary")), ())
    now = incident(hints=(Reason("hint.steady"),))
    assert write_changes(store, "PK", [now], NOON - 1, NOON + 1) == [old]
    (changed,) = write_changes(store, "PK", [replace(now, confidence=0.5)], NOON - 1, NOON + 1)
    assert changed.hints == now.hints


def test_what_is_not_borne_out_is_retracted_and_listed_as_a_correction(store: Store) -> None:
    (first,) = write_changes(store, "PK", [incident()], NOON - 1, NOON + 1)
    store.append([judged("m9", asn=45669, target="x")], rules_version="1")
    write_changes(store, "PK", [], NOON - 1, NOON + 1)
    (one,) = corrections(store)
    assert (one.incident, one.n, one.taken_back) == (first.id, 2, (Reason("gone.all"),))
    assert one.reasons[0] == Reason("arrived.measurements", {"n": 1, "from": ("AS45669",), "others": 0})
    assert corrections(store, "IR") == []


def test_what_began_before_the_window_is_not_retracted_for_want_of_data(store: Store) -> None:
    (first,) = write_changes(store, "PK", [incident()], NOON - 1, NOON + 1)
    assert write_changes(store, "PK", [], NOON + 60, NOON + 120) == []
    assert store.ledger.incident(first.id) == first


def test_what_became_a_part_of_another_claim_is_not_called_wrong(store: Store) -> None:
    """A suspected outage of the networks on which platforms were cut before."""
    cut = incident()
    out = Part("", Kind.OUTAGE, ("outage.national",), ("AS17557",))
    seen = NetworkPart("AS17557", ("",), (Interval(NOON + 3600, None),), 12, 3, 0.999)
    outage = incident(kind=Kind.OUTAGE, parts=(out,), networks=(seen,), onset=NOON + 3600, confirmed_at=None)
    both = replace(cut, kind=Kind.OUTAGE, parts=(*cut.parts, out), networks=(*cut.networks, seen))
    first, second = write_changes(store, "PK", [cut, outage], NOON - 1, NOON + 7200)
    (whole,) = write_changes(store, "PK", [both], NOON - 1, NOON + 7200)
    assert whole.id == first.id
    assert store.ledger.revisions(second.id)[-1].reasons[-1] == Reason("merged", {"incident": first.id})
    assert store.ledger.revisions(second.id)[-1].incident.merged_into == first.id
    other = Part("youtube", Kind.BLOCKING, ("tls.reset.sni",), ("AS17557",))
    seen = NetworkPart("AS17557", ("youtube",), (Interval(NOON, None),), 12, 3, 0.999)
    write_changes(store, "PK", [incident(parts=(other,), networks=(seen,))], NOON - 1, NOON + 7200)
    assert store.ledger.revisions(first.id)[-1].reasons[-1] == Reason("not_supported")


def test_late_bins_of_levels_are_the_reason_of_an_outages_revision(store: Store) -> None:
    key = SeriesKey(Place("PK"), "", "bgp", source="ioda")
    times = int(NOON) + 300 * np.arange(4)
    store.facts.put_series([SourceSeries(key, 300, times[::3], np.zeros(2))])
    outage = incident(kind=Kind.OUTAGE, parts=(Part("", Kind.OUTAGE, ("outage.national",), ("PK",)),))
    (first,) = write_changes(store, "PK", [outage], NOON - 1, NOON + 1)
    store.facts.put_series([SourceSeries(key, 300, times, np.zeros(4))])
    write_changes(store, "PK", [replace(outage, confidence=0.5)], NOON - 1, NOON + 1)
    assert store.ledger.revisions(first.id)[-1].reasons[0] == Reason(
        "arrived.late_bins", {"n": 2, "from": ("bgp (ioda)",), "others": 0}
    )


def test_other_rules_are_named_as_the_reason(store: Store) -> None:
    (first,) = write_changes(store, "PK", [incident()], NOON - 1, NOON + 1)
    write_changes(store, "PK", [replace(incident(), rules_version="2")], NOON - 1, NOON + 1)
    changed = store.ledger.revisions(first.id)[-1].reasons[0]
    assert (changed.code, changed.params["rules"]) == ("versions", "2")


def test_whether_claims_are_held_is_remembered(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        assert not store.ledger.holds_national()
        store.ledger.hold_national(True)
    with open_store(tmp_path / "store") as store:
        assert store.ledger.holds_national()
        store.ledger.hold_national(False)
        assert not store.ledger.holds_national()


def test_what_a_person_took_back_no_detection_brings_again(rally_store: Store) -> None:
    store = rally_store
    (found,) = store.ledger.incidents("PK")
    withdraw(store, found.id, " Ayesha ", "the platform itself was down", 4e9)
    detect.detect(store, "PK", found.onset, NOON + 86_400)
    (after,) = store.ledger.incidents("PK")
    assert after.status is Status.RETRACTED
    assert after.reasons == (Reason("withdrawn", {"by": "Ayesha", "why": "the platform itself was down"}),)
    assert after.withdrawn_by == "Ayesha"
    assert len(corrections(store, "PK")) == 1
    with pytest.raises(FanousError, match="has been retracted already"):
        withdraw(store, found.id, "Ayesha", "again", 4e9)


@pytest.mark.parametrize(("who", "why"), [("", "because"), ("Ayesha", " ")])
def test_nothing_is_taken_back_without_name_and_reason(store: Store, who: str, why: str) -> None:
    known = store.ledger.put(incident(), as_written("seen"))
    with pytest.raises(FanousError, match="name and a reason"):
        withdraw(store, known.id, who, why, NOON)
