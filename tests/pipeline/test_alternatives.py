"""What else may be behind failures: measurements into the store, claims out of it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from fanous.model.incident import Incident, Status
from fanous.model.measurement import Layer
from fanous.model.reason import Reason
from fanous.model.verdict import Judged, State
from fanous.pipeline import detect
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous_lab.evaluation.votes import incidents_of
from tests.analysis.incidents.events import Ballot, votes
from tests.builders import verdict
from tests.store.cases import NOON, judged

HOUR, DAY = 3600.0, 86400.0
PTCL, JAZZ = 17557, 45669
VERSION = "1"
PROBES = 4


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store", clock=lambda: NOON + DAY) as opened:
        yield opened


def measured(
    country: str,
    asn: int,
    hours: Sequence[float],
    *,
    fails: bool,
    software: str = "a 1.0",
    controlled: bool = False,
    target: str = "x",
) -> list[Judged]:
    """Each of four probes at each hour from noon: the target cannot be reached, or it can."""
    failed = State.BLOCKED if controlled else State.INSUFFICIENT
    said = verdict(
        failed if fails else State.OK,
        Layer.TLS,
        target=target,
        mechanism="tls.timeout" if fails else "",
        symptom=not controlled and fails,
        controlled=controlled,
    )
    return [
        judged(
            f"{country}-{asn}-{software}-{probe}-{hour:.3f}-{fails}-{target}",
            said,
            observations=(),
            country=country,
            asn=asn,
            probe=f"{country} {asn} {software} {probe}",
            software=software,
            started_at=NOON + hour * HOUR + 60 * probe,
        )
        for probe in range(PROBES)
        for hour in hours
    ]


WEEK_BEFORE = [-24.0 * day - 6 for day in range(1, 7)]
EVENT = [0.1 + n / 3 for n in range(15)]


def event(country: str, asn: int) -> list[Judged]:
    """It worked for a week, failed for five hours, and works again."""
    return [
        *measured(country, asn, [*WEEK_BEFORE, -3, -2, -1], fails=False),
        *measured(country, asn, EVENT, fails=True),
        *measured(country, asn, [6, 7, 8], fails=False),
    ]


def found(store: Store) -> list[Incident]:
    detect.detect(store, "PK", NOON - HOUR, NOON + 9 * HOUR)
    return store.ledger.incidents("PK")


def elsewhere() -> list[Judged]:
    """A country in which the target works all the time: the control."""
    return measured("DE", 3320, [*WEEK_BEFORE, *EVENT, 6, 7], fails=False)


def put(store: Store, *batches: list[Judged]) -> None:
    store.append([one for batch in batches for one in batch], rules_version=VERSION)


def test_two_networks_that_fail_while_it_works_elsewhere_are_confirmed(store: Store) -> None:
    put(store, event("PK", PTCL), event("PK", JAZZ), elsewhere())
    (incident,) = found(store)
    assert incident.status is Status.ENDED and incident.confirmed_at is not None


def detected(folder: Path, *deliveries: list[Judged]) -> Incident:
    """The incident of a new store that is given one delivery after the other."""
    with open_store(folder, clock=lambda: NOON + DAY) as store:
        for delivery in deliveries:
            store.append(delivery, rules_version=VERSION, undetected=(NOON - 30 * DAY, NOON + DAY))
            detect.detect_all(store)
        (incident,) = store.ledger.incidents("PK")
    return incident


def test_controls_from_abroad_decide_whenever_they_come(tmp_path: Path) -> None:
    """Whoever imports a second country's measurements later reads the same as if all had come at once."""
    here, abroad = [*event("PK", PTCL), *event("PK", JAZZ)], elsewhere()
    later, at_once = detected(tmp_path / "later", here, abroad), detected(tmp_path / "once", [*here, *abroad])
    assert later.confirmed_at == at_once.confirmed_at is not None
    assert (later.evidence, later.explanations) == (at_once.evidence, at_once.explanations)


def test_what_has_nothing_to_do_with_an_incident_starts_no_detection(store: Store) -> None:
    put(store, event("PK", PTCL), event("PK", JAZZ))
    found(store)
    other_site = measured("DE", 3320, EVENT, fails=False, target="wikipedia")
    long_after = measured("DE", 3320, [60.0], fails=False)
    store.append([*other_site, *long_after], rules_version=VERSION, undetected=(NOON - DAY, NOON + 9 * DAY))
    assert set(store.ledger.undetected()) == {"DE"}
    store.append(elsewhere(), rules_version=VERSION, undetected=(NOON - 30 * DAY, NOON + DAY))
    assert set(store.ledger.undetected()) == {"DE", "PK"}


def each_a_run(batch: list[Judged], *, versions: int) -> list[Judged]:
    """Each measurement is a separate run, by so many versions of the software in turn."""
    return [
        replace(
            one,
            parsed=replace(
                one.parsed,
                measurement=replace(
                    one.parsed.measurement,
                    probe=one.parsed.measurement.uid,
                    software=f"a 1.{n % versions}",
                    resolver_asn=one.parsed.measurement.asn,
                ),
            ),
        )
        for n, one in enumerate(batch)
    ]


