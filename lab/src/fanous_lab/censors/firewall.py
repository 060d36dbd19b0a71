"""Firewall: rules in a router's own chain, added in one step and removed together.

They go into iptables' legacy tables, since only these have the ``string`` match.

A censor looks for a name in a ClientHello, a question or a request.  OpenSSL 3.5 sends a ClientHello in two segments;
the name is in the first, where a rule that looks at single segments finds it.  A browser that shuffles its
extensions may split it across both: then such a censor misses it, as real ones have.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from fanous.errors import FanousError
from fanous_lab.censors.cut import Strike, Undo
from fanous_lab.packets import name_wire
from fanous_lab.plan import VantagePoint
from fanous_lab.space import run_in

RESTORE = {4: "iptables-legacy-restore", 6: "ip6tables-legacy-restore"}

T = TypeVar("T")

WORKERS = 4
"""Routers configured at a time: two hundred take seconds."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one hook.

    Attributes:
        table: ``filter``, ``mangle`` or ``nat``; ``hook``: the chain that jumps to them.
        lines: what follows ``iptables -A CHAIN``.
    """

    lines: Sequence[str]
    hook: str = "FORWARD"
    table: str = "filter"


RulesOf = Callable[[list[VantagePoint], int], list[Rules]]
"""(vantage points behind one router, IP version) -> its rules."""


def on_routers(strike: Strike, rules_of: RulesOf) -> Undo:
    """Install the rules on the routers of all vantage points that are hit."""
    places = [
        (router, version, rules_of(points, version))
        for router, points in strike.by_router().items()
        for version in strike.versions
    ]
    return install(strike, [place for place in places if any(r.lines for r in place[2])])


def install(strike: Strike, places: Sequence[tuple[str, int, list[Rules]]]) -> Undo:
    """Install rules in (namespace, IP version) places: in all of them or, if one refuses, in none."""

    def change(text_of: Callable[[str, list[Rules]], str]) -> None:
        for_each(places, lambda place: _restore(strike, *place[:2], text_of(strike.identity, place[2])))

    try:
        change(_added)
    except FanousError:
        for place in places:
            with suppress(FanousError):  # it was never installed
                _restore(strike, *place[:2], _removed(strike.identity, place[2]))
        raise
    return lambda: change(_removed)


def for_each(things: Sequence[T], do: Callable[[T], None]) -> None:
    """Do it for several at a time; the first error is raised."""
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(do, things))


def address_of(point: VantagePoint, version: int) -> str:
    return point.address if version == 4 else point.address6


def of_version(addresses: Sequence[str], version: int) -> list[str]:
    return [address for address in addresses if (":" in address) == (version == 6)]


def _restore(strike: Strike, namespace: str, version: int, text: str) -> None:
    """Load the rules under a lock per namespace: the usual lock is shared by the whole machine."""
    lock = strike.internet.folder / f"xtables-{namespace}-{version}"
    argv = [RESTORE[version], "--noflush", "--wait"]
    try:
        run_in(namespace, argv, text, {"XTABLES_LOCKFILE": str(lock)})
    except FanousError as error:
        raise FanousError(f"{strike.cut.technique}: {error}; `fanous doctor` tests what it needs") from None


def _added(identity: str, rules: list[Rules]) -> str:
    parts = []
    for nth, rule in enumerate(rules):
        chain = f"{identity}-{nth}"
        lines = [f":{chain} - [0:0]", *(f"-A {chain} {line}" for line in rule.lines)]
        parts.append("\n".join([f"*{rule.table}", *lines, f"-I {rule.hook} -j {chain}", "COMMIT\n"]))
    return "".join(parts)


def _removed(identity: str, rules: list[Rules]) -> str:
    parts = []
    for nth, rule in enumerate(rules):
        chain = f"{identity}-{nth}"
        lines = [f"-D {rule.hook} -j {chain}", f"-F {chain}", f"-X {chain}"]
        parts.append("\n".join([f"*{rule.table}", *lines, "COMMIT\n"]))
    return "".join(parts)


ALGORITHM = "kmp"
"""Search algorithm of xt_string; ``bm`` misses a match that spans two fragments of a packet's memory."""


def in_hello(host: str) -> str:
    """Match for the server_name extension (RFC 6066 section 3): type, length and the whole name."""
    return _string(b"\0" + len(host).to_bytes(2, "big") + host.encode())


def in_question(host: str) -> str:
    """Match for the question of a DNS message: the whole name, or a subdomain."""
    return _string(name_wire(host)) + " --icase"


def in_request(host: str) -> str:
    """Match for the Host header of a plain HTTP request."""
    return _string(b"\r\nHost: " + host.encode()) + " --icase"


def _string(wanted: bytes) -> str:
    return f'-m string --algo {ALGORITHM} --hex-string "|{wanted.hex()}|"'
