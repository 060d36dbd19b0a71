"""DNS lies: a provider's resolver that was told what not to find."""

from fanous.lab.censors.cut import Strike, Undo
from fanous.lab.dnswire import NXDOMAIN
from fanous.lab.sites import BLOCK_PAGE_ADDRESS, HOME_V6

BOGON, BOGON6 = "10.10.34.36", "fd00::10:10:34:36"
"""Private addresses; the first is one that was reported of Iran's resolvers."""


def deny(strike: Strike) -> Undo:
    return _lie(strike, NXDOMAIN)


def give_bogon(strike: Strike) -> Undo:
    return _lie(strike, [BOGON, BOGON6])


def give_block_page(strike: Strike) -> Undo:
    """The address of a server that shows a block page over HTTP."""
    return _lie(strike, [BLOCK_PAGE_ADDRESS, f"{HOME_V6}::66"])


def _lie(strike: Strike, answer: list[str] | int) -> Undo:
    """Told to the vantage points hit; where all of a provider's are, to everybody who asks it."""
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
