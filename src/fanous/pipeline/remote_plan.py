"""Remote plan: what one round asks of other people's vantage points, within its budget.

Every vantage point of the round measures the control target and each target, with a look-up; the same is measured
from elsewhere.  Targets that do not fit are left out by name, and take turns, so that each has its round.  Nothing is
measured more often during an event: the lines are other people's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fanous.errors import FanousError
from fanous.probe.consent import check_country
from fanous.refdata.platforms import target_of
from fanous.refdata.targets import target_list
from fanous.refdata.users import user_weights

POPULAR = ("social", "ai", "controls")
"""Lists of targets that anyone may be seen to use; others are not requested from other people's lines."""

PER_NETWORK = 2
"""Vantage points per network: as many as a family needs to be the second of rule C1."""

MOST_NETWORKS = 12
ELSEWHERE = 3
"""Data centres, each in another country, that measure the same: one may be at fault, or be refused."""

MOST_PROBES = 50
"""Most probes of one anonymous order (jsdelivr/globalping ``config/default.cjs``, ``anonymousTestsPerMeasurement``)."""


@dataclass(frozen=True, slots=True)
class RemotePlan:
    """What one round asks.

    Attributes:
        control: URL that every vantage point asks first.
        urls: of the targets, in order.
        networks: (ASN, vantage points), those with most users first.
        elsewhere: countries whose data centres are asked.
        tests: what the round costs, in tests.
        budget: what it may cost.
        left_out: what is left out, in sentences.
    """

    country: str
    control: str
    urls: tuple[str, ...]
    networks: tuple[tuple[int, int], ...]
    elsewhere: tuple[str, ...]
    tests: int
    budget: int
    left_out: tuple[str, ...]

    @property
    def probes(self) -> int:
        return sum(count for _, count in self.networks)


def popular_urls(urls: Sequence[str]) -> tuple[list[str], list[str]]:
    """One https address for each target, and what is left out and why.

    Raises:
        FanousError: an address is on none of the lists ``POPULAR``.
    """
    known = {urlsplit(url).hostname for name in POPULAR for url in target_list(name).urls}
    chosen: dict[str, str] = {}
    left_out = []
    for url in urls:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host not in known:
            raise FanousError(
                f"{url} cannot be measured from other people's lines: only sites of the lists "
                f"{', '.join(POPULAR)} can"
            )
        if parts.scheme != "https":
            left_out.append(
                f"{url}: not https, so a refusal by the site could not be told from one on the way"
            )
        elif target_of(host) in chosen:
            left_out.append(f"{url}: {target_of(host)} is measured by {chosen[target_of(host)]}")
        else:
            chosen[target_of(host)] = url
    return list(chosen.values()), left_out


def plan_round(
    country: str,
    urls: Sequence[str],
    networks: Iterable[int],
    elsewhere: tuple[str, ...],
    budget: int,
    turn: int = 0,
    *,
    whose: str,
) -> RemotePlan:
    """What a round asks with this many tests.

    Args:
        urls: URLs of popular targets.
        networks: ASN of each online vantage point on a user's line in the country.
        elsewhere: countries in each of which one vantage point is asked the same.
        turn: number of the round; targets that did not fit have their turn in the next one.
        whose: the vantage points, in words.

    Raises:
        FanousError: measuring from the country would endanger people, no target is left, no vantage point on a
            user's line is online there, or the tests do not suffice for one target.
    """
    check_country(country)
    asked, left_out = popular_urls(urls)
    if not asked:
        raise FanousError("; ".join(left_out) or "no target to measure: name one with -i or --list")
    ordered = by_users(country, networks)
    if not ordered:
        raise FanousError(
            f"{whose} has no vantage point on a user's connection in {country} at the moment",
            permanent=False,
        )
    chosen = _affordable(ordered, len(elsewhere), budget)
    if not chosen:
        raise FanousError(f"{budget} tests are too few for one target in {country}", permanent=False)
    probes = sum(count for _, count in chosen)
    each = _cost(probes, len(elsewhere))
    fits = min(len(asked), (budget - probes) // each)
    start = turn * fits % len(asked)
    in_turn = [*asked[start:], *asked[:start]]
    left_out += [
        f"AS{asn}: {MOST_NETWORKS} networks with more users come first, or the tests do not reach for more"
        for asn, _ in ordered[len(chosen) :]
    ]
    left_out += [
        f"{url}: in a later round, since the tests of this one are used up" for url in in_turn[fits:]
    ]
    return RemotePlan(
        country=country,
        control=_control(in_turn[:fits], turn),
        urls=tuple(in_turn[:fits]),
        networks=tuple(chosen),
        elsewhere=elsewhere,
        tests=probes + fits * each,
        budget=budget,
        left_out=tuple(left_out),
    )


def _control(urls: Sequence[str], turn: int) -> str:
    """Another control in each round, and none that is a target of the round."""
    controls = target_list("controls").urls
    own = {target_of(urlsplit(url).hostname or "") for url in urls}
    usable = [url for url in controls if target_of(urlsplit(url).hostname or "") not in own] or controls
    return usable[turn % len(usable)]


def _cost(probes: int, elsewhere: int) -> int:
    """Tests of one target: HTTP and DNS, here and elsewhere."""
    return 2 * (probes + elsewhere)


def by_users(country: str, networks: Iterable[int]) -> list[tuple[int, int]]:
    """(ASN, vantage points that are asked), the networks with most users first."""
    counts = Counter(networks)
    weights = user_weights(country)
    shares = {network.asn: network.share for network in weights.networks} if weights else {}
    order = sorted(counts, key=lambda asn: (-shares.get(asn, 0.0), -counts[asn], asn))
    return [(asn, min(counts[asn], PER_NETWORK)) for asn in order]


def countries_with_most(vantage_points: Iterable[str | None], but: str) -> tuple[str, ...]:
    """The countries with most of these, for the measurements from elsewhere."""
    counts = Counter(one for one in vantage_points if one is not None and one != but)
    return tuple(sorted(counts, key=lambda code: (-counts[code], code))[:ELSEWHERE])


def _affordable(networks: Sequence[tuple[int, int]], elsewhere: int, budget: int) -> list[tuple[int, int]]:
    """As many networks, from the first, as leave enough tests for the control and at least one target."""
    chosen: list[tuple[int, int]] = []
    for network in networks[:MOST_NETWORKS]:
        probes = sum(count for _, count in [*chosen, network])
        if probes > MOST_PROBES or probes + _cost(probes, elsewhere) > budget:
            break
        chosen.append(network)
    return chosen
