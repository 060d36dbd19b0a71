"""While the past is fetched, the newest first, an incident that rests on a part of it is provisional, and not news."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from fanous.analysis.incidents.revision import SETTLED, happenings
from fanous.errors import FanousError
from fanous.model.alert import Happening
from fanous.model.coverage import Backfill
from fanous.model.incident import Incident, Kind, Part, Scope, Status
from fanous.model.instant import DAY, HOUR
from fanous.model.reason import Reason
from fanous.pipeline import detect, ingest, revise
from fanous.pipeline.pull_ooni import Wanted, end_backfill, pull
from fanous.pipeline.revise import STALLED, write_changes
from fanous.publish.evidence import pack
from fanous.publish.export import ExportScope, LeftOut, incident_rows, interval_rows
from fanous.questions.claims import corrections
from fanous.sources.ooni.bucket import Bucket
from fanous.store.ledger import Revision
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.sources.ooni.buckets import served, upload
from tests.store.cases import NOON, incident

NOW = NOON + 2 * DAY
GOING = Backfill(NOON - 30 * DAY, NOON - HOUR, NOW)
WINDOW = NOON - 40 * DAY, NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store", clock=lambda: NOW) as opened:
        yield opened


def found(**given: object) -> Incident:
    """A confirmed one that OONI's measurements show, going on since noon."""
    evidence = replace(incident().evidence, families=("ooni",))
    return incident(**{"evidence": evidence, "end": None, "status": Status.CONFIRMED} | given)


def written(store: Store, *these: Incident) -> list[Incident]:
    return write_changes(store, "PK", list(these), *WINDOW)


def news(store: Store, label: str) -> list[Happening]:
    """All that readers of alerts are sent about an incident."""
    revisions: list[Revision | None] = [None, *store.for_readers().ledger.revisions(label)]
    pairs = pairwise(revisions)
    return [
        one
        for before, after in pairs
        if after is not None
        for one in happenings(before.incident if before else None, after.incident)
    ]


def test_what_rests_on_a_part_is_suspected_and_no_news_until_the_rest_is_in(store: Store) -> None:
    store.ledger.note_backfill("PK", GOING)
    (part,) = written(store, found())
    assert (part.status, part.confirmed_at, part.is_provisional) == (Status.SUSPECTED, None, True)
    assert [reason.code for reason in part.reasons[:2]] == ["backfill", "backfill.rule"]
    assert news(store, part.id) == []
    store.ledger.note_backfill("PK", None)
    (whole,) = written(store, found(onset=NOON - DAY))
    assert (whole.id, whole.status, whole.is_provisional) == (part.id, Status.CONFIRMED, False)
    assert news(store, part.id) == [Happening.CONFIRMED, Happening.OPENED]


def test_one_that_has_ended_is_not_shown_as_going_on(store: Store) -> None:
    store.ledger.note_backfill("PK", GOING)
    (part,) = written(store, found(end=NOON + HOUR, status=Status.ENDED))
    assert (part.status, part.confirmed_at) == (Status.ENDED, None)


def test_with_the_week_before_it_an_incident_stands_though_older_days_are_missing(store: Store) -> None:
    store.ledger.note_backfill("PK", replace(GOING, back_to=NOON - SETTLED))
    assert [one.status for one in written(store, found())] == [Status.CONFIRMED]


@pytest.mark.parametrize("families", [("edge",), ("routing", "probing")])
def test_what_does_not_rest_on_these_measurements_is_final_at_once(
    store: Store, families: tuple[str, ...]
) -> None:
    store.ledger.note_backfill("PK", GOING)
    evidence = replace(incident().evidence, families=families)
    assert [one.status for one in written(store, found(evidence=evidence))] == [Status.CONFIRMED]


def test_what_the_rest_does_not_show_was_never_claimed(store: Store) -> None:
    store.ledger.note_backfill("PK", GOING)
    (part,) = written(store, found())
    assert store.for_readers().ledger.incident(part.id) is not None
    store.ledger.note_backfill("PK", None)
    written(store)
    readers = store.for_readers()
    assert readers.ledger.incidents("PK") == []
    assert readers.ledger.revisions(part.id)[-1].reasons[-1] == Reason("backfill.gone"), (
        "its own page says so"
    )
    assert corrections(store) == [] and news(store, part.id) == []
    (again,) = written(store, found())
    assert (again.id, again.status) == (part.id, Status.CONFIRMED)
    assert news(store, part.id) == [Happening.CONFIRMED, Happening.OPENED]


def test_one_that_the_rest_explains_was_never_claimed_either(store: Store) -> None:
    store.ledger.note_backfill("PK", GOING)
    (part,) = written(store, found())
    store.ledger.note_backfill("PK", None)
    down = Reason("platform.down", {"countries": ("IR",)})
    (gone,) = written(store, found(status=Status.RETRACTED, confirmed_at=None, reasons=(down,)))
    assert gone.was_dropped
    assert store.for_readers().ledger.incidents("PK") == [] and news(store, part.id) == []


def test_fragments_become_one_without_a_correction(store: Store) -> None:
    store.ledger.note_backfill("PK", GOING)
    second = found(
        parts=(Part("facebook", Kind.BLOCKING, ("tls.reset.sni",), found().entities),),
        networks=tuple(replace(one, targets=("facebook",)) for one in found().networks),
    )
    first, fragment = written(store, found(), second)
    store.ledger.note_backfill("PK", None)
    whole = replace(
        found(onset=NOON - DAY),
        parts=found().parts + second.parts,
        networks=tuple(replace(one, targets=("x", "facebook")) for one in found().networks),
    )
    (one,) = written(store, whole)
    merged = store.ledger.incident(fragment.id)
    assert one.id == first.id and merged is not None
    assert (merged.merged_into, merged.was_dropped) == (first.id, True)
    assert corrections(store) == []


