"""Picture: how one site looks from one vantage point, step by step, in words that a table can hold."""

from concurrent.futures import ThreadPoolExecutor

from fanous_lab.internet import Internet
from fanous_lab.plan import BLOCK_PAGE_ADDRESS, PUBLIC_RESOLVER, VantagePoint
from fanous_lab.webservers import PAGE_BYTES
from tests.lab.clients import PATIENCE, SILENCE, asked, connected, handshake, load, plain, quic

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

POOL = ThreadPoolExecutor(64)


def picture(internet: Internet, point: VantagePoint, host: str, expected: Picture) -> Picture:
    """All steps at once, at the site's true addresses.

    Args:
        expected: what differs from NORMAL, ``*`` where chance decides.  A step that should answer is waited
            for as long as the machine may stand still under all of them; one that should not, SILENCE.
    """
    ip, ip6 = (next(a for a in internet.addresses_of([host]) if (":" in a) == v6) for v6 in (False, True))
    ca_file, wait = internet.ca_file, _patience(NORMAL | expected)
    seconds = 3.0 if "page" not in expected else 1.5
    loading = POOL.submit(lambda: load(point, ca_file, ip, host, seconds, wait["handshake"]))

    def named(resolver: str, step: str) -> str:
        return _named(internet, host, asked(point, resolver, host, patience=wait[step]))

    def innocuous() -> str:
        return handshake(point, ca_file, ip, "example.com", verify=False, patience=wait["innocuous name"])

    steps = {
        "resolver": POOL.submit(lambda: named(point.resolver, "resolver")),
        "public resolver": POOL.submit(lambda: named(PUBLIC_RESOLVER, "public resolver")),
        "connection": POOL.submit(lambda: connected(point, ip, patience=wait["connection"])),
        "innocuous name": POOL.submit(innocuous),
        "plain": POOL.submit(lambda: plain(point, ip, host, wait["plain"])),
        "quic": POOL.submit(lambda: quic(internet, point, ip, host, wait["quic"])),
        "ipv6": POOL.submit(lambda: handshake(point, ca_file, ip6, host, patience=wait["ipv6"])),
    }
    loaded = loading.result()
    found = {name: future.result() for name, future in steps.items()}
    found["handshake"] = loaded.result
    found["page"] = _amount(loaded.size, loaded.code)
    return found


def _patience(expected: Picture) -> dict[str, float]:
    return {step: SILENCE if seen in ("silent", "*") else PATIENCE for step, seen in expected.items()}


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
