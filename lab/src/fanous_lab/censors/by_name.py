"""By name: a censor that acts on the server name in a TLS handshake, or on the name in a DNS query."""

from collections.abc import Callable

from fanous_lab.censors.cut import FREEZE_BYTES, Strike, Undo
from fanous_lab.censors.firewall import Rules, address_of, in_hello, in_request, on_routers
from fanous_lab.packets import NXDOMAIN
from fanous_lab.plan import BLOCK_PAGE_ADDRESS, HOME_V6, VantagePoint

LOSS = 0.4
"""Share of packets that ``sni_loss`` drops: most handshakes still succeed, and every transfer crawls."""


def hellos(strike: Strike, points: list[VantagePoint], version: int) -> list[str]:
    """Matches for handshakes that name a target, from each vantage point."""
    return [
        f"-s {address_of(point, version)} -p tcp --dport 443 {in_hello(host)}"
        for point in points
        for host in strike.hosts
    ]


def reset(strike: Strike) -> Undo:
    """In path: the handshake never arrives, the client is reset."""
    return _on_hello(strike, lambda _version: "REJECT --reject-with tcp-reset")


def _on_hello(strike: Strike, verdict: Callable[[int], str]) -> Undo:
    return on_routers(
        strike,
        lambda points, version: [
            Rules([f"{hello} -j {verdict(version)}" for hello in hellos(strike, points, version)])
        ],
    )


def reset_request(strike: Strike) -> Undo:
    """In path: a plain request whose ``Host`` names the target never arrives, and the client is reset.

    So do some of India's providers (Yadav et al., Where The Light Gets In, IMC 2018) and Turkmenistan (Nourin et al.,
    Measuring and Evading Turkmenistan's Internet Censorship, WWW 2023).
    """

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        asks = [f"-p tcp --dport 80 {in_request(host)}" for host in strike.hosts]
        sources = [address_of(point, version) for point in points]
        return [Rules([f"-s {s} {ask} -j REJECT --reject-with tcp-reset" for s in sources for ask in asks])]

    return on_routers(strike, rules)


def marked(strike: Strike) -> str:
    return f"-m connmark --mark {strike.bit:#x}/{strike.bit:#x}"


def marking(strike: Strike, points: list[VantagePoint], version: int) -> list[str]:
    """Rules that mark connections whose handshake names a target."""
    return [
        f"{hello} -j CONNMARK --set-xmark {strike.bit:#x}/{strike.bit:#x}"
        for hello in hellos(strike, points, version)
    ]


def on_marked(strike: Strike, *verdicts: str) -> Undo:
    """Mark connections by name, and apply ``verdicts`` to all their packets, including the first."""

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        lines = [f"{marked(strike)} {verdict}" for verdict in verdicts]
        return [Rules([*marking(strike, points, version), *lines])]

    return on_routers(strike, rules)


def drop(strike: Strike) -> Undo:
    """From the handshake on the connection is silent in both directions."""
    return on_marked(strike, "-j DROP")


def lose(strike: Strike) -> Undo:
    return on_marked(strike, f"-m statistic --mode random --probability {LOSS} -j DROP")


def freeze(strike: Strike) -> Undo:
    """The server's data stop after so many bytes, without a reset or any other sign."""
    counted = f"-m connbytes --connbytes {FREEZE_BYTES}: --connbytes-dir reply --connbytes-mode bytes"
    return on_marked(strike, f"{counted} -j DROP")


def police(strike: Strike) -> Undo:
    """A policer for each connection: packets above the rate are dropped, except for a first burst."""
    return on_marked(strike, f"{_above(strike)} -j DROP")


BURST_BYTES = 24_000
"""Size of the policer's bucket: a small page passes whole.  Never less than a second's worth, which xt_hashlimit
refuses."""


def _above(strike: Strike) -> str:
    bytes_per_second = round(strike.cut.rate_kbps * 1000 / 8)
    return (
        f"-m conntrack --ctdir REPLY -m hashlimit --hashlimit-name {strike.identity} "
        f"--hashlimit-above {bytes_per_second}b/s --hashlimit-burst {max(BURST_BYTES, bytes_per_second)}b "
        "--hashlimit-mode srcip,srcport,dstip,dstport"
    )


def residual(strike: Strike) -> Undo:
    """The handshake is dropped and, for a while, so is everything between that client and that address."""

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        lines = []
        for point in points:
            lists = f"-m recent --name {strike.identity}-{point.link}-{version} --rdest"
            source = f"-s {address_of(point, version)}"
            lines.append(f"{source} {lists} --rcheck --seconds {strike.cut.residual_seconds} -j DROP")
            lines += [f"{hello} {lists} --set -j DROP" for hello in hellos(strike, [point], version)]
        return [Rules(lines)]

    return on_routers(strike, rules)


BOGON, BOGON6 = "10.10.34.36", "fd00::10:10:34:36"
"""Private addresses; the first has been reported from Iran's resolvers."""


def deny(strike: Strike) -> Undo:
    return _lie(strike, NXDOMAIN)


def give_bogon(strike: Strike) -> Undo:
    return _lie(strike, [BOGON, BOGON6])


def give_block_page(strike: Strike) -> Undo:
    """The address of a server that shows a block page over HTTP."""
    return _lie(strike, [BLOCK_PAGE_ADDRESS, f"{HOME_V6}::66"])


def _lie(strike: Strike, answer: list[str] | int) -> Undo:
    """Lie to the vantage points that are hit; if they are all of a provider's, to everyone who asks."""
    told = [
        {
            "namespace": router,
            "clients": []
            if strike.is_whole(router)
            else [a for point in points for a in (point.address, point.address6) if a],
        }
        for router, points in strike.by_router().items()
    ]
    order = {"do": "lie", "cut": strike.identity, "hosts": strike.hosts, "answer": answer}
    strike.internet.tell_dns(order | {"resolvers": told})
    return lambda: strike.internet.tell_dns({"do": "truth", "cut": strike.identity})