def test_nothing_that_was_claimed_is_taken_back_before_all_is_in(store: Store) -> None:
    (told,) = written(store, found(scope=Scope.NATION))
    store.ledger.note_backfill("PK", GOING)
    assert written(store, found(scope=Scope.ISP)) == []
    assert written(store) == []
    assert store.ledger.incident(told.id) == told
    (wider,) = written(store, found(scope=Scope.NATION, confidence=0.99))
    assert wider.confidence == 0.99, "what takes nothing back is written at once"
    store.ledger.note_backfill("PK", None)
    (narrower,) = written(store, found(scope=Scope.ISP))
    assert (narrower.id, narrower.scope) == (told.id, Scope.ISP)
    assert len(corrections(store)) == 1
    written(store)
    assert len(corrections(store)) == 2


def test_a_suspicion_that_faded_before_it_was_written_was_no_claim(store: Store) -> None:
    faded = found(status=Status.RETRACTED, confirmed_at=None, reasons=(Reason("faded"),))
    assert written(store, faded) == []
    (told,) = written(store, found(status=Status.SUSPECTED, confirmed_at=None))
    assert [one.status for one in written(store, faded)] == [Status.RETRACTED]
    assert store.for_readers().ledger.incident(told.id) is not None, "this one was shown"


def test_a_backfill_that_stalls_holds_nothing_forever(store: Store) -> None:
    store.ledger.note_backfill("PK", replace(GOING, at=NOW - STALLED))
    end_backfill(store, "PK", if_stalled=True)
    assert store.ledger.backfill("PK") is None
    assert store.ledger.undetected() == {"PK": (GOING.since, NOW)}
    store.ledger.note_backfill("PK", GOING)
    end_backfill(store, "PK", if_stalled=True)
    assert store.ledger.backfill("PK") == GOING, "it goes on"
    store.ledger.note_backfill("PK", replace(GOING, at=NOW - STALLED))
    assert [one.status for one in written(store, found())] == [Status.CONFIRMED]


def test_no_one_decides_about_what_is_provisional_and_it_does_not_leave(store: Store, tmp_path: Path) -> None:
    store.ledger.note_backfill("PK", GOING)
    part, other = written(
        store,
        found(),
        found(parts=(Part("y", Kind.BLOCKING, (), found().entities),), networks=()),
    )
    with pytest.raises(FanousError, match="provisional until"):
        detect.approve(store, part.id, "Ayesha", "", NOW)
    with pytest.raises(FanousError, match="provisional until"):
        revise.merge(store, part.id, other.id, "Ayesha", "one event", NOW)
    with pytest.raises(FanousError, match="provisional until"):
        pack._check_claimed(part)
    everything = ExportScope("PK", WINDOW[0], NOW, "CC0-1.0", private=True)
    assert list(incident_rows(store, everything, LeftOut())) == []
    assert list(interval_rows(store, everything, LeftOut())) == []
    held = revise.hold(store, part.id, "Ayesha", "a call first", NOW)
    assert (held.held_by, held.awaits_review) == ("person", True)


def test_an_event_that_is_brought_newest_first_is_told_once_and_as_it_was(
    real_rally: Path, tmp_path: Path
) -> None:
    """Detection runs after every few objects, as it does when other sources are pulled at the same time."""
    rows = list(map(json.loads, real_rally.read_text(encoding="utf-8").splitlines()))
    rows = [row for row in rows if row["probe_cc"] == "PK"]
    hours: dict[tuple[datetime, str], list[dict[str, object]]] = {}
    for row in rows:
        row.pop("measurement_uid", None)
        began = datetime.strptime(row["measurement_start_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        uploaded = began.replace(minute=0, second=0)
        hours.setdefault((uploaded, row["test_name"]), []).append(row)
    since = min(hour for hour, _ in hours).timestamp()
    now = max(hour for hour, _ in hours).timestamp() + 3 * DAY
    for (uploaded, _), own in hours.items():
        upload(tmp_path / "bucket", own, uploaded)
    with open_store(tmp_path / "at-once", clock=lambda: now) as store:
        together = tmp_path / "together.jsonl"
        together.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        ingest.ingest(store, "ooni", [together])
        expected = store.ledger.incidents("PK")
    seen: set[str] = set()
    with (
        served(tmp_path / "bucket") as address,
        open_store(tmp_path / "store", clock=lambda: now) as store,
    ):
        steps = iter(range(10**6))

        def on_objects(_done: object) -> None:
            if next(steps) % 2 == 0:
                detect.detect_all(store)
                seen.update(one.held_by for one in store.ledger.incidents("PK"))

        asked = Wanted("PK", since)
        pull(store, Bucket(address), asked, tmp_path / "fetched", now=lambda: now, on_objects=on_objects)
        assert "backfill" in seen, "parts of it were seen on the way"
        assert store.ledger.backfill("PK") is None
        shown = store.for_readers().ledger.incidents("PK")
        assert expected and [(one.onset, one.end, one.status, one.targets, one.scope) for one in shown] == [
            (one.onset, one.end, one.status, one.targets, one.scope) for one in expected
        ]
        every = [happening for one in store.ledger.incidents("PK") for happening in news(store, one.id)]
        assert Happening.CORRECTED not in every and every
        assert corrections(store) == []
