"""By address: a censor that knows a target's addresses, and cuts traffic to them."""

from fanous_lab.censors.cut import FREEZE_BYTES, Strike, Undo
from fanous_lab.censors.firewall import Rules, address_of, for_each, in_hello, of_version, on_routers
from fanous_lab.plan import DOH_HOST, DOH_RESOLVER, VantagePoint
from fanous_lab.space import run_in

TABLE = 1000
"""First of the routing tables that cuts use; routers have no table with this number themselves."""


def blackhole(strike: Strike) -> Undo:
    """Null routes, in a table used only for the vantage points that are hit: packets vanish."""
    table = TABLE + strike.number

    def lines(points: list[VantagePoint], version: int, do: str) -> list[str]:
        routes = [
            f"route {do} blackhole {prefix} table {table}" for prefix in of_version(strike.addresses, version)
        ]
        rules = [
            f"{'-6 ' if version == 6 else ''}rule {do} from {address_of(point, version)} lookup {table}"
            for point in points
        ]
        return routes + rules

    def change(do: str) -> None:
        for_each(
            [
                (router, lines(points, version, do), version)
                for router, points in strike.by_router().items()
                for version in strike.versions
            ],
            lambda place: ip_batch(*place),
        )

    change("add")
    return lambda: change("del")


def ip_batch(namespace: str, lines: list[str], version: int = 4) -> None:
    words = [line.removeprefix("-6 ") for line in lines]
    run_in(namespace, ["ip", *(["-6"] if version == 6 else []), "-batch", "-"], "\n".join(words))


def unreachable(strike: Strike) -> Undo:
    """Every packet to the address is answered by "host unreachable".

    It is a rule and not an ``unreachable`` route, because for such a route Linux answers each host at most
    once a second after the first five times, whatever its namespace's settings: the sixth step of a check would
    meet silence.
    """

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        answer = "icmp-host-unreachable" if version == 4 else "icmp6-addr-unreachable"
        there = _towards_targets(strike, points, version)
        return [Rules([f"{match} -j REJECT --reject-with {answer}" for match in there])]

    return on_routers(strike, rules)


def reset(strike: Strike) -> Undo:
    """Every TCP packet to the address is answered by a reset; datagrams vanish."""

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        lines = []
        for there in _towards_targets(strike, points, version):
            lines.append(f"{there} -p tcp -j REJECT --reject-with tcp-reset")
            lines.append(f"{there} -p udp -j DROP")
        return [Rules(lines)]

    return on_routers(strike, rules)


def drop_quic(strike: Strike) -> Undo:
    """No QUIC at all: datagrams to port 443 vanish."""
    return on_routers(
        strike,
        lambda points, version: [
            Rules([f"-s {address_of(point, version)} -p udp --dport 443 -j DROP" for point in points])
        ],
    )


def drop_quic_of_target(strike: Strike) -> Undo:
    """No QUIC to the targets' addresses."""
    return on_routers(
        strike,
        lambda points, version: [
            Rules(
                [f"{there} -p udp --dport 443 -j DROP" for there in _towards_targets(strike, points, version)]
            )
        ],
    )


LEAST_INITIAL = 1001
"""Bytes of a datagram from which Russia's boxes drop QUIC of version 1: Xue et al., TSPU: Russia's Decentralized
Censorship System, IMC 2022, section 5.2."""

HEADERS = {4: 20 + 8, 6: 40 + 8}
"""Bytes of an IP header without options, and of UDP's."""


def drop_quic_version(strike: Strike) -> Undo:
    """No QUIC of version 1: long headers with this version vanish, so other versions and pings still pass."""

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        head = HEADERS[version]
        least = LEAST_INITIAL + (head if version == 4 else HEADERS[6] - 40)
        asks = f"-m string --algo kmp --hex-string |00000001| --from {head + 1} --to {head + 5}"
        return [
            Rules(
                [
                    f"-s {address_of(point, version)} -p udp --dport 443 -m length --length {least}: {asks} -j DROP"
                    for point in points
                ]
            )
        ]

    return on_routers(strike, rules)


def freeze(strike: Strike) -> Undo:
    """What the targets' addresses send stops after so many bytes of a connection, whatever name it carries, without a
    reset or any other sign."""
    counted = f"-m connbytes --connbytes {FREEZE_BYTES}: --connbytes-dir reply --connbytes-mode bytes"

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        return [
            Rules(
                [
                    f"-s {address} -d {address_of(point, version)} {counted} -j DROP"
                    for point in points
                    for address in of_version(strike.addresses, version)
                ]
            )
        ]

    return on_routers(strike, rules)


def _towards_targets(strike: Strike, points: list[VantagePoint], version: int) -> list[str]:
    """What a rule matches: from each vantage point to each of the targets' addresses."""
    return [
        f"-s {address_of(point, version)} -d {address}"
        for point in points
        for address in of_version(strike.addresses, version)
    ]


def block_encrypted_dns(strike: Strike) -> Undo:
    """DNS over TLS by its port, DNS over HTTPS by the resolver's name."""

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        lines = []
        for point in points:
            source = f"-s {address_of(point, version)}"
            lines += [f"{source} -p {protocol} --dport 853 -j DROP" for protocol in ("tcp", "udp")]
            lines.append(f"{source} -p tcp --dport 443 {in_hello(DOH_HOST)} -j DROP")
            if version == 4:
                lines.append(f"{source} -d {DOH_RESOLVER} -p udp --dport 443 -j DROP")
        return [Rules(lines)]

    return on_routers(strike, rules)
