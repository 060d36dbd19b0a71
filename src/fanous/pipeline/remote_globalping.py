"""Remote Globalping: a round within the hour's free tests, over HTTP and DNS."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from fanous.errors import FanousError, Rejected
from fanous.pipeline.remote_plan import RemotePlan, countries_with_most, plan_round
from fanous.sources.remote.globalping import AskedTarget, records
from fanous.sources.remote.globalping_api import DATACENTRE, EYEBALL, ListedVantagePoint, RemoteAnswer
from fanous.sources.remote.globalping_client import GlobalpingClient, OverLimit

RESERVE = 0.1
"""Share of the hour's tests left to others behind the same address."""


def plan(
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


def measure(client: GlobalpingClient, plan: RemotePlan, say: Callable[[str], None]) -> Iterator[bytes]:
    """The records of a round, one per line.

    Args:
        say: called with a sentence about anything that could not be obtained.

    Raises:
        FanousError: the control could not be measured, so nothing would count.
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


def _asked(
    client: GlobalpingClient, url: str, control: str, outside: str | list[dict[str, Any]]
) -> AskedTarget:
    """Order all four tests before waiting for the first answer, so that they run together."""
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


def _dns(url: str, locations: str | list[dict[str, Any]]) -> dict[str, Any]:
    """A look-up by the line's own resolver, which is the one that may lie."""
    return {
        "type": "dns",
        "target": urlsplit(url).hostname,
        "locations": locations,
        "measurementOptions": {"query": {"type": "A"}},
    }
