"""What speaks for another explanation is found in the store: measurements in, suspicions and their reasons out."""

from collections.abc import Sequence
from pathlib import Path

from fanous.model.incident import Incident
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import Judged, State, Verdict
from fanous.pipeline import detect
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.builders import helper, observation, verdict
from tests.each import each
from tests.store.cases import NOON, judged

HOUR, DAY = 3600.0, 86400.0
PTCL, JAZZ, DE, JIO = 17557, 45669, 3320, 55836
SITE, OTHER = "news.example", "party.example"
BEFORE = [-24.0 * day - 6 for day in range(1, 7)]
EVENT = [0.1 + n / 2 for n in range(18)]
OLD, NEW = "192.0.2.1", "192.0.2.2"


def works(target: str, *layers: Layer) -> tuple[Verdict, ...]:
    return tuple(verdict(target=target, layer=layer) for layer in layers or (Layer.DNS, Layer.TLS))


def fails(target: str, layer: Layer, mechanism: str, *, controlled: bool = True) -> tuple[Verdict, ...]:
    state = State.BLOCKED if controlled else State.INSUFFICIENT
    how = verdict(
        state, layer, target=target, mechanism=mechanism, symptom=not controlled, controlled=controlled
    )
    return (how,)


def at(target: str, host: int, address: str = NEW) -> Observation:
    """Where the helper finds it."""
    return helper(Layer.DNS, target=target, answers=(address,), answer_asns=(host,), ttls=(-1,))


def measured(
    asn: int,
    hours: Sequence[float],
    said: tuple[Verdict, ...],
    *facts: Observation,
    country: str = "PK",
) -> list[Judged]:
    """Four probes, each with another version of the program, at each hour from noon."""
    target = said[0].target
    return [
        judged(
            f"{country} {asn} {target} {probe} {hour:.2f}",
            *said,
            observations=facts,
            country=country,
            asn=asn,
            resolver_asn=asn,
            probe=f"{country} {asn} {probe} {hour:.2f}",
            software=f"a {probe}",
            started_at=NOON + hour * HOUR + 60 * probe,
        )
        for probe in range(4)
        for hour in hours
    ]


def found(store: Store, *batches: list[Judged], spared: bool = True) -> Incident:
    """The incident of the site, which worked before, and works abroad and (``spared``) on another network."""
    if spared:
        batches = (*batches, measured(JAZZ, [*BEFORE, *EVENT], works(SITE)))
    abroad = measured(DE, [*BEFORE, *EVENT], works(SITE), country="DE")
    usual = measured(PTCL, [*BEFORE, -3, -2, -1], works(SITE), at(SITE, 64500, OLD))
    store.append([one for batch in (abroad, usual, *batches) for one in batch], rules_version="1")
    detect.detect(store, "PK", NOON - HOUR, NOON + 10 * HOUR)
    (incident,) = (one for one in store.ledger.incidents("PK") if SITE in one.targets)
    return incident


@each(("host", "reason"), [(64500, "rule.c2"), (64501, "route.may_fail")])
def test_another_site_of_its_host_shows_that_the_way_is_open(tmp_path: Path, host: int, reason: str) -> None:
    with open_store(tmp_path / str(host), clock=lambda: NOON + DAY) as store:
        cut = measured(PTCL, EVENT[:10], fails(SITE, Layer.TCP, "tcp.timeout"), at(SITE, 64500))
        beside = measured(PTCL, EVENT, works(OTHER), at(OTHER, host))
        assert found(store, cut, beside).reasons[0].code == reason


@each(
    ("others", "abroad", "reason"),
    [(3, False, "rule.c2"), (2, False, "resolver.at_fault"), (3, True, "name.at_fault")],
)
def test_a_resolver_that_answers_for_other_names_has_singled_this_one_out(
    tmp_path: Path, others: int, *, abroad: bool, reason: str
) -> None:
    with open_store(tmp_path / reason, clock=lambda: NOON + DAY) as store:
        lost = fails(SITE, Layer.DNS, "dns", controlled=False)
        names = [f"{n}.example" for n in range(others)]
        batches = [measured(PTCL, EVENT, lost, at(SITE, 64500))]
        batches += [measured(PTCL, EVENT, works(name), at(name, 64500)) for name in names]
        if abroad:
            batches.append(measured(1, EVENT[:1], lost, country="FR"))
        incident = found(store, *batches)
        codes = [one.code for one in incident.reasons]
        assert codes[0] == reason
        assert codes[-1] == "resolver.own"


@each(
    ("mechanism", "layer", "reason"),
    [("tls.timeout", Layer.TLS, "host.may_fail"), ("dns.injection.bogon", Layer.DNS, "rule.c2")],
)
def test_a_host_that_takes_a_platform_with_its_sites_may_have_failed(
    tmp_path: Path, mechanism: str, layer: Layer, reason: str
) -> None:
    with open_store(tmp_path / reason, clock=lambda: NOON + DAY) as store:
        cells = [(asn, target) for target in (SITE, OTHER, "bbc") for asn in (PTCL, 9541)]
        batches = [measured(asn, EVENT, fails(one, layer, mechanism), at(one, 64500)) for asn, one in cells]
        batches += [measured(asn, [*BEFORE, -3, -2, -1], works(one)) for asn, one in cells[1:]]
        incident = found(store, *batches, spared=False)
        assert (set(incident.targets), incident.reasons[0].code) == ({SITE, OTHER, "bbc"}, reason)


