"""In path: techniques that need a program on the path of packets, to read traffic or to stand in between."""

from collections.abc import Callable

from fanous.errors import FanousError
from fanous_lab.censors.by_name import BOGON, BOGON6, hellos, marked
from fanous_lab.censors.cut import Strike, Undo
from fanous_lab.censors.firewall import (
    Rules,
    RulesOf,
    address_of,
    in_question,
    in_request,
    of_version,
    on_routers,
)
from fanous_lab.censors.slow import crowd
from fanous_lab.plan import VantagePoint

SLOW_SECONDS = 3.0
"""How long ``sni_slow_handshake`` holds a ClientHello: in Türkiye in 2023, handshakes went from 70 ms to over 3 s."""

FIRST_QUEUE = 100
"""Queues are numbered by cut, above those of the lab itself."""

FIRST_PORT = 20_000


def _put(
    strike: Strike,
    kind: str,
    options: dict[str, object],
    clients_of: Callable[[Strike, list[VantagePoint]], list[str]] | None = None,
) -> Undo:
    """Put boxes of one kind into the routers of all vantage points that are hit.

    Args:
        clients_of: the addresses that a box must know; ``None`` = none.
    """
    places = []
    for router, points in strike.by_router().items():
        own = {"clients": clients_of(strike, points)} if clients_of else {}
        places.append(
            {
                "namespace": router,
                "uplink": "uplink",
                "queue": _queue(strike),
                "options": options | own,
            }
        )
    strike.internet.tell_middlebox({"do": "put", "cut": strike.identity, "kind": kind, "places": places})
    return lambda: strike.internet.tell_middlebox({"do": "take", "cut": strike.identity})


def _users(_strike: Strike, points: list[VantagePoint]) -> list[str]:
    return [a for point in points for a in (point.address, point.address6) if a]


def _askers(strike: Strike, points: list[VantagePoint]) -> list[str]:
    """The users, and the provider's resolver if the whole provider is hit."""
    resolver = (points[0].resolver, points[0].resolver6) if strike.is_whole(points[0].router) else ()
    return _users(strike, points) + [a for a in resolver if a]


def _queue(strike: Strike) -> int:
    return FIRST_QUEUE + strike.number


def _with_rules(strike: Strike, take: Undo, rules: RulesOf) -> Undo:
    """Add rules that lead packets to boxes already in place; boxes are removed after the rules, or if these fail."""
    try:
        remove = on_routers(strike, rules)
    except FanousError:
        take()
        raise

    def undo() -> None:
        remove()
        take()

    return undo


def inject_on_path(strike: Strike) -> Undo:
    """Questions about a target get a forged answer first; the true answer follows."""
    options: dict[str, object] = {"hosts": strike.hosts, "answer": [BOGON, BOGON6]}
    return _put(strike, "racing", options, _askers)


def inject_in_path(strike: Strike) -> Undo:
    """Questions about a target never arrive; the only answer is forged, whichever resolver was asked."""
    take = _put(strike, "answering", {"hosts": strike.hosts, "answer": [BOGON, BOGON6]})

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        sources = [address_of(point, version) for point in points]
        questions = [f"-p udp --dport 53 {in_question(host)}" for host in strike.hosts]
        into = f"-j NFQUEUE --queue-num {_queue(strike)}"
        forwarded = [f"-s {source} {question} {into}" for source in sources for question in questions]
        own = [f"{question} {into}" for question in questions] if strike.is_whole(points[0].router) else []
        return [Rules(forwarded), Rules(own, "OUTPUT")]

    return _with_rules(strike, take, rules)


def reset_on_path(strike: Strike) -> Undo:
    """The handshake passes, but forged resets reach the client before the server's answer."""
    return _put(strike, "resetting", {"hosts": strike.hosts}, _askers)


def slow_handshake(strike: Strike) -> Undo:
    """The ClientHello is held for seconds; everything else flows as usual."""
    take = _put(strike, "delaying", {"seconds": SLOW_SECONDS})

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        into = f"-j NFQUEUE --queue-num {_queue(strike)}"
        return [Rules([f"{hello} {into}" for hello in hellos(strike, points, version)])]

    return _with_rules(strike, take, rules)


def rush_hour(strike: Strike) -> Undo:
    """No one interferes: a user's line is slow because the neighbours are at home and use theirs."""
    widen = crowd(strike)
    options: dict[str, object] = {"rate_kbps": strike.cut.rate_kbps, "seed": strike.cut.seed}
    send_away = _put(strike, "neighbours", options, _users)
    return lambda: (send_away(), widen())[0]


def forge_page(strike: Strike) -> Undo:
    """A plain request for a target is answered by a block page; the server never sees it."""
    take = _put(strike, "forging_pages", {})

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        requests = [
            f"-s {address_of(point, version)} -p tcp --dport 80 {in_request(host)}"
            for point in points
            for host in strike.hosts
        ]
        lines = []
        for request in requests:
            lines.append(f"{request} -j CONNMARK --set-xmark {strike.bit:#x}/{strike.bit:#x}")
            lines.append(f"{request} -j NFQUEUE --queue-num {_queue(strike)}")
        return [Rules([*lines, f"{marked(strike)} -j DROP"])]

    return _with_rules(strike, take, rules)


def intercept(strike: Strike) -> Undo:
    """TLS to the targets' addresses ends at the provider, under another authority, and is relayed."""
    port = FIRST_PORT + strike.number
    folder = str(strike.internet.folder / "rogue")
    take = _put(strike, "intercepting", {"port": port, "folder": folder})

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        lines = [
            f"-s {address_of(point, version)} -d {address} -p tcp --dport 443 "
            + _redirect(point, version, port)
            for point in points
            for address in of_version(strike.addresses, version)
        ]
        return [Rules(lines, "PREROUTING", "nat")]

    return _with_rules(strike, take, rules)


def _redirect(point: VantagePoint, version: int, port: int) -> str:
    """Redirect connections to the router itself, at the address of its resolver."""
    own = point.resolver if version == 4 else f"[{point.resolver6}]"
    return f"-j DNAT --to-destination {own}:{port}"


def captive_portal(strike: Strike) -> Undo:
    """Until someone logs in, every page is a login page and nothing else works; names resolve."""
    port = FIRST_PORT + strike.number
    take = _put(strike, "portal", {"port": port})

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        own = [(point, address_of(point, version)) for point in points]
        pages = [f"-s {a} -p tcp --dport 80 {_redirect(point, version, port)}" for point, a in own]
        rest = [f"-s {a} -j DROP" for _, a in own]
        return [Rules(pages, "PREROUTING", "nat"), Rules(rest)]

    return _with_rules(strike, take, rules)


def drop_quic_by_name(strike: Strike) -> Undo:
    """The first packet of a QUIC connection is decrypted; where it names a target, the connection is
    dropped."""
    take = _put(strike, "reading_quic", {"hosts": strike.hosts})

    def rules(points: list[VantagePoint], version: int) -> list[Rules]:
        into = f"-j NFQUEUE --queue-num {_queue(strike)}"
        return [Rules([f"-s {address_of(point, version)} -p udp --dport 443 {into}" for point in points])]

    return _with_rules(strike, take, rules)
