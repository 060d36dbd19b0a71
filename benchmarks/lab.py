"""How fast a lab comes up and goes down, cuts 200 networks, and moves bytes; needs root.

    python -m benchmarks.lab [NETWORKS]...

Up: until every resolver and server answers.  The rate is ten downloads at once over the border's delay.
"""

import asyncio
import resource
import sys
import time

from fanous.probe.net.http import HttpResponse, Request, exchange
from fanous.probe.net.tls import TLSStream, client_context
from fanous_lab.censors import Cut, apply
from fanous_lab.internet import Internet
from fanous_lab.plan import PUBLIC_RESOLVER, plan_of

FLOWS, EACH = 10, 20
"""Connections at once, and pages that each loads one after another."""


def main(sizes: list[int]) -> None:
    for size in sizes:
        began = time.perf_counter()
        with Internet(plan_of(size)) as internet:
            up = time.perf_counter() - began
            print(f"{size:4} networks up      {up:6.2f} s")
            for technique in ("sni_reset", "ip_blackhole", "dns_nxdomain", "outage_national"):
                began = time.perf_counter()
                undo = apply(internet, Cut(technique, targets=("x",)))
                cut = time.perf_counter() - began
                undo()
                print(f"     {technique:16} {cut:6.2f} s, undone {time.perf_counter() - began - cut:6.2f} s")
            if size == sizes[0]:
                print(f"     there and back   {_round_trip(internet) * 1000:6.1f} ms")
                print(
                    f"     rate             {asyncio.run(_rate(internet)) / 1e6:6.0f} Mbit/s, {FLOWS} flows"
                )
            began = time.perf_counter()
        print(f"     down             {time.perf_counter() - began:6.2f} s")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"memory of this process {used / 1024:.0f} MB")


def _round_trip(internet: Internet) -> float:
    network = internet.network(internet.vantage_points[0])

    async def connect() -> float:
        best = 1.0
        for _ in range(20):
            began = time.perf_counter()
            (await network.open_tcp(PUBLIC_RESOLVER, 443)).close()
            best = min(best, time.perf_counter() - began)
        return best

    return asyncio.run(connect())


async def _rate(internet: Internet) -> float:
    """Bits a second of pages over TLS, all flows together."""
    points, ip = internet.vantage_points, internet.addresses_of(["x.com"])[0]
    context = client_context((), str(internet.ca_file))

    async def load(number: int) -> int:
        network, size = internet.network(points[number % len(points)]), 0
        for _ in range(EACH):
            stream = TLSStream(await network.open_tcp(ip, 443), "x.com", context)
            await stream.handshake()
            page = HttpResponse(1 << 20)
            await exchange(stream, Request("x.com"), page)
            size += len(page.body)
            stream.close()
        return size

    began = time.perf_counter()
    sizes = await asyncio.gather(*(load(number) for number in range(FLOWS)))
    return sum(sizes) * 8 / (time.perf_counter() - began)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [2, 200])
