"""Application: the public side as an ASGI application.

It only reads; only ``admin`` and ``desk``, behind a token, can change the ledger.  ``/metrics`` has gauges for
Prometheus; the monitor's own health is on its status address (``pipeline.status``).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from fanous.model.alert import AlertState
from fanous.pipeline.query import last_heard
from fanous.probe.metrics import MEDIA, Metric, render
from fanous.publish.feeds import FORMATS, Feed, Format
from fanous.store.protocol import Ask, Store
from fanous.web.admin import Admin
from fanous.web.answers import HTML, Answers, Maker, Reply, Site, Visit, visit_of
from fanous.web.api import api_routes
from fanous.web.api.endpoints import problem
from fanous.web.api.operations import ROOT
from fanous.web.bundles import Bundles
from fanous.web.desk.desk import Desk
from fanous.web.limits import cost_of
from fanous.web.live import Live
from fanous.web.middleware import ExpectedHost, SecurityHeaders, is_desk, security_headers
from fanous.web.pages import PAGES, RESOURCES
from fanous.web.templates import icon, page_maker, rendered, robots, static

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

    return Starlette(
        routes=routes(answers, live),
        lifespan=live.watching,
        middleware=[
            Middleware(SecurityHeaders, secure=secure),
            Middleware(ExpectedHost, url=answers.site.url, hosts=answers.site.limits.hosts),
        ],
        exception_handlers={HTTPException: refused, Exception: refused},
    )


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
        *(Route(one.path, answers.of(one.make, one.asks, cost_of(one.path))) for one in RESOURCES),
        Route("/{code:lower}", upper_case),
        *(Route(one.path, answers.of(page_maker(one), one.asks)) for one in PAGES),
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


def metrics(store: Store, visit: Visit) -> Reply:
    """Gauges about incidents, measurements and alerts, in the text format of Prometheus."""
    shown = store.about()
    found = [*_open_incidents(shown), *_freshness(shown, visit.now), *_alerts(shown)]
    return Reply.of(render(found), MEDIA)


def _open_incidents(store: Store) -> list[Metric]:
    """Open incidents by country, kind and status; combinations without any are not listed."""
    known = store.ledger.incidents(synthetic=store.is_synthetic)
    count = Counter((one.country, one.kind, one.status) for one in known if one.is_open)
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
    count = Counter(one.state for one in store.ledger.outbox.deliveries())
    text = "Alerts by what became of them"
    states = (AlertState.WAITING, AlertState.DEAD)
    return [Metric("fanous_alerts", count[state], text, (("state", str(state)),)) for state in states]
