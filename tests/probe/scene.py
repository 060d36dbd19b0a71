"""A small internet on loopback: a site, resolvers, controls - and what a probe finds in it."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanous.probe.net.network import Meter
from fanous.probe.outcome import Outcome
from fanous.probe.run import RunReport, run
from fanous.probe.settings import Settings
from fanous.probe.trace import ProbeVantage
from tests.probe.net import servers
from tests.probe.net.authority import Authority
from tests.probe.net.routes import RoutedNetwork, Routes

SITE = "site.example"
SITE_IP, CONTROL_IP, DOH_IP, DOT_IP, RESOLVER_IP = (f"198.51.45.{n}" for n in (1, 2, 3, 4, 5))
"""Public by their number; the routes lead to loopback."""

SETTINGS = Settings(
    lookup_timeout=0.5,
    answers_window=0.1,
    connect_timeout=0.5,
    handshake_timeout=0.5,
    quic_timeout=0.3,
    page_timeout=0.5,
    endpoint_seconds=5.0,
    retry_delay=0.05,
    transfer_share=0.0,
    resolver=RESOLVER_IP,
    doh_url="https://doh.example/dns-query",
    doh_ip=DOH_IP,
    dot_name="dot.example",
    dot_ip=DOT_IP,
    controls=("https://control.example/",),
    anchors=(CONTROL_IP,),
    portal_urls=("http://portal.example/ok.txt success",),
)


@dataclass(slots=True)
class Scene:
    """The internet of one test."""

    authority: Authority
    stack: AsyncExitStack
    routes: Routes

    async def serve(
        self, name: str, ip: str, port: int, serve: servers.Serve, *, alpn: tuple[str, ...] = ()
    ) -> int:
        """Put a TLS server for ``name`` at an address; its port on loopback."""
        context = self.authority.context(name, alpn=alpn)
        return await self.put(ip, port, serve, context)

    async def put(self, ip: str, port: int, serve: servers.Serve, tls: Any = None) -> int:
        """Put any server at an address; its port on loopback."""
        local = await self.stack.enter_async_context(servers.tcp_server(serve, tls))
        self.routes.ports[ip, port] = local
        return local

    async def resolvers(self, address: str) -> None:
        """Public resolvers, which answer every name alike."""
        await self.serve("doh.example", DOH_IP, 443, servers.resolver_over_https(address))
        await self.serve("dot.example", DOT_IP, 853, servers.resolver_over_tls(address))
        self.routes.udp[RESOLVER_IP, 53] = await self.stack.enter_async_context(
            servers.udp_server(lambda question: [servers.dns_answer(question, address)])
        )

    async def control(self) -> None:
        """The known-good site, and the page of known text."""
        self.routes.names |= {"control.example": [CONTROL_IP], "portal.example": [CONTROL_IP]}
        await self.serve("control.example", CONTROL_IP, 443, servers.pages())
        await self.put(CONTROL_IP, 80, servers.pages({"/ok.txt": servers.response(b"success\n")}))

    def settings(self, **changes: Any) -> Settings:
        from msgspec.structs import replace

        return replace(SETTINGS, ca_file=str(self.authority.ca_file), **changes)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        yield Scene(Authority(folder), stack, Routes())


@dataclass(slots=True)
class Found:
    """What a run gave: the records as they were written, and the report."""

    records: list[dict[str, Any]]
    report: RunReport

    @property
    def outcome(self) -> Outcome:
        (only,) = self.report.outcomes
        return only

    @property
    def keys(self) -> dict[str, Any]:
        """Test keys of the last record."""
        keys: dict[str, Any] = self.records[-1]["test_keys"]
        return keys


async def measured(
    place: Scene,
    *urls: str,
    with_health: bool = False,
    settings: Settings | None = None,
    meter: Meter | None = None,
) -> Found:
    """Measure ``urls`` in the scene."""
    lines: list[bytes] = []
    network = RoutedNetwork(place.routes, meter)
    report = await run(
        network,
        settings or place.settings(),
        ProbeVantage("PK", 17557),
        urls,
        lines.append,
        with_health=with_health,
    )
    return Found([json.loads(one) for one in lines], report)