@pytest.mark.parametrize("versions", [1, 4])
def test_runs_that_one_probe_may_have_made_confirm_nothing(store: Store, versions: int) -> None:
    """One probe on each of two networks, or four."""
    both = (each_a_run(event("PK", asn), versions=versions) for asn in (PTCL, JAZZ))
    put(store, *both, elsewhere())
    (incident,) = found(store)
    assert (incident.confirmed_at is not None) is (versions == 4)
    assert incident.evidence.probes_at_least == 2 * versions
    told = {reason.code: reason.params for reason in incident.reasons}
    assert told["runs.bound"]["at_least"] == 2 * versions
    assert ("lacks.distinct" in told) is (versions == 1)


def test_a_platform_that_began_to_fail_in_three_countries_at_once_is_down(store: Store) -> None:
    others = [event(country, asn) for country, asn in (("IR", 44244), ("TR", 9121), ("EG", 8452))]
    put(store, event("PK", PTCL), event("PK", JAZZ), elsewhere(), *others)
    (incident,) = found(store)
    assert incident.status is Status.RETRACTED
    assert incident.reasons == (Reason("platform.down", {"countries": ("EG", "IR", "TR")}),)


def of_version(version: str, *batches: list[Judged]) -> list[Judged]:
    """The same measurements, by another version of the nettest."""
    return [
        replace(
            one,
            parsed=replace(one.parsed, measurement=replace(one.parsed.measurement, test_version=version)),
        )
        for batch in batches
        for one in batch
    ]


def test_a_version_of_a_nettest_that_fails_abroad_where_a_newer_one_works_is_retracted(store: Store) -> None:
    abroad = [("IR", 44244), ("TR", 9121), ("EG", 8452)]
    old = [measured(country, asn, EVENT, fails=True, software="old") for country, asn in abroad]
    new = [measured(country, asn, EVENT, fails=False) for country, asn in abroad]
    here = event("PK", PTCL), event("PK", JAZZ)
    put(store, of_version("0.9", *here, *old), of_version("0.11", elsewhere(), *new))
    (incident,) = found(store)
    assert incident.status is Status.RETRACTED
    (reason,) = incident.reasons
    assert reason.code == "software.release"
    assert reason.params == {"release": "web_connectivity 0.9", "countries": ("EG", "IR", "TR")}


def test_a_version_of_a_nettest_that_alone_fails_confirms_nothing_where_others_reach_the_target(
    store: Store,
) -> None:
    """It may be the only one that looks, so it is not retracted."""
    here = [event("PK", asn) for asn in (PTCL, JAZZ)]
    here += [measured("PK", asn, EVENT[::3], fails=True, software="b") for asn in (PTCL, JAZZ)]
    others = [measured("PK", asn, EVENT[::5], fails=False, software="c") for asn in (PTCL, JAZZ)]
    put(store, of_version("0.12", *here), of_version("0.11", elsewhere(), *others))
    (incident,) = found(store)
    assert incident.status is not Status.RETRACTED and incident.confirmed_at is None
    reason = incident.reasons[0]
    assert reason.code == "software.nettest" and reason.params["release"] == "web_connectivity 0.12"


def test_stray_failures_hours_before_hide_no_platform_that_is_down(store: Store) -> None:
    others = [event(country, asn) for country, asn in (("IR", 44244), ("TR", 9121), ("EG", 8452))]
    strays = measured("PK", PTCL, [-9.4, -9.1, -8.8], fails=True)
    put(store, strays, event("PK", PTCL), event("PK", JAZZ), elsewhere(), *others)
    detect.detect(store, "PK", NOON - 10 * HOUR, NOON + 9 * HOUR)
    (incident,) = store.ledger.incidents("PK")
    assert incident.onset < NOON - 8 * HOUR
    assert incident.status is Status.RETRACTED and incident.reasons[0].code == "platform.down"


def forged_abroad(country: str, asn: int) -> list[Judged]:
    """Two names: on three days each says that it works, then once that it does not."""
    said = [
        *measured(country, asn, WEEK_BEFORE[:3], fails=False),
        *measured(country, asn, EVENT[:1], fails=True),
    ]
    return [one for one in said if one.parsed.measurement.probe.endswith((" 0", " 1"))]


def test_failures_forged_abroad_explain_nothing_away_that_brings_its_own_controls(store: Store) -> None:
    """If the failures bring none, and it works in fewer countries, these 24 measurements do: docs/limits.md says so."""
    real = [
        batch
        for asn in (PTCL, JAZZ)
        for batch in (
            measured("PK", asn, [*WEEK_BEFORE, -3, -2, -1, 6, 7, 8], fails=False),
            measured("PK", asn, EVENT, fails=True, controlled=True),
        )
    ]
    put(store, *real, *(forged_abroad(*at) for at in (("IR", 44244), ("TR", 9121), ("EG", 8452))))
    (incident,) = found(store)
    assert incident.status is Status.ENDED and incident.confirmed_at is not None


