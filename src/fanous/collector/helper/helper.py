"""Helper: one question, one answer, within bounds of time, number and reach.

Follows ooni/probe-cli, internal/oohelperd/measure.go (``measure``) and handler.go (``ServeHTTP``,
``handlerShouldThrottleClient``).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult

from fanous.analysis.rules.addresses import is_bogon
from fanous.collector.helper.fetch import fetched
from fanous.collector.helper.plan import (
    VALID_FOR_DOMAIN,
    DnsResult,
    HelperAnswer,
    HelperQuestion,
    asked_of,
    endpoints_of,
    ip_infos,
    url_of,
)
from fanous.collector.helper.reach import Resolve, connected, looked_up, resolve
from fanous.collector.refusal import Refused

FOR_ALL, FOR_PROBES = 25, 50
"""Questions under way: below 25 anybody is served, below 50 probes alone, beyond that nobody."""

PROBES = ("ooniprobe-", "fanous-")
_TUNNELS = ip_network("2002::/16")
"""6to4 carries an IPv4 address, and so could carry a private one."""


@dataclass(frozen=True, slots=True)
class HelperPolicy:
    """Attributes:
    allow_private: also targets that are not on the public internet; only for a lab.
    resolve: name -> addresses.
    ca_file: authorities of a lab; empty = Mozilla's.
    asn_of: the network of an address; 0 = unknown.
    """

    allow_private: bool = False
    resolve: Resolve = resolve
    ca_file: str = ""
    asn_of: Callable[[str], int] = lambda _address: 0


class Helper:
    """Answers questions; holds nothing but the number under way."""

    def __init__(self, policy: HelperPolicy | None = None) -> None:
        self._policy = policy or HelperPolicy()
        self._under_way = 0

    async def answer(self, body: bytes, user_agent: str) -> HelperAnswer:
        """What the target looks like from here.

        Raises:
            Refused: it is no question, its target is not on the public internet, or too much is under way.
        """
        asked = asked_of(body)
        url = url_of(asked.http_request)
        self._refuse_private(url.hostname or "")
        if self._under_way >= (FOR_PROBES if user_agent.startswith(PROBES) else FOR_ALL):
            raise Refused(503, "too many questions under way: try again soon", retry_after=5)
        self._under_way += 1
        try:
            return await self._measure(asked, url)
        finally:
            self._under_way -= 1

    async def _measure(self, asked: HelperQuestion, url: SplitResult) -> HelperAnswer:
        host, ca_file = url.hostname or "", self._policy.ca_file
        dns = DnsResult() if _is_address(host) else await looked_up(host, self._policy.resolve)
        infos = ip_infos(asked, dns.addrs, self._is_private, self._policy.asn_of)
        endpoints = endpoints_of(url, infos)
        page, reached = await asyncio.gather(
            fetched(asked.http_request, asked.http_request_headers, self._resolve, self._is_private, ca_file),
            asyncio.gather(*(connected(endpoint, host, ca_file) for endpoint in endpoints)),
        )
        answer = HelperAnswer({}, {}, {}, page, dns, infos)
        for endpoint, (tcp, tls) in zip(endpoints, reached, strict=True):
            answer.tcp_connect[str(endpoint)] = tcp
            if tls is not None:
                answer.tls_handshake[str(endpoint)] = tls
                infos[endpoint.address].flags |= VALID_FOR_DOMAIN if tls.failure is None else 0
        return answer

    async def _resolve(self, host: str) -> list[str]:
        return [host] if _is_address(host) else await self._policy.resolve(host)

    def _refuse_private(self, host: str) -> None:
        if _is_address(host) and self._is_private(host):
            raise Refused(400, "the target is not on the public internet: this helper does not connect to it")

    def _is_private(self, address: str) -> bool:
        return not self._policy.allow_private and is_private(address)


def is_private(address: str) -> bool:
    """Is it anything but an address on the public internet?"""
    try:
        parsed = ip_address(address)
    except ValueError:
        return True
    if isinstance(parsed, IPv6Address) and parsed in _TUNNELS:
        return True
    return is_bogon(address)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