@each(("answered", "reason"), [(2, "resolver.denies_most"), (9, "rule.c2")])
def test_a_resolver_that_denies_most_names_may_have_a_fault(
    tmp_path: Path, answered: int, reason: str
) -> None:
    with open_store(tmp_path / reason, clock=lambda: NOON + DAY) as store:
        denied = [SITE, *(f"denied{n}.example" for n in range(4))]
        batches = [measured(PTCL, EVENT[:10], fails(name, Layer.DNS, "dns.nxdomain")) for name in denied]
        batches += [measured(PTCL, EVENT[:10], works(f"{n}.example")) for n in range(answered)]
        assert found(store, *batches).reasons[0].code == reason


@each(("answer", "reason"), [(OLD, "name.moved"), ("192.0.2.9", "rule.c2")])
def test_an_address_that_the_site_had_before_is_not_forged(tmp_path: Path, answer: str, reason: str) -> None:
    with open_store(tmp_path / reason, clock=lambda: NOON + DAY) as store:
        wrong = observation(Layer.DNS, target=SITE, answers=(answer,), answer_asns=(0,), ttls=(-1,))
        forged = fails(SITE, Layer.DNS, "dns.injection.other")
        incident = found(store, measured(PTCL, EVENT, forged, wrong, at(SITE, 64501)))
        assert incident.reasons[0].code == reason


@each("right", [NEW, OLD])
def test_a_right_answer_next_to_a_forged_one_is_not_a_former_address(tmp_path: Path, right: str) -> None:
    """The site has not moved: what an encrypted resolver or the helper finds today is what it found before."""
    with open_store(tmp_path / right, clock=lambda: NOON + DAY) as store:
        answers = [
            observation(Layer.DNS, target=SITE, resolver=by, answers=(one,), answer_asns=(0,), ttls=(-1,))
            for by, one in (("system", "192.0.2.9"), ("udp", OLD), ("doh", right))
        ]
        forged = fails(SITE, Layer.DNS, "dns.injection.other")
        incident = found(store, measured(PTCL, EVENT, forged, *answers, at(SITE, 64500, OLD)))
        assert incident.reasons[0].code == "rule.c2"


@each(("host", "confirmed"), [(64501, True), (64500, False)])
def test_one_page_for_sites_of_two_hosts_is_a_notice(tmp_path: Path, host: int, *, confirmed: bool) -> None:
    with open_store(tmp_path / str(host), clock=lambda: NOON + DAY) as store:
        batches = []
        for target, place in ((SITE, 64500), (OTHER, host)):
            page = observation(
                Layer.HTTP, target=target, title="No entry", body_length=900, url=f"http://{target}/"
            )
            other = fails(target, Layer.HTTP, "http.blockpage.unknown", controlled=False)
            batches += [measured(asn, EVENT, other, page, at(target, place)) for asn in (PTCL, 9541)]
        for n in range(3):
            same = verdict(target=f"{n}.example", layer=Layer.HTTP, rule_id="http.same_page")
            batches += [measured(asn, EVENT[:1], (same,)) for asn in (PTCL, 9541)]
        incident = found(store, *batches, spared=False)
        assert (incident.confirmed_at is not None) is confirmed
        codes = [one.code for one in incident.reasons]
        assert ("page.shared" in codes, codes[0] == "lacks.control_here") == (confirmed, not confirmed)


@each(("asn", "settled", "confirmed"), [(JIO, False, False), (JIO, True, True), (JAZZ, False, True)])
def test_a_neighbours_block_is_not_the_countrys(
    tmp_path: Path, asn: int, *, settled: bool, confirmed: bool
) -> None:
    """A phone that roams is on a network that is registered across the border."""
    with open_store(tmp_path / "store", clock=lambda: NOON + DAY) as store:
        cut = measured(asn, EVENT, fails(SITE, Layer.TLS, "tls.reset.sni"))
        weeks = measured(asn, [-24.0 * day - 6 for day in range(1, 9)], works(SITE)) if settled else []
        incident = found(store, cut, weeks, spared=asn != JAZZ)
        assert (incident.confirmed_at is not None) is confirmed
        assert (incident.reasons[0].code == "network.abroad") is not confirmed


def test_a_neighbours_network_that_fails_at_home_too_is_never_the_countrys(tmp_path: Path) -> None:
    with open_store(tmp_path / "store", clock=lambda: NOON + DAY) as store:
        how = fails(SITE, Layer.TLS, "tls.reset.sni")
        weeks = measured(JIO, [-24.0 * day - 6 for day in range(1, 9)], works(SITE))
        here = [measured(asn, EVENT, how) for asn in (JIO, PTCL, JAZZ)]
        incident = found(store, weeks, *here, measured(JIO, EVENT, how, country="IN"), spared=False)
        assert incident.confirmed_at is not None and {"AS17557", "AS45669"} == set(incident.entities)
        assert "network.abroad" in [one.code for one in incident.reasons]
