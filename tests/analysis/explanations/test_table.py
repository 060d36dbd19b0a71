"""What no control excludes is suspected: a site that drops a country, one resolver's fault, a host that fails."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from fanous.analysis.explanations.comparisons import NOTHING, Comparisons
from fanous.analysis.explanations.event import BY_ADDRESS, IN_ITS_PLACE, MOST, OTHER_NAMES
from fanous.analysis.explanations.explanation import Subject
from fanous.analysis.explanations.host import HOST_SITES
from fanous.analysis.explanations.resolver import NAMES_SHARE, through_resolvers
from fanous.analysis.explanations.site import by_whose_page, may_be_of_site
from fanous.analysis.explanations.table import OF_NAMED_EVENT, OF_NETWORKS
from fanous.analysis.incidents import interference
from fanous.analysis.rules.addresses import MAY_FILTER, PUBLIC_RESOLVERS
from fanous.model.explanation import Standing
from fanous.model.incident import (
    Hosting,
    Kind,
    LineRecord,
    NameRecord,
    SharedPage,
    Software,
)
from fanous.model.reason import Reason
from fanous.model.verdict import OTHER_PAGE
from tests.analysis.explanations.claims import claim_of, held
from tests.analysis.incidents.events import Ballot, assembled, compared, finding, votes
from tests.each import each

DROPS, CUT = "tcp.timeout", "tls.reset.sni"
SITE, OTHER = "news.example", "party.example"
HOURS = [10 + n / 4 for n in range(20)]
GOOGLE, CLOUDFLARE, OWN = 15169, 13335, 1


def fails(asn: int, target: str = SITE, mechanism: str = DROPS, **more: object) -> Ballot:
    """Five hours in which another probe fails every quarter of an hour."""
    return Ballot(HOURS, True, asn, target, mechanism=mechanism, **more)  # type: ignore[arg-type]


def left(*ballots: Ballot, known: Comparisons = NOTHING, signal: str = "blocked_path") -> set[str]:
    """Codes of the explanations that are left of all that fails."""
    keys = {(b.asn, b.target, b.resolver) for b in ballots if b.seen}
    group = [
        finding(10, 15, asn=asn, target=target, signal=signal, resolver=resolver)
        for asn, target, resolver in sorted(keys)
    ]
    return held(claim_of(votes(*ballots), group, known))


APART = compared(hosting=(Hosting(SITE, (64500,)), Hosting(OTHER, (64501,))))
TOGETHER = compared(hosting=(Hosting(SITE, (64500, 64501)), Hosting(OTHER, (64501,))))
THREE = ("telegram", "d.example", "e.example")
AROUND = [8, 8.5, 9, 9.5, 15.5, 16]


@each(
    ("what", "ballots", "known", "doubt"),
    [
        ("all networks alike", [fails(1), fails(2)], NOTHING, True),
        ("the only network that was measured", [fails(1)], NOTHING, True),
        (
            "what worked before and after",
            [fails(1), fails(2), Ballot(AROUND, False, 2, SITE)],
            NOTHING,
            True,
        ),
        ("now and then another failure", [fails(1), Ballot([11], True, 1, SITE), fails(2)], NOTHING, True),
        ("it works on a third", [fails(1), fails(2), Ballot(HOURS[6:10], False, 3, SITE)], NOTHING, False),
        (
            "two that work show little",
            [fails(1), fails(2), Ballot(HOURS[6:8], False, 3, SITE)],
            NOTHING,
            True,
        ),
        ("they fail in two ways", [fails(1), fails(2, mechanism="tcp.reset")], NOTHING, False),
        ("handshakes are cut", [fails(1, mechanism=CUT), fails(2, mechanism=CUT)], NOTHING, False),
        ("a platform", [fails(1, "telegram"), fails(2, "telegram")], NOTHING, False),
        ("two sites, where hosts are not known", [fails(1), fails(2, OTHER)], NOTHING, True),
        ("two sites of one host", [fails(1), fails(2, OTHER)], TOGETHER, True),
        (
            "two sites of different hosts",
            [fails(1), fails(2, OTHER)],
            compared(APART, reached=THREE),
            False,
        ),
    ],
)
def test_a_site_may_drop_a_countrys_connections_itself(
    what: str, ballots: Sequence[Ballot], known: Comparisons, *, doubt: bool
) -> None:
    assert DROPS in BY_ADDRESS and MOST == 0.9
    assert ("site.may_refuse" in left(*ballots, known=known)) is doubt, what


BOTH = [fails(asn, site) for asn in (1, 2) for site in (SITE, OTHER)]
LONG = [10 + n / 2 for n in range(20)]


@each(
    ("what", "ballots", "known", "doubt"),
    [
        ("nothing else is measured", BOTH, APART, True),
        ("two other targets are reached", BOTH, compared(APART, reached=THREE[1:]), True),
        ("three are", BOTH, compared(APART, reached=THREE), False),
        (
            "a site of one of the hosts is reached",
            BOTH,
            compared(APART, hosting=(*APART.hosting, Hosting("d.example", (64500,))), reached=("d.example",)),
            False,
        ),
        ("handshakes are cut", [replace(one, mechanism=CUT) for one in BOTH], APART, False),
        ("an answer comes back", [replace(one, mechanism="tcp.reset") for one in BOTH], APART, False),
        ("it works on a third network", [*BOTH, Ballot(HOURS[6:10], False, 3, SITE)], APART, False),
        ("for longer than faults last", [replace(one, hours=LONG) for one in BOTH], APART, False),
        ("a platform fails with it", [*BOTH, fails(1, "telegram")], APART, False),
    ],
)
def test_leaked_routes_take_hosts_with_all_their_sites(
    what: str, ballots: Sequence[Ballot], known: Comparisons, *, doubt: bool
) -> None:
    assert left(*ballots, known=known) == ({"routes.may_fail"} if doubt else set()), what


def test_an_order_carried_out_hours_apart_is_no_sites_doing() -> None:
    late = Ballot(HOURS[10:], True, 2, SITE, mechanism=DROPS)
    group = [finding(10, 15, asn=1, target=SITE), finding(12.5, 15, asn=2, target=SITE)]
    every = votes(fails(1), Ballot(HOURS[3:10], False, 2, SITE), late)
    assert held(claim_of(every, group)) == set()


def test_a_doubt_keeps_an_incident_suspected_until_it_is_gone() -> None:
    """The third network, which is spared, is measured from the fourth hour on."""
    group = [finding(10, 15, asn=asn, target=SITE) for asn in (1, 2)]
    controlled = [fails(asn, controlled=True) for asn in (1, 2)]
    nobody = votes(Ballot([1], False)).where(np.zeros(1, np.bool_))
    doubtful = assembled(group, votes(*controlled), nobody)
    assert doubtful.confirmed_at is None
    assert doubtful.reasons[0] == Reason("site.may_refuse", {"networks": 2, "mechanisms": (DROPS,)})
    spared = Ballot([13.1, 13.3, 13.5, 13.7], False, 3, SITE)
    certain = assembled(group, votes(*controlled, spared), nobody)
    assert certain.confirmed_at is not None
    assert certain.confirmed_at >= certain.onset + 3 * 3600


SITES = [f"{n}.example" for n in range(HOST_SITES)]
ONE_HOST = tuple(Hosting(site, (64500,)) for site in SITES)
AKAMAI = (20940, 16625, 20940)


@each(
    ("what", "sites", "known", "doubt"),
    [
        ("all that it hosts", SITES, compared(hosting=ONE_HOST), True),
        ("two sites", SITES[:2], compared(hosting=ONE_HOST), False),
        (
            "two sites and a platform",
            [*SITES[:2], "bbc"],
            compared(hosting=(*ONE_HOST[:2], Hosting("bbc", (64500,)))),
            True,
        ),
        (
            "three platforms of one owner",
            ["facebook", "instagram", "whatsapp"],
            compared(hosting=tuple(Hosting(one, (32934,)) for one in ("facebook", "instagram", "whatsapp"))),
            False,
        ),
        (
            "networks of one host",
            SITES,
            compared(hosting=tuple(Hosting(site, (asn,)) for site, asn in zip(SITES, AKAMAI, strict=True))),
            True,
        ),
        (
            "another site of it works",
            SITES,
            compared(hosting=(*ONE_HOST, Hosting("d.example", (64500,))), reached=("d.example",)),
            False,
        ),
        (
            "on another network they work: the way may be broken",
            SITES,
            compared(hosting=ONE_HOST),
            True,
        ),
        (
            "a site of another host works",
            SITES,
            compared(hosting=(*ONE_HOST, Hosting("d.example", (64501,))), reached=("d.example",)),
            True,
        ),
    ],
)
def test_a_host_may_have_failed_where_it_serves_the_country(
    what: str, sites: Sequence[str], known: Comparisons, *, doubt: bool
) -> None:
    ballots = [fails(asn, site, CUT) for site in sites for asn in (1, 2)]
    if what.startswith("on another"):
        ballots += [Ballot(HOURS, False, 3, site) for site in sites]
    assert left(*ballots, known=known) == ({"host.may_fail"} if doubt else set()), what


@each("mechanism", ["dns.injection.bogon", "dns.nxdomain", "http.blockpage"])
def test_no_host_that_fails_gives_false_answers_or_a_notice(mechanism: str) -> None:
    assert mechanism in IN_ITS_PLACE
    ballots = [fails(asn, site, mechanism, resolver=asn) for site in SITES for asn in (1, 2)]
    assert left(*ballots, known=compared(hosting=ONE_HOST)) == set()


OF_HOST = (Hosting(SITE, (64500,)), Hosting("d.example", (64500,)))
SHORT = HOURS[:12]


@each(
    ("what", "networks", "hours", "known", "doubt"),
    [
        ("one network alone", [1], SHORT, NOTHING, True),
        ("for longer than faults last", [1], range(10, 19), NOTHING, False),
        ("two networks", [1, 2], SHORT, NOTHING, False),
        (
            "a site of its host is reached",
            [1],
            SHORT,
            compared(hosting=OF_HOST, reached=("d.example",)),
            False,
        ),
        (
            "no other site of its host is",
            [1],
            SHORT,
            compared(hosting=OF_HOST, reached=("e.example",)),
            True,
        ),
    ],
)
def test_the_way_from_one_network_to_one_host_may_be_broken(
    what: str, networks: Sequence[int], hours: Sequence[float], known: Comparisons, *, doubt: bool
) -> None:
    ballots = [Ballot(hours, True, asn, SITE, mechanism=DROPS) for asn in networks]
    spared = Ballot(HOURS, False, 9, SITE)
    assert left(*ballots, spared, known=known) == ({"route.may_fail"} if doubt else set()), what


def looked_up(
    asn: int = 1, target: str = SITE, how: str = "dns", resolver: int = OWN, **more: object
) -> Ballot:
    return fails(asn, target, how, signal="blocked_dns", resolver=resolver, **more)


def names(answered: int, failing: int = 0, host: int = 64500) -> Comparisons:
    """Other names that the same resolver was asked for; the failing target is of host 64500."""
    others = [NameRecord(1, OWN, f"good{n}.example", 1, 9) for n in range(answered)]
    others += [NameRecord(1, OWN, f"bad{n}.example", 9, 1) for n in range(failing)]
    hosting = [Hosting(SITE, (64500,)), *(Hosting(one.target, (host,)) for one in others)]
    return compared(names=tuple(others), hosting=tuple(hosting))


@each(
    ("what", "ballots", "known", "code"),
    [
        ("nothing else was looked up", [looked_up()], NOTHING, "resolver.at_fault"),
        ("hardly anything else", [looked_up()], names(OTHER_NAMES - 1), "resolver.at_fault"),
        ("most names fail", [looked_up()], names(OTHER_NAMES, 4), "resolver.at_fault"),
        ("others are answered", [looked_up()], names(OTHER_NAMES, 3), ""),
        ("others, of another host", [looked_up()], names(9, host=64501), "resolver.one_host"),
        ("it refuses this name alone", [looked_up(how="dns.refused")], names(9, host=64501), ""),
        ("no such name is an answer", [looked_up(how="dns.nxdomain")], NOTHING, ""),
        ("two networks' resolvers", [looked_up(), looked_up(2, resolver=2)], NOTHING, ""),
        (
            "two networks, one resolver",
            [looked_up(), looked_up(2)],
            NOTHING,
            "resolver.at_fault",
        ),
        (
            "abroad there is no answer either",
            [looked_up(), looked_up(2, resolver=2)],
            compared(unanswered=("DE",)),
            "name.at_fault",
        ),
        (
            "abroad there is none, but here the control was normal",
            [looked_up(controlled=True), looked_up(2, resolver=2, controlled=True)],
            compared(unanswered=("DE",)),
            "",
        ),
    ],
)
def test_a_resolver_without_answers_blocks_only_what_it_singles_out(
    what: str, ballots: Sequence[Ballot], known: Comparisons, code: str
) -> None:
    assert NAMES_SHARE == 0.6
    assert left(*ballots, known=known, signal="blocked_dns") == ({code} if code else set()), what


DENIED = [looked_up(target=f"{n}.example", how="dns.nxdomain", controlled=True) for n in range(5)]
EIGHT_HOURS = range(10, 19)


@each(
    ("what", "ballots", "known", "doubt"),
    [
        ("of five, and hardly another is answered", DENIED, names(3), True),
        ("four are answered", DENIED, names(4), False),
        ("of four only", DENIED[:4], NOTHING, False),
        ("of four and of a fifth that is no finding", DENIED[:4], names(2, 1), True),
        (
            "false addresses",
            [replace(one, mechanism="dns.injection.bogon") for one in DENIED],
            names(3),
            True,
        ),
        ("for longer than faults last", [replace(one, hours=EIGHT_HOURS) for one in DENIED], names(3), False),
        ("two networks", [*DENIED, replace(DENIED[0], asn=2, resolver=2)], names(3), False),
        (
            "our own probes, whose lists are short",
            [replace(one, source="edge") for one in DENIED],
            names(3),
            False,
        ),
    ],
)
def test_a_resolver_that_denies_nearly_all_names_may_have_a_fault(
    what: str, ballots: Sequence[Ballot], known: Comparisons, *, doubt: bool
) -> None:
    expected = {"resolver.denies_most"} if doubt else set()
    assert left(*ballots, known=known, signal="blocked_dns") == expected, what


@each(
    ("what", "resolvers", "doubt"),
    [
        ("one that may filter", [CLOUDFLARE], True),
        ("one that never does", [GOOGLE], False),
        ("two: forged on the path", [CLOUDFLARE, 13238], False),
        ("one and the network's own", [CLOUDFLARE, OWN], False),
    ],
)
def test_users_of_a_public_resolver_are_no_witnesses_against_their_network(
    what: str, resolvers: Sequence[int], *, doubt: bool
) -> None:
    assert {CLOUDFLARE, 13238} <= MAY_FILTER and GOOGLE in PUBLIC_RESOLVERS - MAY_FILTER
    ballots = [looked_up(how="dns.injection.bogon", resolver=one) for one in resolvers]
    assert left(*ballots, signal="blocked_dns") == ({"resolver.public_only"} if doubt else set()), what


def test_it_is_said_through_which_resolvers_the_answers_came() -> None:
    bogon = "dns.injection.bogon"
    told = through_resolvers(
        votes(
            looked_up(1, how=bogon, resolver=1),
            looked_up(2, how=bogon, resolver=GOOGLE),
            looked_up(3, how=bogon, resolver=2),
            Ballot([10], True, 3, SITE, signal="blocked_dns", mechanism=bogon, resolver=CLOUDFLARE),
        )
    )
    assert list(told) == [
        Reason("resolver.own", {"entities": ("AS1",)}),
        Reason("resolver.public", {"entities": ("AS2",), "resolvers": (f"AS{GOOGLE}",)}),
        Reason("resolver.other", {"entities": ("AS3",), "resolvers": ("AS2",)}),
    ]
    assert list(through_resolvers(votes(fails(1)))) == []


@each(
    ("what", "known", "of_site"),
    [
        ("nothing is known", NOTHING, True),
        ("hosts differ", (SharedPage(1, (SITE, OTHER), OTHER_NAMES), APART), False),
        ("one host", (SharedPage(1, (SITE, OTHER), OTHER_NAMES), TOGETHER), True),
        ("on another network", (SharedPage(2, (SITE, OTHER), OTHER_NAMES), APART), True),
        ("hardly another page is right", (SharedPage(1, (SITE, OTHER), OTHER_NAMES - 1), APART), True),
    ],
)
def test_a_page_that_sites_of_different_hosts_share_is_not_theirs(
    what: str, known: Comparisons | tuple[SharedPage, Comparisons], *, of_site: bool
) -> None:
    if isinstance(known, tuple):
        known = compared(hosting=known[1].hosting, pages=(known[0],))
    assert may_be_of_site(votes(fails(1, SITE, OTHER_PAGE)), known) is of_site, what


FEW, ENOUGH = (compared(reached=tuple(f"{n}.example" for n in range(n))) for n in (2, 3))


@each(
    ("what", "mechanism", "source", "known", "doubt"),
    [
        ("little else was reached", "tls.throttle.sni", "ooni", FEW, True),
        ("other targets worked", "tls.throttle.sni", "ooni", ENOUGH, False),
        ("our own probes compare downloads", "tls.throttle.sni", "edge", FEW, False),
        ("it was cut", CUT, "ooni", FEW, False),
    ],
)
def test_everything_may_be_slow_where_little_else_is_measured(
    what: str, mechanism: str, source: str, known: Comparisons, *, doubt: bool
) -> None:
    slow = [fails(asn, "x", mechanism, source=source) for asn in (1, 2)]
    assert left(*slow, known=known) == ({"line.may_be_slow"} if doubt else set()), what


def inspected(*free: int, of_all: bool = False) -> Comparisons:
    """Probes that met another certificate, and how many of five other targets each reached."""
    lines = tuple(LineRecord(1, 6, 5 if n else 0, 5.0 - n if n else 0.0, of_all) for n in free)
    return compared(inspected=lines)


@each(
    ("what", "source", "known", "doubt"),
    [
        ("nothing else was measured", "ooni", inspected(0, 0), True),
        ("nothing else was reached", "ooni", inspected(1, 1, 2), True),
        ("half of the probes reached others", "ooni", inspected(0, 3), False),
        ("each measurement has its own name", "ooni", inspected(3, of_all=True), False),
        ("our own probes compare names", "edge", inspected(0), False),
    ],
)
def test_a_program_may_inspect_every_connection(
    what: str, source: str, known: Comparisons, *, doubt: bool
) -> None:
    shown = [fails(asn, "x", "tls.mitm.ca_signed", source=source) for asn in (1, 2)]
    assert left(*shown, known=known) == ({"line.may_be_inspected"} if doubt else set()), what
    assert left(fails(1, "x", CUT), known=known) == set()


@each(("home", "parts"), [(False, [[SITE], [OTHER]]), (True, [[SITE, OTHER]])])
def test_a_page_that_no_network_at_home_contradicts_is_judged_alone(
    parts: list[list[str]], *, home: bool
) -> None:
    ballots = [fails(asn, SITE, CUT) for asn in (1, 2)] + [fails(asn, OTHER, OTHER_PAGE) for asn in (1, 2)]
    ballots += [Ballot(HOURS, False, 3, OTHER)] * home
    group = [finding(10, 15, asn=asn, target=target) for asn in (1, 2) for target in (OTHER, SITE)]
    told = by_whose_page(group, votes(*ballots), NOTHING)
    assert [sorted({one.target for one in part}) for part in told] == parts


@each(
    ("what", "how", "at_former", "doubt"),
    [
        ("another's certificate there", "tls.mitm.ca_signed", 20, True),
        ("nothing is left there", DROPS, 20, True),
        ("two in twenty at the present address", "tls.mitm.ca_signed", 18, True),
        ("three in twenty", "tls.mitm.ca_signed", 17, False),
        ("the name is cut", CUT, 20, False),
    ],
)
def test_what_is_left_at_a_former_address_is_no_block(
    what: str, how: str, at_former: int, *, doubt: bool
) -> None:
    ballots = [fails(asn, mechanism=how, of="a") for asn in (1, 2)]
    beside = Ballot(HOURS, False, 3, SITE)
    known = compared(
        outdated=tuple(f"a.{n}" for n in range(at_former)),
        inspected=tuple(LineRecord(asn, targets=9, others=8, failing=1) for asn in (1, 2)),
    )
    assert left(*ballots, beside, known=known) == ({"name.moved"} if doubt else set()), what


@each(("whose", "doubt"), [("a", True), ("b", False)])
def test_an_address_that_the_name_had_before_is_not_forged(whose: str, *, doubt: bool) -> None:
    ballots = [looked_up(asn, how="dns.injection.other", resolver=asn, of=whose) for asn in (1, 2)]
    known = compared(former=tuple(f"a.{n}" for n in range(15)))
    assert left(*ballots, known=known, signal="blocked_dns") == ({"name.moved"} if doubt else set())


def test_the_order_of_the_table_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row answers for itself, so an incident is the same whatever stands first."""
    group = [finding(10, 15, target=SITE)]
    nobody = votes(Ballot([1], False)).where(np.zeros(1, np.bool_))
    known = compared(software=(Software("a 1", 1, 9, 0),))
    as_listed = assembled(group, votes(fails(1)), nobody, known=known)
    holding = {one.code for one in as_listed.explanations if one.standing is Standing.HOLDS}
    assert {"site.may_refuse", "route.may_fail"} <= holding
    for seed in range(5):
        for table in ("OF_NAMED_EVENT", "OF_NETWORKS"):
            rows = list(getattr(interference, table))
            random.Random(seed).shuffle(rows)
            monkeypatch.setattr(interference, table, tuple(rows))
        assert assembled(group, votes(fails(1)), nobody, known=known) == as_listed


