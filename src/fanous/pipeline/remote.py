"""Remote: one round of measurements from other people's vantage points, from plan to store.

Every vantage point of the round measures the control target and each target, with a look-up; the same is measured
from elsewhere.  Targets that do not fit are left out by name, and take turns, so that each has its round.  Nothing is
measured more often during an event: the lines are other people's.

Globalping's round stays within the hour's free tests, over HTTP and DNS.  RIPE Atlas' round is look-ups and TLS
handshakes, with a key and within a budget of credits, in two orders: one to the probes in the country, the control
target first, and one to anchors elsewhere.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fanous.base.confine import Grant
from fanous.errors import FanousError, Rejected
from fanous.model.measurement import Provenance
from fanous.pipeline.call import decoded, encoded
from fanous.pipeline.ingest import ingest
from fanous.pipeline.judge import Ingested
from fanous.pipeline.reader import Send, asking
from fanous.probe.consent import check_country
from fanous.refdata.platforms import target_of
from fanous.refdata.targets import target_list
from fanous.refdata.users import user_weights
from fanous.sources.publishers import SOURCES, SourceSettings
from fanous.sources.remote.atlas_measurements import NAME as ATLAS
from fanous.sources.remote.atlas_measurements import (
    AtlasAnswers,
    AtlasVantagePoint,
    atlas_records,
    authorities_file,
)
from fanous.sources.remote.client import (
    AtlasClient,
    Exchange,
    GlobalpingClient,
    OverLimit,
    RemoteRequest,
    RemoteResponse,
    RemoteServer,
)
from fanous.sources.remote.globalping import (
    DATACENTRE,
    EYEBALL,
    AskedTarget,
    ListedVantagePoint,
    RemoteAnswer,
    records,
)
from fanous.store.protocol import Store
from fanous.store.series import Pulled

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


class RoundStep(NamedTuple):
    """What a round has come to: its plan, then records and sentences about what could not be obtained.

    Attributes:
        plan: sent before anything is ordered; ``None`` = this is another step.
        record: a line; empty = this is another step.
    """

    plan: RemotePlan | None = None
    record: bytes = b""
    left_out: str = ""


def one_round(
    source: str,
    settings: SourceSettings,
    country: str,
    urls: Sequence[str],
    turn: int,
    say: Callable[[str], None],
    on_plan: Callable[[RemotePlan], None] = lambda _: None,
) -> Iterator[bytes]:
    """The records of one round, one per line; arguments as for ``plan_round``.

    What the service answers is read in a confined process, which asks this one for each request.

    Args:
        say: called with a sentence about anything that could not be obtained.
        on_plan: called before anything is ordered.

    Raises:
        FanousError: nothing may be measured, or nothing could be.
    """
    check_consent(source, settings)
    check_country(country)
    authorities = authorities_file()
    with RemoteServer(source, settings.mirror, key_of(source, settings)) as server:
        for step in asking(
            RoundStep,
            play_round,
            encoded_answers(server),
            *(source, country, tuple(urls), turn, settings.credits, authorities),
            about=f"the answers of {source}",
            wanted=RemoteRequest,
            grant=Grant(reads=(authorities,)),
        ):
            if step.plan is not None:
                on_plan(step.plan)
            elif step.record:
                yield step.record
            else:
                say(step.left_out)


def encoded_answers(server: RemoteServer) -> Callable[[RemoteRequest], bytes]:
    """What a confined process gets for its requests."""
    return lambda request: encoded(server.answer(request))


def exchange_by(get: Callable[[RemoteRequest], bytes]) -> Exchange:
    """The same in that process."""
    return lambda request: decoded(get(request), RemoteResponse)


def play_round(
    get: Callable[[RemoteRequest], bytes],
    send: Send[RoundStep],
    source: str,
    country: str,
    urls: Sequence[str],
    turn: int,
    budget: int,
    authorities: Path,
) -> None:
    """See ``one_round``; for a confined process, whose environment names no authorities."""
    os.environ["SSL_CERT_FILE"] = str(authorities)

    def say(sentence: str) -> None:
        send(RoundStep(left_out=sentence))

    exchange = exchange_by(get)
    if source == ATLAS:
        atlas = AtlasClient(exchange)
        listed, anchors = atlas.probes(country_code=country), atlas.probes(is_anchor="true")
        wanted = plan_atlas(country, urls, listed, anchors, budget, turn)
        send(RoundStep(wanted.round))
        lines = measure_atlas(atlas, wanted, say)
    else:
        globalping = GlobalpingClient(exchange)
        planned = plan_globalping(country, urls, globalping.probes(), budget_of(globalping), turn)
        send(RoundStep(planned))
        lines = measure_globalping(globalping, planned, say)
    for line in lines:
        send(RoundStep(record=line))


def check_consent(source: str, settings: SourceSettings) -> None:
    """Raises:
    FanousError: the operator has not accepted the consequences for other people.
    """
    told = SOURCES[source].consent
    if told and not settings.consent:
        raise FanousError(f"[sources.{source}] consent: {told}; if you accept that, set consent = true")


def key_of(source: str, settings: SourceSettings) -> str:
    """The key, if the settings name one.

    Raises:
        FanousError: the variable that they name is empty.
    """
    if not settings.token:
        return ""
    key = os.environ.get(settings.token, "").strip()
    if not key:
        raise FanousError(f"[sources.{source}] token: set the environment variable {settings.token}")
    return key


ROUND = "round"
"""Name under which a store remembers a country's round."""


