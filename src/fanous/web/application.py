"""Application: the public side as an ASGI application: its routes, and what every request and answer passes.

It only reads; only ``admin`` and ``desk``, behind a token, can change the ledger.  ``/metrics`` has gauges for
Prometheus; the monitor's own health is on its status address (``pipeline.status``).

A request for another host name is refused.  Every answer, errors included, has headers that stop browsers from loading
anything from elsewhere, guessing types or being framed.  The policy allows ``'self'`` only, so even text that slipped
through as markup could not load or run anything.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fanous.model.alert import AlertState
from fanous.model.measurement import is_address
from fanous.probe.metrics import MEDIA, Metric, render
from fanous.publish.feeds import FORMATS, Feed, Format
from fanous.questions.country import last_heard
from fanous.store.protocol import Ask, Store
from fanous.web.admin import Admin
from fanous.web.answers import HTML, Answers, Maker, Reply, Site, Visit, visit_of
from fanous.web.api import api_routes, problem
from fanous.web.api.operations import ROOT
from fanous.web.bundles import Bundles
from fanous.web.desk import Desk
from fanous.web.limits import cost_of
from fanous.web.live import Live
from fanous.web.pages import PAGES, RESOURCES
from fanous.web.templates import icon, page_maker, rendered, robots, static

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {frames}"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Resources may be read from other origins, since pictures and feeds are shown on other sites and pages contain
nothing about the reader."""

DESK_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
"""Headers of the desk, which has no scripts.  With ``no-referrer`` a browser would hide which page sent a form."""

A_YEAR = 31_536_000
EMBEDDED = "/embed/"
"""Only paths below this may be framed by other sites."""


def is_desk(path: str) -> bool:
    return path == "/desk" or path.startswith("/desk/")


def security_headers(path: str, *, secure: bool) -> dict[str, str]:
    """The headers of an answer to ``path``.

    Args:
        secure: the public address is HTTPS, so browsers are told to use only that.
    """
    framed = path.startswith(EMBEDDED)
    headers = HEADERS | {"Content-Security-Policy": CONTENT_POLICY.format(frames="*" if framed else "'none'")}
    if is_desk(path):
        headers |= DESK_HEADERS
    if not framed:
        headers["X-Frame-Options"] = "DENY"
    if secure:
        headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
    return headers


class SecurityHeaders:
    """Middleware: adds the headers to every answer."""

    def __init__(self, app: ASGIApp, *, secure: bool, all_desk: bool = False) -> None:
        """``secure`` as in ``security_headers``; ``all_desk``: all paths get the desk's headers."""
        self._app = app
        self._secure, self._more = secure, DESK_HEADERS if all_desk else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = security_headers(scope["path"], secure=self._secure) | self._more

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(added)
            await send(message)

        await self._app(scope, receive, sending)


_IN_BRACKETS = re.compile(r"\[[0-9A-Fa-f:]{2,45}\](:\d{1,5})?")


