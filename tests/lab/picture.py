"""Picture: how one site looks from one vantage point, step by step, in words that a table can hold."""

from concurrent.futures import ThreadPoolExecutor

from fanous.lab.internet import Internet
from fanous.lab.plan import VantagePoint
from fanous.lab.sites import BLOCK_PAGE_ADDRESS, PUBLIC_RESOLVER
from fanous.lab.webservers import PAGE_BYTES
from tests.lab.clients import SILENCE, asked, connected, handshake, load, plain, quic

Picture = dict[str, str]

NORMAL: Picture = {
    "resolver": "right",
    "public resolver": "right",
    "connection": "ok",
    "innocuous name": "ok",
    "handshake": "ok",
    "page": "whole",
    "plain": "redirect",
    "quic": "ok",
    "ipv6": "ok",
}

POOL = ThreadPoolExecutor(24)


def picture(internet: Internet, point: VantagePoint, host: str, patience: float = SILENCE) -> Picture:
    """All steps at the site's true addresses; those that name it come last, since they may trigger something.

    Args:
        patience: seconds for a handshake.
    """
    ip, ip6 = (next(a for a in internet.addresses_of([host]) if (":" in a) == v6) for v6 in (False, True))
    ca_file = internet.ca_file
    first = {
        "resolver": POOL.submit(lambda: _named(internet, host, asked(point, point.resolver, host))),
        "public resolver": POOL.submit(lambda: _named(internet, host, asked(point, PUBLIC_RESOLVER, host))),
        "connection": POOL.submit(lambda: connected(point, ip)),
        "innocuous name": POOL.submit(lambda: handshake(point, ca_file, ip, "example.com", verify=False)),
    }
    found = {name: future.result() for name, future in first.items()}
    loading = POOL.submit(lambda: load(point, ca_file, ip, host, patience=patience))
    rest = {
        "plain": POOL.submit(lambda: plain(point, ip, host)),
        "quic": POOL.submit(lambda: quic(internet, point, ip, host)),
        "ipv6": POOL.submit(lambda: handshake(point, ca_file, ip6, host, patience=patience)),
    }
    loaded = loading.result()
    found |= {name: future.result() for name, future in rest.items()}
    found["handshake"] = loaded.result
    found["page"] = _amount(loaded.size, loaded.code)
    return found


def _amount(size: int, code: int) -> str:
    if code == 451:
        return "451"
    if size >= PAGE_BYTES * 0.95:
        return "whole"
    return "part" if size else "none"


def _named(internet: Internet, host: str, answers: list[tuple[str, int]]) -> str:
    """``right``, ``forged``, a response code, ``silent``; several are joined by a plus sign."""
    good = internet.addresses_of([host])
    names = []
    for value, _ in answers:
        if value in good:
            names.append("right")
        elif value == BLOCK_PAGE_ADDRESS:
            names.append("block page")
        elif value[0].isdigit():
            names.append("forged")
        else:
            names.append(value.lower())
    return "+".join(names) or "silent"
