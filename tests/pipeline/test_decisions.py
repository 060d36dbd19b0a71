"""Decisions of people about incidents, and detections that follow: what was merged stays merged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.analysis.incidents.merge import united
from fanous.analysis.incidents.revision import released, shown_to_readers
from fanous.errors import FanousError
from fanous.model.incident import EvidenceCounts, Incident, Interval, Kind, NetworkPart, Part, Scope, Status
from fanous.model.reason import as_written
from fanous.pipeline.actions import Approve, Hold, NameRole, Retract
from fanous.pipeline.interference import counted_again
from fanous.pipeline.revise import hold, merge, write_changes
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.web.pages.measurements import those_that_saw
from tests.pipeline.test_alternatives import measured
from tests.store.cases import NOON, incident

HOUR = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def on(entity: str, target: str, start: float, end: float | None, **given: object) -> Incident:
    """A blocking of one target on one network."""
    interval = Interval(start, end)
    return replace(
        incident(),
        entities=(entity,),
        parts=(Part(target, Kind.BLOCKING, ("tls.reset.sni",), (entity,)),),
        networks=(NetworkPart(entity, (target,), (interval,), 10, 3, 0.99),),
        onset=start,
        onset_earliest=start - 60,
        onset_latest=start + 60,
        end=end,
        intervals=(interval,),
        status=Status.CONFIRMED if end is None else Status.ENDED,
        confirmed_at=start + HOUR,
        **given,  # type: ignore[arg-type]
    )


FIRST = on("AS17557", "x", NOON, NOON + 4 * HOUR)
SECOND = on("AS45595", "youtube", NOON + 2 * HOUR, NOON + 9 * HOUR)


def both(store: Store) -> tuple[str, str]:
    """Labels of the two, as a detection wrote them."""
    found = detected(store)
    return found[0].id, found[1].id


def detected(store: Store, *found: Incident) -> list[Incident]:
    return write_changes(store, "PK", [*(found or (FIRST, SECOND))], NOON - HOUR, NOON + 20 * HOUR)


def test_two_incidents_become_one_with_the_places_targets_and_times_of_both() -> None:
    one = united(FIRST, SECOND)
    assert (one.onset, one.end, one.status) == (FIRST.onset, SECOND.end, Status.ENDED)
    assert one.targets == ("x", "youtube")
    assert one.entities == ("AS17557", "AS45595")
    assert one.intervals == (Interval(NOON, NOON + 9 * HOUR),)
    assert one.confirmed_at == FIRST.confirmed_at
    assert one.evidence.measurements == FIRST.evidence.measurements + SECOND.evidence.measurements
    again = united(
        FIRST, replace(FIRST, end=None, intervals=(Interval(NOON + HOUR, None),), status=Status.CONFIRMED)
    )
    assert (len(again.parts), len(again.networks)) == (1, 1)
    assert (again.end, again.status, again.intervals) == (None, Status.CONFIRMED, (Interval(NOON, None),))


def test_a_measurement_that_is_in_both_counts_once(store: Store) -> None:
    """Four probes an hour: those of the first and of the second hour of the overlap are in both."""
    hours = [n + 0.5 for n in range(7)]
    store.append(measured("PK", 17557, hours, fails=True, controlled=True), rules_version="1")
    seen = EvidenceCounts(16, 4, 1, 16 + 6, ("ooni",))
    first = replace(on("AS17557", "x", NOON, NOON + 4 * HOUR), evidence=seen)
    second = replace(
        on("AS17557", "x", NOON + 2 * HOUR, NOON + 7 * HOUR),
        evidence=replace(seen, measurements=20, controls=20 + 9),
    )
    whole, part = (store.ledger.put(one, as_written("seen")) for one in (first, second))
    one = merge(store, part.id, whole.id, "the duty editor", "one order", store.now())
    made = 4 * len(hours)
    assert (one.evidence.measurements, one.evidence.probes, one.evidence.controls) == (made, 4, made + 9)
    assert [(network.measurements, network.probes) for network in one.networks] == [(made, 4)]
    assert len(those_that_saw(store, one, store.now())[0]) == made
    # Bins of series, and measurements that are no longer in the store, are added to them.
    more = replace(second, evidence=replace(second.evidence, measurements=20 + 5, probes=4 + 2))
    again = counted_again(store, united(first, more), (first, more), NOON + 7 * HOUR)
    assert (again.evidence.measurements, again.evidence.probes) == (made + 5, 4 + 2)


def test_what_was_merged_stays_merged_whatever_is_detected(store: Store) -> None:
    whole, part = both(store)
    one = merge(store, part, whole, "the duty editor", "both began with the same speech", store.now())
    gone = store.ledger.incident(part)
    assert gone is not None
    assert (gone.status, gone.merged_into, gone.withdrawn_by) == (Status.RETRACTED, whole, "the duty editor")
    detected(store)
    assert store.ledger.incident(whole) == one
    assert store.ledger.incident(part) == gone
    longer = on("AS45595", "youtube", NOON + 2 * HOUR, None)
    detected(store, FIRST, longer)
    grown = store.ledger.incident(whole)
    assert grown is not None
    assert (grown.end, grown.status) == (None, Status.CONFIRMED)
    assert store.ledger.incident(part) == gone
    assert len(store.ledger.incidents("PK")) == 2


def test_merging_is_refused_where_it_makes_no_sense(store: Store) -> None:
    whole, part = both(store)
    elsewhere = store.ledger.put(replace(FIRST, country="KE", entities=("AS33771",)), as_written("seen")).id
    for words, why in (
        ((part, part, "A", "why"), "into itself"),
        ((part, elsewhere, "A", "why"), "not of one country"),
        ((part, whole, " ", "why"), "name or role"),
        ((part, whole, "A", " "), "needs a reason"),
        ((part, "PK-2023-9999", "A", "why"), "no incident"),
    ):
        with pytest.raises(FanousError, match=why):
            merge(store, *words, store.now())
    hold(store, part, "A", "", store.now())
    with pytest.raises(FanousError, match="held for review"):
        merge(store, part, whole, "A", "why", store.now())


def test_a_hold_is_kept_by_detection_and_knows_what_it_holds(store: Store) -> None:
    label, _ = both(store)
    waiting = Hold(label, "A", "is it the platform?").perform(store)
    assert (waiting.status, waiting.confirmed_at, waiting.held_by) == (Status.SUSPECTED, None, "person")
    after = released(waiting)
    assert (after.status, after.confirmed_at is not None, after.held_by) == (Status.ENDED, True, "")
    detected(store)
    assert store.ledger.incident(label) == waiting
    with pytest.raises(FanousError, match="held already"):
        Hold(label, "A").perform(store)
    Retract(label, "A", "it was").perform(store)
    with pytest.raises(FanousError, match="has been retracted"):
        Hold(label, "A").perform(store)


def test_a_suspicion_that_is_held_is_released_as_a_suspicion(store: Store) -> None:
    guess = replace(on("AS17557", "x", NOON, None), status=Status.SUSPECTED, confirmed_at=None, rule="")
    (one,) = detected(store, guess)
    waiting = Hold(one.id, "A").perform(store)
    assert (released(waiting).status, released(waiting).confirmed_at) == (Status.SUSPECTED, None)


def test_readers_see_a_claim_before_and_after_it_waited() -> None:
    seen = replace(FIRST, status=Status.SUSPECTED, confirmed_at=None, scope=Scope.NATION)
    waits = replace(seen, held_by="review")
    stopped = replace(FIRST, status=Status.SUSPECTED, confirmed_at=None, held_by="person")
    gone = replace(seen, status=Status.RETRACTED)
    for claims, shown in (
        ([waits], [False]),
        ([waits, FIRST], [False, True]),
        ([seen, waits, FIRST], [True, False, True]),
        ([FIRST, stopped, stopped, gone], [True, True, True, True]),
        ([seen, stopped], [True, False]),
        ([waits, gone], [False, False]),
    ):
        assert shown_to_readers(claims) == shown


def test_a_name_of_unlikely_length_is_refused(store: Store) -> None:
    label, _ = both(store)
    for action in (
        Hold(label, "x" * 121),
        NameRole("A", "x" * 121),
        NameRole(" ", "x"),
        Approve(label, "x" * 121),
    ):
        with pytest.raises(FanousError):
            action.perform(store)
