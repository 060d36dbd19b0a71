"""Application: the public side as an ASGI application.  It reads; only ``admin``, behind a token, can change
what stands in a store."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from fanous.store.ask import Ask
from fanous.web.admin import Admin
from fanous.web.answers import Answers
from fanous.web.api import api_routes
from fanous.web.bundles import Bundles
from fanous.web.convertors import register
from fanous.web.errors import refusal
from fanous.web.feeds import feed_routes
from fanous.web.headers import SecurityHeaders
from fanous.web.live import Live
from fanous.web.metrics import metrics
from fanous.web.pages import PAGES, RECORDS
from fanous.web.site import Site
from fanous.web.static import icon, robots, static


def application(ask: Ask, site: Site | None = None) -> Starlette:
    """The pages and feeds of one store.

    Args:
        ask: reaches the store; nothing else here does.
        site: ``None`` = as on one's own machine.
    """
    register()
    answers = Answers(ask, site or Site())
    live = Live(answers)

    secure = answers.site.url.startswith("https://")

    async def refused(request: Request, error: Exception) -> Response:
        return refusal(request, answers.site, error)

    return Starlette(
        routes=routes(answers, live),
        lifespan=live.watching,
        middleware=[Middleware(SecurityHeaders, secure=secure)],
        exception_handlers={HTTPException: refused, Exception: refused},
    )


def routes(answers: Answers, live: Live) -> list[BaseRoute]:
    """What is fixed stands before what takes any word."""
    return [
        Route("/live", live.stream),
        *Admin(answers).routes(),
        Route("/static/{digest}/{name}", static),
        Route("/favicon.ico", icon),
        Route("/robots.txt", robots),
        Route("/metrics", answers.of(metrics)),
        *api_routes(answers),
        *feed_routes(answers),
        Route("/{country:country}/{id:incident}.fanous", Bundles(answers).download),
        *(Route(path, answers.of(maker)) for path, maker in RECORDS.items()),
        Route("/{code:lower}", upper_case),
        *(Route(page.path, answers.page(page)) for page in PAGES),
    ]


async def upper_case(request: Request) -> Response:
    """``/pk`` as people type it."""
    return RedirectResponse(f"/{request.path_params['code'].upper()}", 308)
