"""Limits: how much work one reader may cause - connections, streams, and replies that have to be made.

A reply on the shelf costs almost nothing and is not counted. A reply that has to be made takes time of the store,
or of the processor for pictures and reports, so each address and each network has a budget. Requests for random
networks, days or ids thus use up only their sender's budget.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from time import monotonic

from starlette.exceptions import HTTPException
from starlette.requests import Request

from fanous.collector.limits import Limiter, RateLimit, RateLimits
from fanous.collector.origin import NOBODY, Network, client_address, is_within, trusted_proxies
from fanous.collector.request import Refused
from fanous.web.settings import SiteSettings

WORK = RateLimits(address=RateLimit(2, 120), network=RateLimit(10, 600))
"""New pages per reader. Opening every page of a country in a rarely read language takes some fifty; a crawler gets
two per second without limit."""

COSTS = {
    ".png": 4,
    ".svg": 2,
    ".pdf": 10,
    ".fanous": 20,
    "/explore": 2,
    "/explore.json": 2,
    "/explore.csv": 2,
    "/explore.parquet": 2,
}
"""Costs in pages, by the ending of the path. A page takes some 20 ms, an answer to a question 60 to 150 ms, a card 80
to 130 ms, a report half a second, a bundle up to 20 s."""

GUESSES = RateLimits(address=RateLimit(1 / 60, 10), network=RateLimit(1, 60))
"""Requests with a wrong token, enough to correct a few typing errors."""

GUESSES_OF_ALL = RateLimit(1 / 10, 20)
"""The same from everywhere together, since addresses are cheap: 150 networks made 150 guesses.  Each takes a tenth of a
second, one after another, so that a login waits behind 20 of them at most."""

_THIS_MACHINE = trusted_proxies(("127.0.0.0/8", "::1/128"))

STREAMS_OF_ONE = 64
"""Open pages behind one address, such as a university's, that are notified of changes at once; further ones show
them when reloaded."""


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What readers may ask for at most, and how they are told apart behind a proxy.

    Attributes:
        connections: most open connections in total; the number of file descriptors may allow fewer.
        of_one: most open connections from one address; a browser opens six, and an address may serve a whole campus.
        trusted: networks of our own proxies, whose ``X-Forwarded-For`` is trusted.
        hosts: further names of the site, besides that of its public address.
    """

    connections: int = 2000
    of_one: int = 128
    trusted: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()
    work: RateLimits = WORK

    def is_own(self, peer: str) -> bool:
        """Is the address our proxy's? Without a configured proxy, local addresses are taken for one, since
        all readers would come from it."""
        return is_within(peer, self.trusted) if self.trusted else _is_loopback(peer)

    def caller(self, request: Request) -> str | None:
        """The address to count; ``None`` = none."""
        peer = request.client.host if request.client else ""
        if not self.trusted and (not peer or self.is_own(peer)):
            return None
        return client_address(peer, request.headers.getlist("x-forwarded-for"), self.trusted)


def limits_of(settings: SiteSettings) -> ReaderLimits:
    """The limits that the table ``[web]`` sets."""
    hosts = tuple(name.lower() for name in settings.hosts)
    return ReaderLimits(
        settings.connections, settings.per_address, trusted_proxies(settings.trust_proxy), hosts
    )


def _is_loopback(peer: str) -> bool:
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return True  # a unix socket, or a test's client


class Budget:
    """The remaining budget of each reader."""

    def __init__(self, limits: ReaderLimits, rates: RateLimits) -> None:
        self._limits = limits
        self._limiter = Limiter(rates)

    def spend(self, request: Request, cost: float = 1.0) -> None:
        """Raises ``HTTPException`` (429) if too little is left."""
        caller = self._limits.caller(request)
        if caller is None:
            return
        try:
            self._limiter.admit(caller, monotonic(), cost)
        except Refused as refused:
            raise too_many(refused.retry_after or 1) from None


class Guesses:
    """Counts requests with a wrong token or passphrase. A request with the right token is always served.

    Each address and network has a budget, and so has everyone together; that one may be used up by a stranger, so
    browsers that have logged in before share another.  Without a configured proxy, what one on this machine forwards is
    counted by the address that it names, so that one guesser does not use up everyone's tries.
    """

    def __init__(self, limits: ReaderLimits) -> None:
        self._limits = limits
        self._limiter = Limiter(GUESSES)
        self._all, self._known = (Limiter(RateLimits(GUESSES_OF_ALL, GUESSES_OF_ALL)) for _ in range(2))

    def spend(self, request: Request, *, is_known: bool = False) -> None:
        """Raises ``HTTPException`` (429).

        Args:
            is_known: this browser has logged in before.
        """
        try:
            if is_known:
                self._known.admit(NOBODY, monotonic())
                return
            caller = self._limits.caller(request) or forwarded_by_this_machine(request) or NOBODY
            self._limiter.admit(caller, monotonic())
            self._all.admit(NOBODY, monotonic())
        except Refused as refused:
            raise too_many(refused.retry_after or 1) from None


def forwarded_by_this_machine(request: Request) -> str:
    """The address that a proxy on this machine says it serves; empty = none."""
    peer = request.client.host if request.client else None
    named = client_address(peer, request.headers.getlist("x-forwarded-for"), _THIS_MACHINE)
    return "" if is_within(named, _THIS_MACHINE) else named


def too_many(seconds: float, status: int = 429) -> HTTPException:
    """The answer that refuses for now; the same request will work after this many seconds."""
    return HTTPException(status, headers={"Retry-After": str(int(seconds) + 1)})


def cost_of(path: str) -> float:
    """The cost of a reply at a path."""
    return next((cost for ending, cost in COSTS.items() if path.endswith(ending)), 1)
