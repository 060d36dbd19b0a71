"""Status: ``/healthz``, ``/readyz``, ``/metrics`` and ``/ailments`` on a separate address.

The address is for the operator: figures of disks and sources concern no one else, so it is neither the pages'
nor the collector's.  ``/metrics`` is for Prometheus; no figure names a probe or a place below a country.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fanous.model.instant import to_iso
from fanous.model.vitals import Spell
from fanous.pipeline.vitals import Ailment, Vitals
from fanous.probe.metrics import MEDIA, Metric, render


def feed_document(spells: Iterable[Spell]) -> list[dict[str, str | None]]:
    """The feed as JSON; ``ended_at`` is null while an ailment is ongoing."""
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
        unready: why it cannot take work now; empty = it can.
        ailments, figures, feed: as of the last check; a collector without a store keeps no feed.
    """

    async def healthz(_request: Request) -> Response:
        """Any answer means alive: a supervisor must not restart it because of a full disk."""
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        why = unready()
        return PlainTextResponse(f"{why}\n" if why else "ok\n", 503 if why else 200)

    async def metrics(_request: Request) -> Response:
        return Response(render(figures()), media_type=MEDIA)

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


def metrics(vitals: Vitals, ailments: Sequence[Ailment]) -> list[Metric]:
    """All known metrics; an unknown one has no line, since 0 would read as *healthy*.

    Kinds of ailments that do not occur are not listed.
    """
    return [*_of_sources(vitals), *_of_software(vitals), *_of_folders(vitals), *_of_work(vitals, ailments)]


def _of_sources(vitals: Vitals) -> Iterator[Metric]:
    for one in vitals.arrivals:
        labels = (("source", one.source),)
        text = "Unix time at which the last measurement came through a source"
        yield Metric("fanous_source_last_received_timestamp_seconds", one.last, text, labels)
        text = "Measurements of the last 28 days"
        yield Metric("fanous_source_measurements", one.measurements, text, labels)


def _of_software(vitals: Vitals) -> Iterator[Metric]:
    for one in vitals.soundness:
        labels = (("software", one.software),)
        yield Metric("fanous_software_measurements", one.measurements, "Measurements of the last day", labels)
        yield Metric("fanous_software_unsound", one.unsound, "Of these, what cannot be used", labels)
    if vitals.clocks is not None:
        text = "Measurements of the last day that were made after they were received, by their own clock"
        yield Metric("fanous_clock_ahead_measurements", vitals.clocks.ahead, text)


def _of_folders(vitals: Vitals) -> Iterator[Metric]:
    for disk in vitals.disks:
        labels = (("folder", disk.folder),)
        yield Metric("fanous_disk_free_bytes", disk.free, "Free on the disk of a folder", labels)
        yield Metric("fanous_disk_size_bytes", disk.size, "Size of the disk of a folder", labels)
    for queue in vitals.backlogs:
        labels = (("inbox", queue.folder),)
        age = 0.0 if queue.since is None else max(0.0, vitals.machine_at - queue.since)
        yield Metric("fanous_inbox_files", queue.files, "Sealed files that wait for the store", labels)
        yield Metric(
            "fanous_inbox_bytes", queue.bytes, "Bytes of measurements that wait for the store", labels
        )
        yield Metric("fanous_inbox_oldest_seconds", age, "Age of the oldest file that waits", labels)
        yield Metric("fanous_inbox_apart_files", queue.apart, "Files that only a person takes", labels)
        yield Metric("fanous_inbox_apart_bytes", queue.apart_bytes, "Bytes that only a person takes", labels)
        if queue.refused is not None:
            text = "Messages of a stream that cannot be used and were set aside"
            yield Metric("fanous_inbox_refused", queue.refused, text, labels)


def _of_work(vitals: Vitals, ailments: Sequence[Ailment]) -> Iterator[Metric]:
    if vitals.undetected is not None:
        lag = max((vitals.machine_at - since for since in vitals.undetected.values()), default=0.0)
        text = "Countries with measurements that no detection has seen"
        yield Metric("fanous_undetected_countries", len(vitals.undetected), text)
        yield Metric("fanous_detection_lag_seconds", lag, "How long the longest of them is known to wait")
    if vitals.damaged is not None:
        text = "Files of the archive that cannot be read"
        yield Metric("fanous_damaged_segments", len(vitals.damaged), text)
    yield Metric("fanous_examined_timestamp_seconds", vitals.machine_at, "When these figures were read")
    for kind in sorted({one.kind for one in ailments}):
        count = sum(one.kind == kind for one in ailments)
        yield Metric("fanous_ailments", count, "What is wrong with the monitor itself", (("kind", kind),))
