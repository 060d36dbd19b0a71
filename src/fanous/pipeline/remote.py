"""Remote: one round of measurements from vantage points of others, within the hour's free tests.

The control target is asked first, at every vantage point of the round; each target is then asked at the same vantage
points, over HTTP and DNS, and from data centres elsewhere.  What does not fit is left out by name, and targets take
turns, so that each has its round.  Nothing here is asked more often because something happens: the lines are other
people's.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from fanous.errors import FanousError, Rejected
from fanous.model.measurement import Provenance
from fanous.pipeline.ingest import ingest
from fanous.pipeline.judge import Ingested
from fanous.probe.consent import check_country
from fanous.refdata.platforms import target_of
from fanous.refdata.targets import target_list
from fanous.refdata.users import user_weights
from fanous.sources.remote.globalping import NAME, AskedTarget, records
from fanous.sources.remote.globalping_api import DATACENTRE, EYEBALL, ListedVantagePoint, RemoteAnswer
from fanous.sources.remote.globalping_client import Client, OverLimit
from fanous.store.protocol import Store
from fanous.store.series import Pulled

POPULAR = ("social", "ai", "controls")
"""Lists of targets that anybody may be seen to use; no other is asked for from somebody else's line."""

PER_NETWORK = 2
"""Vantage points of a network: as many as a family needs to be the second of C1."""

MOST_NETWORKS = 12
ELSEWHERE = 3
"""Data centres, each in another country, that are asked the same: one may be at fault, or be turned away."""

MOST_PROBES = 50
"""Of one anonymous order (jsdelivr/globalping ``config/default.cjs``, ``anonymousTestsPerMeasurement``)."""

RESERVE = 0.1
"""Share of the hour's tests that is left to others behind the same address."""


