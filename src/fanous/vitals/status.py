"""Status: ``/healthz``, ``/readyz``, ``/metrics`` and ``/ailments`` on an address of their own.

The address is for who runs the monitor: figures of its disks and sources are nobody else's business, so it is
not the pages' nor the collector's.
"""

from collections.abc import Callable
from dataclasses import asdict

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fanous.probes.metrics import Metric, render
from fanous.vitals.ailments import Ailment

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""


def status_app(
    unready: Callable[[], str], ailments: Callable[[], list[Ailment]], figures: Callable[[], list[Metric]]
) -> Starlette:
    """The application.

    Args:
        unready: why no work can be given to it now; empty = it can.
        ailments: as of the last look.
        figures: likewise.
    """

    async def healthz(_request: Request) -> Response:
        """It answers, so it lives: whoever restarts it for that must not do so for a full disk."""
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        why = unready()
        return PlainTextResponse(f"{why}\n" if why else "ok\n", 503 if why else 200)

    async def metrics(_request: Request) -> Response:
        return Response(render(figures()), media_type=TEXT)

    async def ailing(_request: Request) -> Response:
        told = {"ailments": [asdict(one) for one in ailments()]}
        return Response(msgspec.json.encode(told), media_type="application/json")

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/ailments", ailing),
        ]
    )
