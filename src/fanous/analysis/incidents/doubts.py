"""Doubts: other explanations that no control excludes, so that what fails is suspected and not confirmed.

- **The site itself** may drop the connections of a country's visitors.  It does so on all networks of the country at
  once and at the same step, while networks that block an address differ: in how, in when, in whether they do.
- **The host** of several sites, or the route to it, may fail.  Then all of its sites fail, and no others.
- **The routes** to several hosts may fail at once, when one leaks or a cable breaks.
- **The line** may be slow for everything, or a program or an employer may inspect every encrypted connection.  Where
  hardly anything else is measured, nothing shows that a target was singled out.
- **One resolver** may have a fault, or may not reach the name servers of one hosting network.  Both fail for names
  that no one chose; a block leaves most names alone, and does not stop at the customers of one hosting network.
- **A name's own servers** may be at fault: if its signatures are broken, resolvers that check them fail in every
    country.
- **A site that has moved** leaves its former address in caches, and another's certificate there.
- **A public resolver** may filter by itself, and people choose it for that.
- **One family of sources** may see what others do not.  Votes of all families are pooled, and most voices of a network
  decide, so a censor who lets some probes through, or a crowd of forged denials, could hide what one family sees.
  Therefore each is also judged as if no other measured, and what it alone shows is suspected at least and at most.

Conversely, a page that a site may show to visitors from the country comes from the network after all, if sites of
different hosting networks have it in common.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fanous.analysis.incidents.alternatives import LINE_TARGETS, works_elsewhere
from fanous.analysis.incidents.assemble import UNCONFIRMED, Finding, status_of
from fanous.analysis.incidents.confirm import (
    CONTROLS,
    NETWORK_PROBES,
    NETWORK_SHARE,
    OWN_PAGES,
    SPARED_SHARE,
    Ruling,
    families_seen,
    helped,
    is_long,
    may_be_sites_own,
)
from fanous.analysis.incidents.networks import inside, made, that_measured, that_saw
from fanous.analysis.rules.addresses import MAY_FILTER, PUBLIC_RESOLVERS, host_of
from fanous.model.incident import NONE_KNOWN, Alternatives, Hosting, Incident, Interval, Status
from fanous.model.instant import DAY
from fanous.model.place import Family
from fanous.model.reason import Param, Reason
from fanous.model.series import Votes, within
from fanous.model.threshold import threshold
from fanous.model.verdict import BLOCK_ADDRESS, BOGON, FORGED, SLOWNESS

BY_ADDRESS = ("ip.unreachable", "tcp.refused", "tcp.reset", "tcp.timeout")
"""Mechanisms of a connection that was never made: a site's own filter of countries shows the same."""

UNREACHED = ("ip.unreachable", "tcp.timeout")
"""Those of them that a broken route shows, too: nothing came back."""

OF_DNS = "dns"
"""Mechanisms of lookups begin with this."""

UNANSWERED = ("dns", "dns.timeout")
NO_ANSWER = (*UNANSWERED, "dns.refused")
"""Mechanisms of a resolver that gives no answer at all; a wrong one, or one that denies the name, is a choice.  A
resolver that refuses chooses, too, if it answers for other names."""

IN_ITS_PLACE = (BOGON, BLOCK_ADDRESS, FORGED, "dns.nxdomain", "http.blockpage", "http.redirect")
"""Mechanisms of false answers and notices: no host that fails gives them."""

INTERCEPTED = "tls.mitm"
"""Mechanisms of certificates that are not the site's begin with this."""

EDGE = str(Family.EDGE)

MOST = threshold(
    "incidents.alike_share",
    0.9,
    "Share of the failures from which they all count as alike: during a block other things fail, too.",
)

ABROAD = threshold(
    "incidents.unanswered_abroad",
    2,
    "Lookups without an answer in one other country at the time, from which the name itself is in question: one "
    "is a lost packet.",
)

OTHER_NAMES = threshold(
    "incidents.resolver_names",
    3,
    "Other targets for which a resolver must have answered (or whose pages came unchanged) to have singled "
    "something out: as many as measurements make a control.",
)
NAMES_SHARE = threshold(
    "incidents.resolver_failing_share",
    0.6,
    "Most of the targets looked up through a resolver that may have failed for it to have singled something "
    "out: as for lines (`incidents.line_target_share`).",
)


