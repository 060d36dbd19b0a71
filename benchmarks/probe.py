"""Full bundles a second: probe on one core, a site and its resolvers on another, all of loopback.

``python -m benchmarks.probe [bundles] [at once]``.  What is counted: one URL from the look-ups (system, UDP
with its window of two seconds, DoH, DoT) over the control handshake, the handshake, the page, the record and
its verdict; then the same of a site that also speaks QUIC, with the ping and both handshakes.  Downloads are
left out: their cost is their bytes.  *Per core* is the processor time of the probe alone; *by the clock*
includes the window.  The resident size includes what this benchmark itself imports.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import certifi
from aioquic.asyncio.server import serve as serve_quic
from aioquic.quic.configuration import QuicConfiguration
from msgspec.structs import replace
from tests.probe.net import servers
from tests.probe.net.authority import Authority
from tests.probe.net.routes import RoutedNetwork, Routes
from tests.probe.scene import DOH_IP, DOT_IP, RESOLVER_IP, SETTINGS, SITE, SITE_IP

from fanous.probe.run import run
from fanous.probe.settings import Settings
from fanous.probe.trace import ProbeVantage

REAL = Settings()


async def serve(folder: Path) -> None:
    """The site and its resolvers; prints their ports, then serves until it is killed."""
    authority = Authority(folder)
    # In addition to Mozilla's: QUIC's state machine reads all authorities anew for each handshake.
    with authority.ca_file.open("ab") as known:
        known.write(Path(certifi.where()).read_bytes())
    async with AsyncExitStack() as stack:
        ports = [
            await stack.enter_async_context(servers.tcp_server(serve_one, authority.context(name)))
            for name, serve_one in (
                (SITE, servers.pages()),
                ("doh.example", servers.resolver_over_https(SITE_IP)),
                ("dot.example", servers.resolver_over_tls(SITE_IP)),
            )
        ]
        ports.append(
            await stack.enter_async_context(servers.udp_server(lambda q: [servers.dns_answer(q, SITE_IP)]))
        )
        quic = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
        quic.load_cert_chain(*authority.files(SITE))
        speaks = await serve_quic("127.0.0.1", 0, configuration=quic)
        transport = speaks._transport
        assert transport is not None
        ports.append(transport.get_extra_info("sockname")[1])
        print(*ports, flush=True)
        await asyncio.Event().wait()


def measure(routes: Routes, settings: Settings, count: int, what: str) -> None:
    """Measure ``count`` URLs of the site, and print how fast that went."""
    urls = [f"https://{SITE}/{number}" for number in range(count)]
    size = list[int]()
    network = RoutedNetwork(routes)
    vantage = ProbeVantage("PK", 17557)
    clock, cpu = time.monotonic(), time.process_time()
    report = asyncio.run(
        run(network, settings, vantage, urls, lambda one: size.append(len(one)), with_health=False)
    )
    clock, cpu = time.monotonic() - clock, time.process_time() - cpu
    fine = sum(outcome.state == "ok" for outcome in report.outcomes)
    quic = sum(outcome.layers.get("quic") == "ok" for outcome in report.outcomes)
    print(
        f"{what}: {count} bundles, {fine} ok, {quic} by QUIC too, {sum(size) / count:.0f} bytes each: "
        f"{count / cpu:.0f} a second and core, "
        f"{count / clock:.0f} a second by the clock with {settings.at_once} at once; "
        f"largest resident size so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    at_once = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.probe", "serve", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            site, doh, dot, udp, quic = map(int, server.stdout.readline().split())
            routes = Routes(
                {SITE: [SITE_IP]},
                {(SITE_IP, 443): site, (DOH_IP, 443): doh, (DOT_IP, 853): dot},
                {(RESOLVER_IP, 53): udp},
            )
            settings = replace(
                SETTINGS,
                ca_file=str(Path(folder) / "ca.pem"),
                at_once=at_once,
                answers_window=REAL.answers_window,
                lookup_timeout=REAL.lookup_timeout,
                connect_timeout=REAL.connect_timeout,
                handshake_timeout=REAL.handshake_timeout,
                quic_timeout=REAL.quic_timeout,
                page_timeout=REAL.page_timeout,
                endpoint_seconds=REAL.endpoint_seconds,
            )
            measure(routes, settings, 20, "warm-up")  # imports, fingerprints and contexts are loaded once
            measure(routes, settings, count, "without QUIC")
            routes.udp[SITE_IP, 443] = quic
            measure(routes, settings, 20, "warm-up")
            measure(routes, settings, count, "with QUIC")
            server.kill()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        main()