@dataclass(frozen=True, slots=True)
class RemotePlan:
    """What one round asks.

    Attributes:
        control: URL that every vantage point asks first.
        urls: of the targets, in order.
        networks: (ASN, vantage points), those with most users first.
        elsewhere: countries whose data centres are asked.
        tests: that the round costs.
        budget: that it may cost.
        left_out: sentences.
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
        FanousError: an address that is on none of the lists ``POPULAR``.
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


def plan(
    country: str, urls: Sequence[str], listed: Sequence[ListedVantagePoint], budget: int, turn: int = 0
) -> RemotePlan:
    """What a round asks with so many tests.

    Args:
        urls: of popular targets.
        listed: vantage points that are on line.
        turn: number of the round; targets that did not fit have their turn in the next one.

    Raises:
        FanousError: measuring from the country would endanger people, no vantage point on a user's line is on
            line there, or the tests do not suffice for one target.
    """
    check_country(country)
    asked, left_out = popular_urls(urls)
    networks = networks_in(country, listed)
    if not networks:
        raise FanousError(
            f"Globalping has no vantage point on a user's connection in {country} at the moment",
            permanent=False,
        )
    elsewhere = _elsewhere(country, listed)
    chosen = _affordable(networks, len(elsewhere), budget)
    if not chosen:
        raise FanousError(f"{budget} tests are too few for one target in {country}", permanent=False)
    probes = sum(count for _, count in chosen)
    each = _cost(probes, len(elsewhere))
    fits = min(len(asked), (budget - probes) // each)
    start = turn * fits % len(asked)
    in_turn = [*asked[start:], *asked[:start]]
    controls = target_list("controls").urls
    own = {target_of(urlsplit(url).hostname or "") for url in in_turn[:fits]}
    usable = [url for url in controls if target_of(urlsplit(url).hostname or "") not in own] or controls
    left_out += [
        f"AS{asn}: {MOST_NETWORKS} networks with more users come first, or the tests do not reach for more"
        for asn, _ in networks[len(chosen) :]
    ]
    left_out += [
        f"{url}: in a later round, since the tests of this one are used up" for url in in_turn[fits:]
    ]
    return RemotePlan(
        country=country,
        control=usable[turn % len(usable)],
        urls=tuple(in_turn[:fits]),
        networks=tuple(chosen),
        elsewhere=elsewhere,
        tests=probes + fits * each,
        budget=budget,
        left_out=tuple(left_out),
    )


def _cost(probes: int, elsewhere: int) -> int:
    """Tests of one target: HTTP and DNS, here and elsewhere."""
    return 2 * (probes + elsewhere)


def networks_in(country: str, listed: Sequence[ListedVantagePoint]) -> list[tuple[int, int]]:
    """(ASN, vantage points on users' lines), the networks with most users first."""
    counts = Counter(
        one.location.asn
        for one in listed
        if one.location.country == country and EYEBALL in one.tags and DATACENTRE not in one.tags
    )
    weights = user_weights(country)
    shares = {network.asn: network.share for network in weights.networks} if weights else {}
    order = sorted(counts, key=lambda asn: (-shares.get(asn, 0.0), -counts[asn], asn))
    return [(asn, min(counts[asn], PER_NETWORK)) for asn in order]


def _elsewhere(country: str, listed: Sequence[ListedVantagePoint]) -> tuple[str, ...]:
    counts = Counter(one.location.country for one in listed if DATACENTRE in one.tags)
    del counts[country]
    return tuple(sorted(counts, key=lambda code: (-counts[code], code))[:ELSEWHERE])


def _affordable(networks: Sequence[tuple[int, int]], elsewhere: int, budget: int) -> list[tuple[int, int]]:
    """The first networks with which the control and one target at least can be paid."""
    chosen: list[tuple[int, int]] = []
    for network in networks[:MOST_NETWORKS]:
        probes = sum(count for _, count in [*chosen, network])
        if probes > MOST_PROBES or probes + _cost(probes, elsewhere) > budget:
            break
        chosen.append(network)
    return chosen


# --- a round --------------------------------------------------------------------------------------------


def budget_of(client: Client) -> int:
    """Tests that a round may cost now."""
    limits = client.limits()
    return max(0, limits.remaining - int(RESERVE * limits.limit))


def measure(client: Client, plan: RemotePlan, say: Callable[[str], None]) -> Iterator[bytes]:
    """The records of a round, a line each.

    Args:
        say: called with a sentence about what could not be had.

    Raises:
        FanousError: the control could not be asked, so nothing would count.
    """
    control = client.answer(client.order(_http(plan.control, _here(plan))))
    outside: str | list[dict[str, Any]] = [
        {"country": code, "tags": [DATACENTRE], "limit": 1} for code in plan.elsewhere
    ]
    for number, url in enumerate(plan.urls):
        try:
            asked = _asked(client, url, control.id, outside)
            yield from records(asked, control)
        except OverLimit as error:
            for left in plan.urls[number:]:
                say(f"{left}: {error}")
            return
        except (FanousError, Rejected) as error:
            say(f"{url}: {error}")
            continue
        if asked.elsewhere is not None and asked.elsewhere.results:
            outside = asked.elsewhere.id


def _asked(client: Client, url: str, control: str, outside: str | list[dict[str, Any]]) -> AskedTarget:
    """All four questions are ordered before the first answer is waited for, so that they are asked together."""
    here = [client.order(_http(url, control)), client.order(_dns(url, control))]
    there = [client.order(question(url, outside)) for question in (_http, _dns)] if outside else []
    found: list[RemoteAnswer] = [client.answer(one) for one in (*here, *there)]
    return AskedTarget(url, *found)


def _here(plan: RemotePlan) -> list[dict[str, Any]]:
    return [
        {"country": plan.country, "asn": asn, "tags": [EYEBALL], "limit": count}
        for asn, count in plan.networks
    ]


def _http(url: str, locations: str | list[dict[str, Any]]) -> dict[str, Any]:
    """GET, so that a block page is seen: of a HEAD nothing comes but headers."""
    parts = urlsplit(url)
    request = {"method": "GET", "path": parts.path or "/"} | ({"query": parts.query} if parts.query else {})
    options: dict[str, Any] = {"protocol": "HTTPS", "request": request}
    if parts.port:
        options["port"] = parts.port
    return {
        "type": "http",
        "target": parts.hostname,
        "locations": locations,
        "measurementOptions": options,
    }


def _dns(url: str, locations: str | list[dict[str, Any]]) -> dict[str, Any]:
    """By the resolver of the line, which is the one that lies."""
    return {
        "type": "dns",
        "target": urlsplit(url).hostname,
        "locations": locations,
        "measurementOptions": {"query": {"type": "A"}},
    }


# --- into the store -------------------------------------------------------------------------------------

ROUND = "round"
"""Name under which a store remembers that a country had its round."""


def bring_round(
    store: Store, country: str, lines: Sequence[bytes], now: float, *, is_publisher: bool = True
) -> Ingested:
    """Store a round's records, judge them, detect, and remember that the round was made.

    Args:
        is_publisher: did the publisher itself answer?  Who names a mirror vouches for it.
    """
    provenance = Provenance.REAL if is_publisher else Provenance.IMPORTED
    with TemporaryDirectory(prefix="fanous-remote-") as folder:
        path = Path(folder) / "round.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        tally = ingest(store, NAME, [path], provenance=provenance)
    store.facts.put_pulled(NAME, country, [Pulled(ROUND, now, now, now)])
    return tally
