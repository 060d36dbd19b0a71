"""A country belongs to one worker at a time, and one that lost it writes nothing; on SQLite and on PostgreSQL."""

import threading
from collections.abc import Iterator

import pytest

from fanous.cli import detect
from fanous.model.reason import as_written
from fanous.store.database import LEASE_SECONDS, Lease, LeaseLost, spans_of
from fanous.store.ledger import Ledger
from tests.store.cases import NOON, incident


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger(ledger_url)
    yield opened
    opened.close()


@pytest.fixture
def other(ledger_url: str) -> Iterator[Ledger]:
    """Another worker's."""
    opened = Ledger(ledger_url)
    yield opened
    opened.close()


def taken(ledger: Ledger, country: str | None = None, seconds: float = 60) -> Lease:
    lease = ledger.lease(seconds, country)
    assert lease is not None
    return lease


def test_spans_that_wait_for_detection_only_grow(ledger: Ledger) -> None:
    ledger.mark_undetected({})
    ledger.mark_undetected({"PK": (10.0, 20.0), "IR": (1.0, 2.0)})
    ledger.mark_undetected({"PK": (15.0, 30.5)})
    assert ledger.undetected() == {"PK": (10.0, 30.5), "IR": (1.0, 2.0)}
    ledger.mark_detected(taken(ledger, "IR"))
    assert ledger.undetected() == {"PK": (10.0, 30.5)}


def test_what_comes_in_during_a_detection_still_waits_after_it(ledger: Ledger, other: Ledger) -> None:
    ledger.mark_undetected({"PK": (10.0, 20.0)})
    lease = taken(ledger)
    assert (lease.country, lease.span) == ("PK", (10.0, 20.0))
    other.mark_undetected({"PK": (12.0, 13.0)})  # late, and within the span that is being detected
    other.mark_undetected({"PK": (14.0, 25.0), "IR": (1.0, 2.0)})
    assert ledger.undetected()["PK"] == (10.0, 25.0)
    ledger.mark_detected(lease)
    assert ledger.undetected() == {"PK": (12.0, 25.0), "IR": (1.0, 2.0)}
    again = taken(ledger, "PK")
    assert again.span == (12.0, 25.0)
    ledger.mark_detected(again)
    assert ledger.undetected() == {"IR": (1.0, 2.0)}


def test_a_worker_that_dies_leaves_all_that_it_had_and_what_came_since(ledger: Ledger, other: Ledger) -> None:
    ledger.mark_undetected({"PK": (10.0, 20.0)})
    taken(ledger, seconds=-1)  # it ran out
    other.mark_undetected({"PK": (30.0, 40.0)})
    lease = taken(other)
    assert lease.span == (10.0, 40.0)
    other.mark_detected(lease)
    assert other.undetected() == {}


def test_a_country_is_one_workers_at_a_time(ledger: Ledger, other: Ledger) -> None:
    ledger.mark_undetected({"PK": (1.0, 2.0)})
    lease = taken(ledger)
    assert other.lease(60, None) is None
    assert other.lease(60, "PK") is None
    assert ledger.lease(60, None) is None  # not even another thread of the same process
    assert other.leases() == [("PK", ledger.worker)]
    ledger.give_back(lease)
    assert other.leases() == []
    assert taken(other).span == (1.0, 2.0)


def test_the_country_whose_turn_is_longest_ago_comes_first(ledger: Ledger) -> None:
    ledger.mark_undetected({"PK": (1.0, 2.0), "IR": (1.0, 2.0), "AF": (1.0, 2.0)})
    seen = []
    for _ in range(4):  # each fails, and none keeps the others waiting
        lease = taken(ledger)
        seen.append(lease.country)
        ledger.give_back(lease)
    assert seen == ["AF", "IR", "PK", "AF"]