class ExpectedHost:
    """Middleware: refuses requests for another host name if the public address is known.

    IP addresses and names without a dot are accepted, since proxies use them for upstream servers.

        Args:
            url: the public address; empty = any name is accepted.
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
            return bool(_IN_BRACKETS.fullmatch(host))
        name = host.partition(":")[0].lower()
        return name in self._hosts or "." not in name or is_address(name)


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")


LONGEST_PATH = 200
"""Characters; no page has a longer path.  A page repeats its path a dozen times in links, so that 70 kB of address made
an answer of 840 kB."""


def refusal(request: Request, site: Site, error: Exception) -> Response:
    """The page for 404 and similar answers, and for a bug or a store that does not respond; it reveals no
    internals. (Starlette raises the error again afterwards, so that it is logged.)"""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = security_headers(request.url.path, secure=site.url.startswith("https://"))
    if isinstance(error, HTTPException):
        headers |= error.headers or {}
    if request.url.path.startswith(f"{ROOT}/"):
        return problem(status, f"{request.method} {request.url.path}", headers)
    visit = visit_of(request, site)
    if len(visit.path) > LONGEST_PATH:
        visit = replace(visit, path="/")
    facts = {"status": status, "why": _why(error), "asked": getattr(error, "asked", None)}
    if is_desk(request.url.path):
        text = rendered("desk/error.html", visit, facts | {"session": None})
    else:
        text = rendered("error.html", visit, facts)
    return Response(text, status, media_type=HTML, headers=headers | {"Cache-Control": "no-store"})


def _why(error: Exception) -> str:
    """The message shown to the reader; only our own refusals (409) have one."""
    return str(error.detail) if isinstance(error, HTTPException) and error.status_code == 409 else ""


def application(ask: Ask, site: Site | None = None) -> Starlette:
    """The pages and feeds of one store.

    Args:
        ask: the only way to the store. site: ``None`` = as on the user's own machine.
    """
    answers = Answers(ask, site or Site())
    live = Live(answers)

    secure = answers.site.url.startswith("https://")

    async def refused(request: Request, error: Exception) -> Response:
        return refusal(request, answers.site, error)

    app = Starlette(
        routes=routes(answers, live),
        lifespan=live.watching,
        middleware=[
            Middleware(SecurityHeaders, secure=secure),
            Middleware(ExpectedHost, url=answers.site.url, hosts=answers.site.limits.hosts),
        ],
        exception_handlers={HTTPException: refused, Exception: refused},
    )
    app.router.redirect_slashes = False  # see ``without_slash``
    return app


def routes(answers: Answers, live: Live) -> list[BaseRoute]:
    """Fixed paths come before paths with parameters."""
    bundles = Bundles(answers)
    return [
        Route("/live", live.stream),
        *Admin(answers).routes(),
        *Desk(answers).routes(),
        Route("/static/{digest}/{name}", static),
        Route("/favicon.ico", icon),
        Route("/robots.txt", robots),
        Route("/metrics", answers.of(metrics)),
        *api_routes(answers),
        *feed_routes(answers),
        Route("/{country:country}/{id:incident}.fanous", bundles.download),
        Route("/{country:country}/{id:incident}/evidence", bundles.page),
        *(
            Route(resource.path, answers.of(resource.make, resource.asks, cost_of(resource.path)))
            for resource in RESOURCES
        ),
        Route("/{code:lower}", upper_case),
        *(Route(page.path, answers.of(page_maker(page), page.asks, cost_of(page.path))) for page in PAGES),
        Route("/{path:path}/", without_slash),
    ]


def feed_routes(answers: Answers) -> list[BaseRoute]:
    """One path per format, below each page that has a feed."""
    return [
        Route(
            f"{page.path.rstrip('/')}/feed.{ending}", answers.of(feed_maker(page.feed, form), page.feed_asks)
        )
        for page in PAGES
        if page.feed is not None
        for ending, form in FORMATS.items()
    ]


def feed_maker(gather: Callable[[Store, Visit], Feed], form: Format) -> Maker:
    """The endpoint of a feed in one format."""
    return lambda store, visit: Reply.of(form.write(gather(store, visit), visit), form.media)


async def upper_case(request: Request) -> Response:
    """Redirects ``/pk``, as people type it."""
    return RedirectResponse(f"/{request.path_params['code'].upper()}", 308)


async def without_slash(request: Request) -> Response:
    """Redirects ``/PK/``.  Starlette would redirect to an absolute address, which is ``http:`` behind a proxy that ends
    TLS.  Slashes at the beginning would name another site."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(quote(f"/{request.path_params['path'].strip('/')}") + query, 308)


def metrics(store: Store, visit: Visit) -> Reply:
    """Gauges about incidents, measurements and alerts, in the text format of Prometheus."""
    shown = store.about()
    figures = [*_open_incidents(shown), *_freshness(shown, visit.now), *_alerts(shown)]
    return Reply.of(render(figures), MEDIA)


def _open_incidents(store: Store) -> list[Metric]:
    """Open incidents by country, kind and status; combinations without any are not listed."""
    incidents = store.ledger.incidents(synthetic=store.is_synthetic)
    count = Counter(
        (incident.country, incident.kind, incident.status) for incident in incidents if incident.is_open
    )
    staged = "Synthetic, of a staged event: " if store.is_synthetic else ""
    text = f"{staged}Incidents that are open, by country, kind and status"
    return [
        Metric(
            "fanous_incidents_open",
            n,
            text,
            (("country", country), ("kind", str(kind)), ("status", str(status))),
        )
        for (country, kind, status), n in sorted(count.items())
    ]


def _freshness(store: Store, now: float) -> list[Metric]:
    """Seconds since the last sound measurement from each country that was ever measured.

    A country that falls silent keeps its series, because its age is what should alarm.
    """
    heard = last_heard(store, now)
    for country in store.facts.countries():
        if country not in heard and (measured := store.facts.measured(country)) is not None:
            heard[country] = measured[1]
    text = "Seconds since the last sound measurement of a country"
    return [
        Metric("fanous_last_measurement_age_seconds", max(0.0, now - at), text, (("country", country),))
        for country, at in sorted(heard.items())
    ]


def _alerts(store: Store) -> list[Metric]:
    """Alerts that are waiting, and those that were given up."""
    count = Counter(delivery.state for delivery in store.ledger.outbox.deliveries())
    text = "Alerts by what became of them"
    states = (AlertState.WAITING, AlertState.DEAD)
    return [Metric("fanous_alerts", count[state], text, (("state", str(state)),)) for state in states]