def test_every_row_is_weighed_and_says_by_which_figures() -> None:
    group = [finding(10, 15, asn=asn, target=SITE) for asn in (1, 2)]
    nobody = votes(Ballot([1], False)).where(np.zeros(1, np.bool_))
    weighed = {one.code: one for one in assembled(group, votes(fails(1), fails(2)), nobody).explanations}
    assert set(weighed) == {row.code for row in (*OF_NETWORKS, *OF_NAMED_EVENT)}
    assert weighed["site.may_refuse"].standing is Standing.HOLDS
    assert weighed["route.may_fail"].because == Reason("several_networks", {"entities": ("AS1", "AS2")})
    assert weighed["platform.down"].standing is Standing.UNTESTED


def test_a_line_is_cut_off_without_a_site_to_blame() -> None:
    """Nothing that concerns a site or a service explains that lines fell silent."""
    silent = [finding(10, 15, asn=asn, target="", kind=Kind.OUTAGE) for asn in (1, 2)]
    ballots = [Ballot(HOURS, True, asn, "", mechanism="", source="edge") for asn in (1, 2)]
    claim = claim_of(votes(*ballots), silent)
    about = {Subject.SERVICE, Subject.RESOLVER, Subject.SITE, Subject.HOST}
    rows = [row for row in OF_NAMED_EVENT if row.subject in about]
    assert {row.weigh(claim).because.code for row in rows} == {"no_target"}