def test_who_lost_a_lease_writes_nothing(ledger: Ledger, other: Ledger) -> None:
    ledger.mark_undetected({"PK": (1.0, 2.0)})
    known = ledger.put(incident(), as_written("before"), at=NOON)
    lost = taken(ledger, seconds=-1)
    with ledger.holding(lost):
        ledger.put(incident(country="IR"), as_written("it ran out, and nobody else has it: good"), at=NOON)
    won = taken(other)
    assert won.fence > lost.fence
    with ledger.holding(lost):
        with pytest.raises(LeaseLost, match="another process took over"):
            ledger.put(incident(), as_written("late"), at=NOON)
        with pytest.raises(LeaseLost):
            ledger.put(incident(end=NOON + 60), as_written("late"), known_as=known.id, at=NOON)
        with pytest.raises(LeaseLost):
            ledger.retract(known.id, as_written("late"), at=NOON)
    with pytest.raises(LeaseLost):
        ledger.mark_detected(lost)
    with pytest.raises(LeaseLost):
        ledger.renew(lost, 60)
    ledger.give_back(lost)
    assert other.leases() == [("PK", other.worker)]
    assert [one.reasons for one in other.revisions(known.id)] == [as_written("before")]
    assert len(other.incidents(None, None, None)) == 2
    with other.holding(won):
        other.retract(known.id, as_written("it is mine now"), at=NOON)
    assert ledger.undetected() == {"PK": (1.0, 2.0)}


def test_a_lease_is_of_one_thread(ledger: Ledger, other: Ledger) -> None:
    ledger.mark_undetected({"PK": (1.0, 2.0)})
    lost = taken(ledger, seconds=-1)
    taken(other)
    with ledger.holding(lost):  # a person's note that another thread writes is not part of the detection
        noting = threading.Thread(target=ledger.put, args=(incident(), "a person's"), kwargs={"at": NOON})
        noting.start()
        noting.join()
    assert len(ledger.incidents(None, None, None)) == 1


def test_a_renewed_lease_goes_on(ledger: Ledger, other: Ledger) -> None:
    ledger.mark_undetected({"PK": (1.0, 2.0)})
    lease = taken(ledger, seconds=-1)
    ledger.renew(lease, 60)
    assert other.lease(60, None) is None


def test_the_one_owner_of_a_store_need_not_wait_for_its_own_death(ledger_url: str) -> None:
    killed = Ledger(ledger_url, owner="machine:/store")
    killed.mark_undetected({"PK": (1.0, 2.0)})
    lost = taken(killed)
    stranger = Ledger(ledger_url, owner="machine:/other")
    assert stranger.lease(60, None) is None
    successor = Ledger(ledger_url, owner="machine:/store")
    assert taken(successor).span == (1.0, 2.0)
    with killed.holding(lost), pytest.raises(LeaseLost):
        killed.put(incident(), as_written("from the grave"), at=NOON)
    for one in (killed, stranger, successor):
        one.close()


def test_many_workers_at_once_never_have_one_country_twice(ledger_url: str) -> None:
    ledgers = [Ledger(ledger_url) for _ in range(4)]
    countries = [first + second for first in "ABC" for second in "ABCD"]
    ledgers[0].mark_undetected(dict.fromkeys(countries, (1.0, 2.0)))
    got: list[str] = []

    def work(own: Ledger) -> None:
        while (lease := own.lease(60, None)) is not None:
            got.append(lease.country)
            own.mark_detected(lease)

    threads = [threading.Thread(target=work, args=(own,)) for own in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == countries
    for own in ledgers:
        own.close()


def test_the_command_has_the_same_term() -> None:
    assert detect.LEASE == LEASE_SECONDS


def test_a_span_goes_from_the_first_to_the_last_instant_of_a_country() -> None:
    made = [("PK", 20.0), ("IR", 5.0), ("PK", 10.0), ("PK", 15.0)]
    assert spans_of(made) == {"PK": (10.0, 20.0), "IR": (5.0, 5.0)}