def begin_round(store: Store, source: str, country: str, now: float) -> None:
    """Remember that a round was made.

    Done before anything is ordered: a monitor that dies in the middle must not ask the same lines again at its next
    start.
    """
    store.facts.put_pulled(source, country, [Pulled(ROUND, now, now, now)])


def bring_round(
    store: Store, source: str, country: str, lines: Sequence[bytes], now: float, *, is_publisher: bool = True
) -> Ingested:
    """Store a round's records, judge them, detect, and remember that the round was made.

    Args:
        is_publisher: did the publisher itself answer?  A mirror is vouched for by the operator who names it.
    """
    provenance = Provenance.REAL if is_publisher else Provenance.IMPORTED
    with TemporaryDirectory(prefix="fanous-remote-") as folder:
        path = Path(folder) / "round.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        tally = ingest(store, source, [path], provenance=provenance)
    begin_round(store, source, country, now)
    return tally


# --- Globalping ---------------------------------------------------------------------------------------------

RESERVE = 0.1
"""Share of the hour's tests left to others behind the same address."""


def plan_globalping(
    country: str, urls: Sequence[str], listed: Sequence[ListedVantagePoint], budget: int, turn: int = 0
) -> RemotePlan:
    """What a round asks; arguments and errors as for ``plan_round``.

    Args:
        listed: vantage points that are online.
    """
    elsewhere = countries_with_most(
        (one.location.country for one in listed if DATACENTRE in one.tags), country
    )
    return plan_round(
        country, urls, lines_of_users(country, listed), elsewhere, budget, turn, whose="Globalping"
    )


def lines_of_users(country: str, listed: Sequence[ListedVantagePoint]) -> list[int]:
    """ASN of each vantage point on a user's line in the country."""
    return [
        one.location.asn
        for one in listed
        if one.location.country == country and EYEBALL in one.tags and DATACENTRE not in one.tags
    ]


def budget_of(client: GlobalpingClient) -> int:
    """Tests that a round may cost now."""
    limits = client.limits()
    return max(0, limits.remaining - int(RESERVE * limits.limit))


def measure_globalping(
    client: GlobalpingClient, plan: RemotePlan, say: Callable[[str], None]
) -> Iterator[bytes]:
    """The records of a round, one per line.

    Args:
        say: called with a sentence about anything that could not be obtained.

    Raises:
        FanousError: the control could not be measured, so nothing would count.
    """
    control = client.answer(client.order(_globalping_http(plan.control, _here(plan))))
    outside: str | list[dict[str, Any]] = [
        {"country": code, "tags": [DATACENTRE], "limit": 1} for code in plan.elsewhere
    ]
    for number, url in enumerate(plan.urls):
        try:
            asked = _globalping_asked(client, url, control.id, outside)
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


def _globalping_asked(
    client: GlobalpingClient, url: str, control: str, outside: str | list[dict[str, Any]]
) -> AskedTarget:
    """Order all four tests before waiting for the first answer, so that they run together."""
    here = [client.order(_globalping_http(url, control)), client.order(_globalping_dns(url, control))]
    there = (
        [client.order(question(url, outside)) for question in (_globalping_http, _globalping_dns)]
        if outside
        else []
    )
    found: list[RemoteAnswer] = [client.answer(one) for one in (*here, *there)]
    return AskedTarget(url, *found)


def _here(plan: RemotePlan) -> list[dict[str, Any]]:
    return [
        {"country": plan.country, "asn": asn, "tags": [EYEBALL], "limit": count}
        for asn, count in plan.networks
    ]


def _globalping_http(url: str, locations: str | list[dict[str, Any]]) -> dict[str, Any]:
    """A GET, so that a block page is seen: a HEAD would return only headers."""
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


def _globalping_dns(url: str, locations: str | list[dict[str, Any]]) -> dict[str, Any]:
    """A look-up by the line's own resolver, which is the one that may lie."""
    return {
        "type": "dns",
        "target": urlsplit(url).hostname,
        "locations": locations,
        "measurementOptions": {"query": {"type": "A"}},
    }


# --- RIPE Atlas ---------------------------------------------------------------------------------------------

ATLAS_CREDITS = 20
"""Cost of one result: 10 for a look-up or a handshake, doubled for a one-off measurement
(supabase/atlasctl at commit 302d3abb, ``README.md``, after RIPE Atlas' documentation)."""

