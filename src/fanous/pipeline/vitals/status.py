"""Status: ``/healthz``, ``/readyz``, ``/metrics`` and ``/ailments`` on an address of their own.

The address is for who runs the monitor: figures of its disks and sources are nobody else's business, so it is
not the pages' nor the collector's.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fanous.model.instant import to_iso
from fanous.model.spell import Spell
from fanous.pipeline.vitals.ailments import Ailment
from fanous.probe.metrics import Metric, render

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""


def feed_document(spells: Iterable[Spell]) -> list[dict[str, str | None]]:
    """As JSON has it; ``ended_at`` is null while it goes on."""
    return [
        {
            "kind": one.kind,
            "about": one.about,
            "says": one.says,
            "mend": one.mend,
            "began_at": to_iso(one.began_at),
            "seen_at": to_iso(one.seen_at),
            "ended_at": None if one.ended_at is None else to_iso(one.ended_at),
        }
        for one in spells
    ]


def status_app(
    unready: Callable[[], str],
    ailments: Callable[[], list[Ailment]],
    figures: Callable[[], list[Metric]],
    feed: Callable[[], list[Spell]] = list,
) -> Starlette:
    """The application.

    Args:
        unready: why no work can be given to it now; empty = it can.
        ailments: as of the last look.
        figures: likewise.
        feed: likewise; a collector without a store keeps none.
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
        told = {"ailments": [asdict(one) for one in ailments()], "feed": feed_document(feed())}
        return Response(msgspec.json.encode(told), media_type="application/json")

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/ailments", ailing),
        ]
    )