def test_a_platform_that_works_in_as_many_countries_is_neither_confirmed_nor_retracted(store: Store) -> None:
    """Forged failures from countries where hardly anyone measures, or a platform that failed in a part of the world."""
    working = [
        measured(country, 1, [*WEEK_BEFORE, *EVENT, 6, 7], fails=False) for country in ("DE", "FR", "NL")
    ]
    put(store, event("PK", PTCL), event("PK", JAZZ), *working)
    (incident,) = found(store)
    assert incident.confirmed_at is not None
    put(store, *(forged_abroad(*at) for at in (("IR", 44244), ("TR", 9121), ("EG", 8452))))
    (incident,) = found(store)
    assert incident.stands and incident.confirmed_at is None
    partly = {"countries": ("EG", "IR", "TR"), "working": ("DE", "FR", "NL")}
    assert incident.reasons[0] == Reason("platform.partly", partly)


def test_countries_that_have_blocked_it_for_years_veto_nothing(store: Store) -> None:
    always = [
        measured(country, 1, [*WEEK_BEFORE, *EVENT], fails=True) for country in ("IR", "TR", "EG", "CN", "GN")
    ]
    put(store, event("PK", PTCL), event("PK", JAZZ), elsewhere(), *always)
    (incident,) = found(store)
    assert incident.status is Status.ENDED and incident.confirmed_at is not None


def test_what_one_version_of_a_program_alone_sees_is_its_own_defect(store: Store) -> None:
    working = [measured("PK", asn, EVENT, fails=False, software="b 2.0") for asn in (PTCL, JAZZ)]
    put(store, event("PK", PTCL), event("PK", JAZZ), elsewhere(), *working)
    assert all(incident.confirmed_at is None for incident in found(store))
    retracted = [i for i in store.ledger.incidents("PK") if i.status is Status.RETRACTED]
    assert {i.reasons[0].code for i in retracted} <= {"software.defect", "probe.defect"}


def test_a_line_that_is_cut_again_and_again_is_one_incident_with_intervals(store: Store) -> None:
    for asn in (PTCL, JAZZ):
        put(store, measured("PK", asn, [*WEEK_BEFORE, -3, -2, -1], fails=False, controlled=True))
        for first in (0, 4, 8):
            cut = [first + 0.1 + n / 6 for n in range(12)]
            back = [first + 2.2 + n / 6 for n in range(9)]
            put(store, measured("PK", asn, cut, fails=True, controlled=True))
            put(store, measured("PK", asn, back, fails=False, controlled=True))
    (incident,) = found(store)
    assert incident.confirmed_at is not None
    assert len(incident.intervals) == 3


def beside(asn: int, *, fails: bool) -> list[Judged]:
    """The same probes' results for six more sites at the same time."""
    return [
        one
        for site in range(6)
        for one in measured("PK", asn, EVENT, fails=fails, controlled=True, target=f"site {site}")
    ]


def test_where_all_that_is_measured_fails_the_line_may_be_what_failed(store: Store) -> None:
    put(store, event("PK", PTCL), event("PK", JAZZ), elsewhere())
    put(store, beside(PTCL, fails=True), beside(JAZZ, fails=True))
    told = found(store)
    assert told and all(incident.confirmed_at is None for incident in told)
    at_fault = Reason("line.at_fault", {"networks": ("AS17557", "AS45669")})
    assert all(i.reasons[0] == at_fault for i in told)


def test_where_other_sites_work_on_the_same_lines_the_target_was_singled_out(store: Store) -> None:
    put(store, event("PK", PTCL), event("PK", JAZZ), elsewhere())
    put(store, beside(PTCL, fails=False), beside(JAZZ, fails=True))
    (incident, *_) = [one for one in found(store) if one.targets == ("x",) or "x" in one.targets]
    assert incident.entities == ("AS17557",)


@pytest.mark.parametrize("seed", range(4))
def test_a_line_on_which_six_in_ten_fail_by_chance_for_weeks_is_no_block(seed: int) -> None:
    chance = Random(f"line {seed}")
    hours = sorted(chance.uniform(0, 30 * 24) for _ in range(240))
    failing = [hour for hour in hours if chance.random() < 0.6]
    seen = votes(
        Ballot(failing, True, PTCL),
        Ballot(sorted(set(hours) - set(failing)), False, PTCL),
        *(Ballot([n * 3.1 + other for n in range(230)], False, JAZZ + other) for other in range(3)),
    )
    nobody = seen.where(seen.seen & ~seen.seen)
    assert all(incident.confirmed_at is None for incident in incidents_of(seen, nobody, "XA", None))
