"""Remote Atlas: a round of look-ups and TLS handshakes from RIPE Atlas probes, with a key, within a budget of credits.

All measurements of a round are two orders: one to the probes in the country, the control target first, and one to
anchors elsewhere.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fanous.errors import FanousError, Rejected
from fanous.pipeline.remote_plan import RemotePlan, countries_with_most, plan_round
from fanous.refdata.users import user_weights
from fanous.sources.remote.atlas_api import AtlasVantagePoint
from fanous.sources.remote.atlas_client import AtlasClient
from fanous.sources.remote.atlas_measurements import AtlasAnswers, atlas_records

CREDITS = 20
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
        budget // CREDITS,
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
        [_sslcert(plan.round.control), *(kind(url) for url in urls for kind in (_sslcert, _dns))], here
    )
    there = _order_elsewhere(client, urls, anchors, say)
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


def _order_elsewhere(
    client: AtlasClient, urls: Sequence[str], anchors: Sequence[int], say: Callable[[str], None]
) -> list[int]:
    if not anchors:
        return []
    try:
        return client.order([kind(url) for url in urls for kind in (_sslcert, _dns)], anchors)
    except FanousError as error:
        say(f"elsewhere: {error}")
        return []


def _sslcert(url: str) -> dict[str, Any]:
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


def _dns(url: str) -> dict[str, Any]:
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