HOME = "home"
HOSTED = frozenset(
    {"datacentre", "datacenter", "data-centre", "data-center", "hosting", "cloud", "vps", "system-anchor"}
)
"""Tags of hosted probes, set by their hosts or by the system."""


@dataclass(frozen=True, slots=True)
class AtlasPlan:
    """A round, and the RIPE Atlas probes that take part in it.

    Attributes:
        here: probes on users' lines.
        anchors: one in each country elsewhere.
    """

    round: RemotePlan
    here: tuple[AtlasVantagePoint, ...]
    anchors: tuple[AtlasVantagePoint, ...]


def plan_atlas(
    country: str,
    urls: Sequence[str],
    listed: Sequence[AtlasVantagePoint],
    anchors: Sequence[AtlasVantagePoint],
    budget: int,
    turn: int = 0,
) -> AtlasPlan:
    """What a round asks; arguments and errors as for ``plan_round``.

    Args:
        listed: the country's connected probes.
        anchors: connected anchors, in any country.
        budget: credits that the round may cost.
    """
    users = probes_of_users(country, listed)
    elsewhere = countries_with_most((one.country_code for one in anchors), country)
    planned = plan_round(
        country,
        urls,
        [one.asn_v4 or 0 for one in users],
        elsewhere,
        budget // ATLAS_CREDITS,
        turn,
        whose="RIPE Atlas",
    )
    wanted = Counter(dict(planned.networks))
    here = []
    for one in sorted(users, key=lambda probe: probe.id):
        if wanted[one.asn_v4 or 0]:
            wanted[one.asn_v4 or 0] -= 1
            here.append(one)
    first = {one.country_code: one for one in sorted(anchors, key=lambda probe: -probe.id)}
    return AtlasPlan(planned, tuple(here), tuple(first[code] for code in elsewhere))


def probes_of_users(country: str, listed: Sequence[AtlasVantagePoint]) -> list[AtlasVantagePoint]:
    """Probes on users' lines: in someone's home, or in a network with known users, and not hosted elsewhere."""
    weights = user_weights(country)
    networks = {network.asn for network in weights.networks} if weights else set()
    return [
        one
        for one in listed
        if one.country_code == country
        and one.asn_v4
        and not one.is_anchor
        and not one.slugs & HOSTED
        and (HOME in one.slugs or one.asn_v4 in networks)
    ]


def measure_atlas(client: AtlasClient, plan: AtlasPlan, say: Callable[[str], None]) -> Iterator[bytes]:
    """The records of a round, one per line.

    Args:
        say: called with a sentence about anything that could not be obtained.

    Raises:
        FanousError: nothing could be ordered, or the control's results are not available.
    """
    urls = plan.round.urls
    here = [one.id for one in plan.here]
    anchors = [one.id for one in plan.anchors]
    control, *asked = client.order(
        [
            _atlas_sslcert(plan.round.control),
            *(kind(url) for url in urls for kind in (_atlas_sslcert, _atlas_dns)),
        ],
        here,
    )
    there = _atlas_elsewhere(client, urls, anchors, say)
    client.wait([control, *asked], len(here))
    client.wait(there, len(anchors))
    beside = AtlasAnswers(plan.round.control, client.handshakes(control), measurements=(control, 0))
    for number, url in enumerate(urls):
        handshakes, lookups = asked[2 * number : 2 * number + 2]
        try:
            answers = AtlasAnswers(
                url,
                client.handshakes(handshakes),
                client.lookups(lookups),
                client.handshakes(there[2 * number]) if there else {},
                client.lookups(there[2 * number + 1]) if there else {},
                (handshakes, lookups),
            )
            yield from atlas_records(answers, beside, plan.here, plan.anchors)
        except (FanousError, Rejected) as error:
            say(f"{url}: {error}")


def _atlas_elsewhere(
    client: AtlasClient, urls: Sequence[str], anchors: Sequence[int], say: Callable[[str], None]
) -> list[int]:
    if not anchors:
        return []
    try:
        return client.order([kind(url) for url in urls for kind in (_atlas_sslcert, _atlas_dns)], anchors)
    except FanousError as error:
        say(f"elsewhere: {error}")
        return []


def _atlas_sslcert(url: str) -> dict[str, Any]:
    """A handshake with the target's name, at an address that the probe itself looks up."""
    parts = urlsplit(url)
    return {
        "type": "sslcert",
        "af": 4,
        "description": f"TLS certificate of {parts.hostname}",
        "target": parts.hostname,
        "hostname": parts.hostname,
        "port": parts.port or 443,
        "resolve_on_probe": True,
    }


def _atlas_dns(url: str) -> dict[str, Any]:
    """A look-up by the line's own resolvers, which are the ones that may lie."""
    host = urlsplit(url).hostname
    return {
        "type": "dns",
        "af": 4,
        "description": f"addresses of {host}",
        "query_class": "IN",
        "query_type": "A",
        "query_argument": host,
        "use_probe_resolver": True,
        "set_rd_bit": True,
    }
