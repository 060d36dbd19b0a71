"""Facebook Messenger (ooni/spec ts-019): its hosts looked up, and connected to.

An address is Meta's if it is in a range that Meta announces; ``None`` in ``..._dns_consistent`` = the name
has someone else's address, which may be a cache inside the provider's network.
"""

import asyncio

from fanous.probe import dns
from fanous.probe.messengers.messenger import Messenger, host_connects
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, Trace
from fanous.refdata.platforms import platform_of_ip

STUN = "stun.fbsbx.com"
"""Only looked up, because it speaks UDP."""

HOSTS = {
    "b_api": "b-api.facebook.com",
    "b_graph": "b-graph.facebook.com",
    "edge": "edge-mqtt.facebook.com",
    "external_cdn": "external.xx.fbcdn.net",
    "scontent_cdn": "scontent.xx.fbcdn.net",
    "star": "star.c10r.facebook.com",
}
"""Name in the keys -> host."""

PORT = (443,)


async def _attempt(trace: Trace, settings: Settings) -> Entry:
    made, _ = await asyncio.gather(
        asyncio.gather(*(host_connects(trace, settings, host, PORT) for host in HOSTS.values())),
        dns.by_system(trace, settings, STUN),
    )
    keys: Entry = {"facebook_stun_dns_consistent": _consistent(trace, STUN), "facebook_stun_reachable": None}
    for (name, host), reached in zip(HOSTS.items(), made, strict=True):
        keys[f"facebook_{name}_dns_consistent"] = _consistent(trace, host)
        keys[f"facebook_{name}_reachable"] = reached
    consistent = [value for key, value in keys.items() if key.endswith("_consistent")]
    return keys | {"facebook_dns_blocking": False in consistent, "facebook_tcp_blocking": False in made}


def _consistent(trace: Trace, host: str) -> bool | None:
    own = [query for query in trace.queries if query["hostname"] == host]
    found = [answer.get("ipv4") or answer["ipv6"] for query in own for answer in query["answers"]]
    if not found:
        return False
    return True if any(platform_of_ip(ip) == "facebook" for ip in found) else None


MESSENGER = Messenger("facebook_messenger", "0.2.1", _attempt)
