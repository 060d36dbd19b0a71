"""Limits: what one reader may cause - connections, streams, and replies that are made for nobody else.

A reply on the shelf costs next to nothing, and reading it is not counted.  What has to be made takes the store's
time, a picture or a report the processor's: each address, and each network, has a budget of it.  Whoever
asks for random networks, days or ids thus uses up their own.
"""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from time import monotonic
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from fanous.collector.limits import Limiter, RateLimit, RateLimits
from fanous.collector.origin import NOBODY, Network, client_address, is_within, trusted_proxies
from fanous.collector.request import Refused
from fanous.web.settings import SiteSettings

WORK = RateLimits(address=RateLimit(2, 120), network=RateLimit(10, 600))
"""Pages made anew.  A reader who opens every page of a country, in a language that nobody reads, needs some
fifty; a crawler gets two a second for as long as it likes."""

COSTS = {".png": 4, ".svg": 2, ".pdf": 10, ".fanous": 20}
"""In pages; by how the address ends.  A page takes some 20 ms, a card 80 to 130, a report half a second, a
bundle up to 20 s."""

GUESSES = RateLimits(address=RateLimit(1 / 60, 10), network=RateLimit(1, 60))
"""Requests with a wrong token: whoever mistyped it tries again a few times."""

STREAMS_OF_ONE = 64
"""Open pages behind one address, such as a university's, that are told at once of a change; the others learn of
it when they are loaded again."""

NAMES = 8
"""Names under which a site without ``[web] url`` is reached, that its links repeat."""

HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:]{2,45}\](:\d{1,5})?")
"""Only such a Host header is repeated in an address on a page."""


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """Attributes:
    connections: most open ones, in all; the number of descriptors may allow fewer.
    of_one: open connections of one address: a browser opens six, and one address may be a whole campus.
    trusted: our own proxies, whose ``X-Forwarded-For`` is trusted.
    hosts: names by which the site may be asked for, beside that of its public address.
    """

    connections: int = 2000
    of_one: int = 128
    trusted: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()
    work: RateLimits = WORK

    def is_own(self, peer: str) -> bool:
        """Is it our proxy, or somebody at this machine?  Without a named proxy, one on this machine is taken for
        ours: all readers come from its address."""
        return is_within(peer, self.trusted) if self.trusted else _is_loopback(peer)

    def caller(self, request: Request) -> str | None:
        """The address that is counted; ``None`` = none is."""
        peer = request.client.host if request.client else ""
        if not self.trusted and (not peer or self.is_own(peer)):
            return None
        return client_address(peer, request.headers.getlist("x-forwarded-for"), self.trusted)


def limits_of(settings: SiteSettings) -> ReaderLimits:
    """As the table ``[web]`` says."""
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
    """What each reader may still cause."""

    def __init__(self, limits: ReaderLimits, rates: RateLimits) -> None:
        self._limits = limits
        self._limiter = Limiter(rates)

    def spend(self, request: Request, cost: float = 1.0) -> None:
        """Raises ``HTTPException`` (429) where too little is left."""
        caller = self._limits.caller(request)
        if caller is None:
            return
        try:
            self._limiter.admit(caller, monotonic(), cost)
        except Refused as refused:
            raise too_many(refused.retry_after or 1) from None


class Guesses:
    """Requests with a wrong token.  Those from our own proxy count as from one address where it says no other:
    who has the token is served whatever others guess."""

    def __init__(self, limits: ReaderLimits) -> None:
        self._limits = limits
        self._limiter = Limiter(GUESSES)

    def spend(self, request: Request) -> None:
        """Raises ``HTTPException`` (429)."""
        try:
            self._limiter.admit(self._limits.caller(request) or NOBODY, monotonic())
        except Refused as refused:
            raise too_many(refused.retry_after or 1) from None


def too_many(seconds: float, status: int = 429) -> HTTPException:
    """Refused for now; the same works in so many seconds."""
    return HTTPException(status, headers={"Retry-After": str(int(seconds) + 1)})


def cost_of(path: str) -> float:
    """Of what is made at a path."""
    return next((cost for ending, cost in COSTS.items() if path.endswith(ending)), 1)


@dataclass(slots=True)
class SiteNames:
    """Names by which a site without a public address was asked for.  A Host header is anybody's to choose, and
    each makes pages of its own, since their links repeat it: so there are only a few."""

    known: set[str] = field(default_factory=set)

    def chosen(self, host: str, server: tuple[str, int | None] | None) -> str:
        """The host for links; empty = none is fit."""
        if HOST.fullmatch(host):
            host = host.lower()
            if host in self.known or len(self.known) < NAMES:
                self.known.add(host)
                return host
        own, port = server or ("", None)
        shown = f"[{own}]" if ":" in own else own
        return (f"{shown}:{port}" if port else shown) if HOST.fullmatch(shown) else ""


class ExpectedHost:
    """Middleware: where the public address is known, a request for another name is refused.

    Names without a dot and addresses are let through: a proxy asks for its upstream by these.

    Args:
        url: the public address; empty = any name will do.
        hosts: further names.
    """

    def __init__(self, app: ASGIApp, *, url: str, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._url = url
        self._hosts = {(urlsplit(url).hostname or "").lower(), *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._url or self._is_expected(_host(scope)):
            await self._app(scope, receive, send)
            return
        body = f"This site is {self._url}; its operator may add a name to [web] hosts.\n".encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _is_expected(self, host: str) -> bool:
        if host.startswith("["):
            return bool(HOST.fullmatch(host))
        name = host.partition(":")[0].lower()
        return name in self._hosts or "." not in name or _is_address(name)


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