HOST_SITES = threshold(
    "incidents.host_sites",
    3,
    "Fewest sites of one hosting network that fail together before the host comes into question: two are often "
    "one owner's.",
)


MOVED_WITHIN = threshold(
    "incidents.moved_within_seconds",
    28 * DAY,
    "Time before an event in which the helper's answers count as former addresses: as long as the history that "
    "is read.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """What speaks for and against other explanations of one event.

    Attributes:
        votes: of the country, on the event's targets.
        sessions: the event's findings on the networks named.
    """

    votes: Votes
    sessions: Sequence[Finding]
    known: Alternatives = NONE_KNOWN

    def remaining(self, seen: Votes, now: float = np.inf) -> Reason | None:
        """The explanation that is left; None = there is none.

        Args:
            seen: failing votes on the networks named, up to ``now``.
        """
        return (
            self._of_resolver(seen)
            or self._of_name(seen)
            or _of_public_resolver(seen)
            or self._of_site(seen, now)
            or self._of_host(seen)
            or self._of_routes(seen, now)
            or self._of_former(seen)
            or self._of_line(seen)
            or self._of_inspection(seen)
        )

    # --- the site itself, or its host ---------------------------------------------------------

    def _of_site(self, seen: Votes, now: float) -> Reason | None:
        """May the site drop the country's connections by itself?

        Platforms are served to all countries from many places, and none is known to
        have dropped a country without a word.
        """
        targets = _sites(seen)
        how = _alike(seen)
        if how is None or not targets or self._are_apart(targets) or self._works_beside(seen, now):
            return None
        return Reason("site.may_refuse", {"networks": len(np.unique(seen.asns)), "mechanisms": (how,)})

    def _of_host(self, seen: Votes) -> Reason | None:
        """May the host that all of these sites have in common have failed, or the route to it?

        No other site of it was reached then.  That takes several targets, not all of them platforms, which may have a
        network of their own.  For a site that drops connections, a lone network whose route to it is broken is enough,
        until it lasts longer than faults do.
        """
        if 2 * int(np.isin(seen.mechanisms, IN_ITS_PLACE).sum()) >= len(seen):
            return None
        targets = frozenset(str(target) for target in seen.targets)
        common = frozenset[int].intersection(*map(self._hosts, targets))
        others = (self._hosts(target) for target in self.known.reached if target not in targets)
        whole = common.difference(*others)
        if whole and len(targets) >= HOST_SITES and any("." in target for target in targets):
            return Reason("host.may_fail", {"sites": len(targets), "entities": _ases(whole)})
        lone = set(seen.asns.tolist())
        if len(lone) > 1 or _alike(seen) is None or is_long(seen) or (common and not whole):
            return None
        if not _sites(seen) or self._are_apart(targets):
            return None
        return Reason("route.may_fail", {"entities": _ases(lone)})

    def _of_routes(self, seen: Votes, now: float) -> Reason | None:
        """May the routes to several hosts have failed at once, as when one leaks or a cable breaks?

        Connections then get no answer, in the same way on all networks, and no site of these hosts is reached.  Three
        other targets that are reached show that some were singled out; so does lasting longer than faults do.
        """
        targets = _sites(seen)
        others = set(self.known.reached).difference(targets)
        if _alike(seen) not in UNREACHED or not self._are_apart(targets) or len(others) >= OTHER_NAMES:
            return None
        hosts = frozenset[int].union(*map(self._hosts, targets))
        if is_long(seen) or self._works_beside(seen, now) or any(hosts & self._hosts(one) for one in others):
            return None
        return Reason("routes.may_fail", {"sites": len(targets), "entities": _ases(hosts)})

    def _are_apart(self, targets: Collection[str]) -> bool:
        """Are two of the targets in different hosting networks, so that no single owner or host decides on both?"""
        places = [hosts for target in targets if (hosts := self._hosts(target))]
        return any(one.isdisjoint(other) for n, one in enumerate(places) for other in places[:n])

    def _hosts(self, target: str) -> frozenset[int]:
        """Networks of its addresses, as the helper found them; empty = unknown."""
        return frozenset(
            host for one in self.known.hosting if one.target == target for host in _hosts_of(one)
        )

    def _works_beside(self, seen: Votes, now: float) -> bool:
        """Did it work on one network of the country while it failed on another, before, during and after?

        What a network measured right before the first failure and right after the last does not show this.
        """
        votes = self.votes.where(self.votes.times <= now)
        failed = np.isin(votes.uids, votes.uids[votes.seen])
        signals = np.isin(votes.signals, [one.anomaly.key.signal for one in self.sessions])
        spans = dict(_spans(seen))
        for asn in np.unique(votes.asns).tolist():
            beside = [span for other, span in spans.items() if other != asn]
            own = [
                Interval(one.anomaly.start_latest, one.anomaly.last_seen)
                for one in self.sessions
                if one.asn == asn
            ]
            rows = signals & (votes.asns == asn) & within(votes.times, beside) & ~within(votes.times, own)
            if int(rows.sum()) >= CONTROLS and float((~failed[rows]).mean()) >= SPARED_SHARE:
                return True
        return False

    # --- the line -----------------------------------------------------------------------------

    def _of_line(self, seen: Votes) -> Reason | None:
        """May everything have been slow there?  Hardly any other target was reached, which would show that it was not.

        Our own probes compare a slow download with another name's.
        """
        slow = np.array([SLOWNESS in mechanism for mechanism in seen.mechanisms.tolist()], np.bool_)
        others = set(self.known.reached).difference(seen.targets.tolist())
        if (
            not len(seen)
            or float((slow & (seen.sources != EDGE)).mean()) < MOST
            or len(others) >= OTHER_NAMES
        ):
            return None
        return Reason("line.may_be_slow")

    def _of_inspection(self, seen: Votes) -> Reason | None:
        """May a program on the machine, or an employer, have shown its own certificate for everything?

        Then hardly any other target was reached by those who met one.  Our own probes compare with another name's.
        """
        shown = np.array([*map(_is_intercepted, seen.mechanisms)], np.bool_)
        if not len(seen) or float((shown & (seen.sources != EDGE)).mean()) < MOST:
            return None
        probes = [line for line in self.known.inspected if not line.of_all]
        whole = [line for line in self.known.inspected if line.of_all]
        free = [line for line in probes if line.others - line.failing >= OTHER_NAMES]
        if not any(line.others for line in probes):  # each measurement has its own probe name
            probes, free = whole, [line for line in whole if line.others - line.failing >= OTHER_NAMES]
        return None if probes and 2 * len(free) >= len(probes) else Reason("line.may_be_inspected")

    # --- a resolver, or the name's own servers ------------------------------------------------

    def _of_name(self, seen: Votes) -> Reason | None:
        """Do other countries' resolvers fail for it, too, so that its own servers or signatures may be at fault?"""
        unclear = np.isin(seen.mechanisms, UNANSWERED) & ~seen.controlled
        if not self.known.unanswered or float(unclear.mean()) < MOST:
            return None
        return Reason("name.at_fault", {"countries": self.known.unanswered})

    def _of_resolver(self, seen: Votes) -> Reason | None:
        """May the one resolver behind it have a fault, or not reach one host's name servers?

        A wrong answer, or a denial that the name exists, is deliberate, unless the resolver denies nearly all names.
        """
        is_silent = np.isin(seen.mechanisms, NO_ANSWER)
        gives_none = int(is_silent.sum()) >= MOST * len(seen)
        lookups = np.array([how.startswith(OF_DNS) for how in seen.mechanisms.tolist()], np.bool_)
        of_dns = seen.where(is_silent if gives_none else lookups)
        resolvers = set(np.where(of_dns.resolver_asns > 0, of_dns.resolver_asns, of_dns.asns).tolist())
        if len(resolvers) != 1 or len(of_dns) < MOST * len(seen):
            return None
        targets = {str(target) for target in seen.targets}
        own = _ases(resolvers)
        others = [
            one
            for one in self.known.names
            if (one.resolver_asn or one.asn) in resolvers and one.target not in targets
        ]
        answered = {one.target for one in others if one.answered > one.failing}
        failing = targets.union(one.target for one in others if one.target not in answered)
        are_most = len(failing) > NAMES_SHARE * len(failing | answered)
        if not gives_none:
            are_many = are_most and len(failing) >= LINE_TARGETS and EDGE not in seen.sources
            told: dict[str, Param] = {"resolvers": own, "some": len(failing), "all": len(failing | answered)}
            return Reason("resolver.denies_most", told) if are_many and not is_long(seen) else None
        if len(answered) < OTHER_NAMES or are_most:
            return Reason("resolver.at_fault", {"resolvers": own})
        unclear = np.isin(of_dns.mechanisms, UNANSWERED) & ~of_dns.controlled
        return (
            Reason("resolver.one_host", {"resolvers": own})
            if unclear.any() and self._is_of_one_host(targets, answered)
            else None
        )

    def _of_former(self, seen: Votes) -> Reason | None:
        """Are the answers addresses that the targets had before?

        A former address in the hosting network of the present one is not a wrong answer, but nothing may answer there
        any more, or with another site's certificate.  Where more than one address serves a site, it is
        unlikely that all failures are at a former one.
        """
        forged = seen.mechanisms == FORGED
        former = np.isin(seen.uids, self.known.former)
        there = np.isin(seen.mechanisms, BY_ADDRESS) | np.array(
            [*map(_is_intercepted, seen.mechanisms)], np.bool_
        )
        outdated = there & np.isin(seen.uids, self.known.outdated)
        is_moved = forged.any() and 2 * int((forged & former).sum()) >= len(seen)
        if not len(seen) or not (is_moved or float(outdated.mean()) >= MOST):
            return None
        return Reason("name.moved", {"networks": len(np.unique(seen.asns))})

    def _is_of_one_host(self, targets: Collection[str], answered: Collection[str]) -> bool:
        """Are all names in one hosting network (or is there one name only, and its network is not known), of which no
        name was answered?"""
        common = frozenset[int].intersection(*map(self._hosts, targets))
        if not common:
            return len(targets) == 1
        return not all(any(host in self._hosts(target) for target in answered) for host in common)


def _hosts_of(hosting: Hosting) -> frozenset[int]:
    return frozenset(map(host_of, hosting.networks))


def _is_intercepted(mechanism: str) -> bool:
    return mechanism.startswith(INTERCEPTED)


def _sites(seen: Votes) -> frozenset[str]:
    """The targets, if all are sites; a platform's name has no dot."""
    targets = frozenset(str(target) for target in seen.targets)
    return targets if all("." in target for target in targets) else frozenset()


def _alike(seen: Votes) -> str | None:
    """The one way in which connections fail on all networks; None = there are several, or it is another."""
    ways = set[str]()
    for asn in np.unique(seen.asns):
        own = Counter(seen.mechanisms[seen.asns == asn].tolist())
        way, most = own.most_common(1)[0]
        if most < MOST * own.total() or way not in BY_ADDRESS:
            return None
        ways.add(str(way))
    return ways.pop() if len(ways) == 1 else None


def _spans(seen: Votes) -> Iterator[tuple[int, Interval]]:
    """Each network, and the time between its third failing probe and its last failure."""
    for asn in np.unique(seen.asns).tolist():
        own = seen.where(seen.asns == asn)
        _, firsts = np.unique(own.probes.astype(str), return_index=True)
        if len(firsts) >= NETWORK_PROBES:
            third = float(np.sort(own.times[firsts])[NETWORK_PROBES - 1])
            yield asn, Interval(third, float(own.times.max()))


def _of_public_resolver(seen: Votes) -> Reason | None:
    """Did only users of one public resolver see it, which may filter by itself?

    If two operators of such resolvers give wrong answers there, they were forged on the path.
    """
    through = seen.resolver_asns[(seen.resolver_asns > 0) & (seen.resolver_asns != seen.asns)]
    resolvers = set(through.tolist())
    if len(through) < MOST * len(seen) or len(resolvers) != 1 or not resolvers <= MAY_FILTER:
        return None
    return Reason(
        "resolver.public_only", {"resolvers": _ases(resolvers), "entities": _ases(set(seen.asns.tolist()))}
    )


# --- whose page? ----------------------------------------------------------------------------------------


def shared_pages(witness: Votes, known: Alternatives) -> NDArray[np.bool_]:
    """Failing votes whose page another site, of another hosting network, has on the same network: shape (n,).

    A delivery network, a parking service or a shield shows one page for many sites, too, but for its customers alone;
    and a broken proxy shows its own in place of everything, whereas a notice leaves most sites alone.
    """
    hosts = {one.target: _hosts_of(one) for one in known.hosting}
    cells = {
        (page.asn, target)
        for page in known.pages
        if page.others >= OTHER_NAMES
        for target in page.targets
        for other in page.targets
        if hosts.get(target) and hosts.get(other) and hosts[target].isdisjoint(hosts[other])
    }
    pairs = zip(witness.asns.tolist(), witness.targets.tolist(), strict=True)
    return np.isin(witness.mechanisms, OWN_PAGES) & np.array([pair in cells for pair in pairs], np.bool_)


def may_be_of_site(witness: Votes, known: Alternatives) -> bool:
    """Did at least half of the failing measurements get a page that the site itself may show to visitors from here?"""
    return may_be_sites_own(witness, shared_pages(witness, known))


def by_explanation(group: Sequence[Finding], votes: Votes, known: Alternatives) -> list[list[Finding]]:
    """The findings of one event, apart from those on sites that may show a page of their own.

    That sites begin to fail together shows that they were cut together, but a site may also react to the event by
    itself: with a notice, or by turning visitors away.  If its page came to all of its visitors from the country, it is
    judged alone.
    """
    theirs = {
        target for target in {f.target for f in group} if _has_page_of_its_own(target, group, votes, known)
    }
    parts = ([f for f in group if (f.target in theirs) is own] for own in (False, True))
    return [part for part in parts if part]


def _has_page_of_its_own(target: str, group: Sequence[Finding], votes: Votes, known: Alternatives) -> bool:
    """Did it show one, while no network of the country got the usual page?"""
    own = [finding for finding in group if finding.target == target]
    of_it = votes.where(votes.targets == target)
    witness = of_it.where(inside(of_it, own) & of_it.seen)
    nowhere = of_it.where(np.zeros(len(of_it), np.bool_))
    return (
        may_be_of_site(witness, known) and len(works_elsewhere(of_it, nowhere, own, witness.times)) < CONTROLS
    )


# --- whose answer? --------------------------------------------------------------------------------------

LEAST_SHARE = threshold(
    "incidents.resolver_share",
    0.1,
    "Share of the failures from which the resolvers behind wrong or missing answers are named, as mechanisms "
    "are.",
)


def through_resolvers(witness: Votes) -> Iterator[Reason]:
    """Through which resolvers wrong answers came: the networks' own, public ones, or those of another network."""
    answers = witness.where(witness.resolver_asns > 0)
    if len(answers) < LEAST_SHARE * len(witness) or not len(answers):
        return
    pairs = Counter(zip(answers.asns.tolist(), answers.resolver_asns.tolist(), strict=True))
    of_network = Counter(answers.asns.tolist())
    named = {pair for pair, n in pairs.items() if n >= LEAST_SHARE * of_network[pair[0]]}
    own = {asn for asn, resolver in named if asn == resolver}
    if own:
        yield Reason("resolver.own", {"entities": _ases(own)})
    others = {pair for pair in named if pair[0] != pair[1]}
    public = {pair for pair in others if pair[1] in PUBLIC_RESOLVERS}
    if public:
        yield Reason("resolver.public", {"entities": _firsts(public), "resolvers": _seconds(public)})
    if others - public:
        told = others - public
        yield Reason("resolver.other", {"entities": _firsts(told), "resolvers": _seconds(told)})


def _firsts(pairs: Collection[tuple[int, int]]) -> tuple[str, ...]:
    return _ases({one for one, _ in pairs})


def _seconds(pairs: Collection[tuple[int, int]]) -> tuple[str, ...]:
    return _ases({other for _, other in pairs})


def _ases(asns: Collection[int]) -> tuple[str, ...]:
    return tuple(f"AS{asn}" for asn in sorted(asns))


# --- what one family shows while others reach the target -------------------------------------------------

NETWORKS = threshold(
    "incidents.disputed_networks",
    2,
    "Networks that one family must show by itself against others, or else one as a lone network must: all "
    "probes of a family on a network may share a fault there.",
)

JUDGED_ALONE = (Family.EDGE, Family.OONI)
"""Families that C2 may confirm by themselves."""

DISPUTED, ABOUT_NETWORKS = "disputed", "disputed.networks"
"""Codes of reasons: of a suspicion that one family shows against others, and of an incident that, according to one
family, is on more networks."""


@dataclass(frozen=True, slots=True)
class Alone:
    """What one family shows by itself.

    Attributes:
        votes: those of its votes that count.
        incidents: what follows from them if no one else measured.
    """

    family: Family
    votes: Votes
    incidents: Sequence[Incident]


def sources_of(family: Family, family_of: Mapping[str, Family]) -> tuple[str, ...]:
    """The names of its sources."""
    return tuple(name for name, own in family_of.items() if own is family)


def of_family(votes: Votes, family: Family, family_of: Mapping[str, Family]) -> Votes:
    """The votes that came through its sources."""
    return votes.where(np.isin(votes.sources.astype(str), sources_of(family, family_of)))


def shown_by(incident: Incident) -> Family | None:
    """The one family on which a disputed suspicion rests; None = it is not one."""
    told = (reason.params["shown_by"] for reason in incident.reasons if reason.code == DISPUTED)
    return next((Family(str(family)) for family in told), None)


def is_disputed(incident: Incident) -> bool:
    """Does it say that sources disagree?"""
    return any(reason.code in (DISPUTED, ABOUT_NETWORKS) for reason in incident.reasons)


def with_disputes(
    found: Sequence[Incident], families: Iterable[Alone], votes: Votes, family_of: Mapping[str, Family]
) -> list[Incident]:
    """All incidents, with what one family alone shows and others deny.

    Args:
        found: what the votes of all families together show.
        votes: of all families, on all targets of ``families``.
        family_of: name of a source -> family.
    """
    told = list(found)
    for alone in families:
        own = sources_of(alone.family, family_of)
        others = votes.where(~np.isin(votes.sources.astype(str), own))
        for one in alone.incidents:
            if one.confirmed_at is not None and _holds_alone(one, alone.votes):
                told = _with(told, one, alone.family, others, family_of)
    return told


def _holds_alone(one: Incident, own: Votes) -> bool:
    """Did enough probes see it with their own normal controls, on two networks or for longer than faults last?

    Where others reach the target at the same time on the same networks, its working elsewhere shows nothing new: only a
    control made with the failure shows that the line of those who see it was sound.
    """
    saw = own.where(that_saw(own, one.networks))
    return helped(saw) and (len(one.networks) >= NETWORKS or is_long(saw))


def _with(
    found: Sequence[Incident], one: Incident, family: Family, others: Votes, family_of: Mapping[str, Family]
) -> list[Incident]:
    """The incidents with the one that a family alone shows: as a remark to one of them, or next to them."""
    near = [other for other in found if _is_same(other, one)]
    known = {network.entity for other in near if other.confirmed_at is not None for network in other.networks}
    denied = _denied(one, others, known)
    if not len(denied):
        return list(found)
    told: dict[str, Param] = {
        "shown_by": str(family),
        "families": tuple(str(other) for other in families_seen(denied.sources, dict(family_of))),
        "networks": tuple(f"AS{asn}" for asn in np.unique(denied.asns)),
        "some": made(denied.where(~np.isin(denied.uids, denied.uids[denied.seen]))),
        "all": made(denied),
    }
    standing = [other for other in near if other.status is not Status.RETRACTED and not _is_part(other, one)]
    if standing:
        lead = min(standing, key=lambda other: (other.confirmed_at is None, other.onset))
        remarked = replace(lead, reasons=(*lead.reasons, Reason(ABOUT_NETWORKS, told)))
        return [remarked if other is lead else other for other in found]
    rest = [other for other in found if other not in near or not _is_part(other, one)]
    return [*rest, _suspected(one, Reason(DISPUTED, told))]


def _is_same(other: Incident, one: Incident) -> bool:
    """Are both about one target at one time?"""
    return other.is_on(one.onset, one.until) and bool(set(other.targets) & set(one.targets))


def _is_part(other: Incident, one: Incident) -> bool:
    """Does ``one`` say all that the other, never confirmed, says?"""
    entities = {network.entity for network in one.networks}
    return (
        other.confirmed_at is None
        and set(other.targets) <= set(one.targets)
        and {network.entity for network in other.networks} <= entities
    )


def _denied(one: Incident, others: Votes, known: set[str]) -> Votes:
    """Others' votes on the networks on which they did not see what one family sees.

    They need not always reach the targets: a censor could let known probes through every other time.

    Args:
        known: networks on which all families together show it.
    """
    rows = np.zeros(len(others), np.bool_)
    for network in (each for each in one.networks if each.entity not in known):
        own = that_measured(others, [network])
        here = others.where(own)
        if len(here) and made(here.where(here.seen)) < NETWORK_SHARE * made(here):
            rows |= own
    return others.where(rows)


def _suspected(one: Incident, reason: Reason) -> Incident:
    """The incident as a suspicion that others dispute."""
    return replace(
        one,
        status=status_of(Ruling("", None, reason), one.end),
        confirmed_at=None,
        rule="",
        confidence=min(one.confidence, UNCONFIRMED),
        reasons=(reason, *one.reasons[1:]),
    )
