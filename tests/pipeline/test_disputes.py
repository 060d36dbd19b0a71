"""One source sees a target fail while another, on the same networks, reaches it: measurements in, incidents out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.analysis.incidents.disputes import shown_by
from fanous.model.incident import Incident, Status
from fanous.model.place import Family
from fanous.model.verdict import Judged
from fanous.pipeline import detect
from fanous.pipeline.interference import votes_behind
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.pipeline.test_alternatives import DAY, HOUR, JAZZ, PTCL, WEEK_BEFORE, measured
from tests.store.cases import NOON

OFTEN = [-3 + n / 3 for n in range(33)]
"""Hours of the rounds of probes to which nothing happens, on from three hours before the event."""
EVENT = [0.1 + n / 3 for n in range(15)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store", clock=lambda: NOON + DAY) as opened:
        yield opened


def via(source: str, batch: Sequence[Judged]) -> list[Judged]:
    return [replace(one, record=replace(one.record, source=source)) for one in batch]


def cut(source: str, asn: int) -> list[Judged]:
    """Four probes of this source see the target fail for five hours, each time with a normal control."""
    name = f"{source} 1.0"
    return via(
        source,
        [
            *measured("PK", asn, [*WEEK_BEFORE, -3, -2, -1], fails=False, software=name),
            *measured("PK", asn, EVENT, fails=True, software=name, controlled=True),
            *measured("PK", asn, [6, 7, 8], fails=False, software=name),
        ],
    )


def spared(source: str, asn: int) -> list[Judged]:
    """Four probes of this source reach it all the time."""
    return via(source, measured("PK", asn, [*WEEK_BEFORE, *OFTEN], fails=False, software=f"{source} 2.0"))


def half_spared(source: str, asn: int) -> list[Judged]:
    """Eight probes of this source reach it every other time."""
    through, met = EVENT[::2], EVENT[1::2]
    return via(
        source,
        [
            one
            for name in ("2.0", "2.1")
            for hours, fails in (([*WEEK_BEFORE, -3, -2, -1, *through, 6, 7, 8], False), (met, True))
            for one in measured("PK", asn, hours, fails=fails, software=f"{source} {name}", controlled=fails)
        ],
    )


def found(store: Store, *batches: list[Judged]) -> list[Incident]:
    store.append([one for batch in batches for one in batch], rules_version="1")
    detect.detect(store, "PK", NOON, NOON + 9 * HOUR)
    return [one for one in store.ledger.incidents("PK") if one.status is not Status.RETRACTED]


@pytest.mark.parametrize(("shows", "denies"), [("ooni", "edge"), ("edge", "ooni")])
def test_what_one_source_would_confirm_alone_is_suspected_and_names_who_denies_it(
    store: Store, shows: str, denies: str
) -> None:
    """Though all that see it run one program, and the others another."""
    batches = [part for asn in (PTCL, JAZZ) for part in (cut(shows, asn), spared(denies, asn))]
    (incident,) = found(store, *batches)
    assert (incident.status, incident.confirmed_at, incident.rule) == (Status.ENDED, None, "")
    assert shown_by(incident) is Family(shows)
    assert {network.entity for network in incident.networks} == {"AS17557", "AS45669"}
    assert incident.reasons[0].code == "disputed"
    told = dict(incident.reasons[0].params)
    during = sum(incident.onset <= NOON + hour * HOUR < (incident.end or 0) for hour in OFTEN)
    assert told.pop("some") == told.pop("all") == pytest.approx(2 * 4 * during, abs=8)
    assert told == {"shown_by": shows, "families": (denies,), "networks": ("AS17557", "AS45669")}
    (behind,) = votes_behind(store, incident, NOON + DAY)
    assert len(set(behind.uids)) == incident.evidence.measurements == 2 * 4 * len(EVENT)


def test_nor_is_it_hidden_by_probes_that_are_let_through_every_other_time(store: Store) -> None:
    batches = [part for asn in (PTCL, JAZZ) for part in (cut("ooni", asn), half_spared("edge", asn))]
    (incident,) = found(store, *batches)
    assert {network.entity for network in incident.networks} == {"AS17557", "AS45669"}
    assert incident.rule == "C1", "each of them met it all through the event, with normal controls"
    assert "got_through" in {reason.code for reason in incident.reasons}


def test_without_others_who_deny_it_the_same_is_confirmed(store: Store) -> None:
    (incident,) = found(store, cut("ooni", PTCL), cut("ooni", JAZZ))
    assert incident.rule == "C2"


def test_a_short_failure_of_one_network_that_others_deny_is_no_suspicion(store: Store) -> None:
    """Faults of one network last as long, and liars there need no company."""
    assert found(store, cut("ooni", PTCL), spared("edge", PTCL)) == []


def test_a_confirmed_incident_names_the_networks_about_which_sources_disagree(store: Store) -> None:
    (incident,) = found(store, cut("ooni", PTCL), cut("ooni", JAZZ), spared("edge", JAZZ))
    assert incident.rule == "C2"
    assert [network.entity for network in incident.networks] == ["AS17557"]
    (remark,) = [reason for reason in incident.reasons if reason.code == "disputed.networks"]
    assert remark.params["networks"] == ("AS45669",)
    assert shown_by(incident) is None
