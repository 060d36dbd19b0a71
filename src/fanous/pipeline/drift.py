"""Drift: asks each publisher one small real question, and says in words how the answer differs from what its reader
expects.

Some readers were written before any request of ours had reached their publisher (docs/limits.md): this tells the
first operator with an internet connection, and later any operator, whether a source answers as expected.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

from fanous.base.confine import Grant
from fanous.errors import FanousError, Rejected
from fanous.model.instant import DAY, HOUR
from fanous.pipeline.pull import document_of
from fanous.pipeline.pull_ooni import listed
from fanous.pipeline.reader import Send, answered, asking
from fanous.pipeline.remote import by_users, encoded_answers, exchange_by, lines_of_users, probes_of_users
from fanous.sources.connector import Get, MeasurementSource, Piece, Query, Source, Transport
from fanous.sources.fetch import Polite, Waits
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.bucket import Bucket, once_each, prefixes
from fanous.sources.publishers import LIVE_SOURCES, SOURCES, SourceSettings
from fanous.sources.remote.atlas_measurements import NAME as ATLAS
from fanous.sources.remote.client import AtlasClient, GlobalpingClient, RemoteRequest, RemoteServer
from fanous.sources.signals.live import LiveSource

PATIENCE = Waits(tries=1, stall=15.0, deadline=60.0)
"""One try: the operator wants to know how it is now."""

ABOUT_ORDERS = "vantage points"

PATIENCE_OF_BUCKET = timedelta(seconds=5)

BUCKET_LATELY = 6 * HOUR
"""How many seconds ago the hour of OONI's bucket was that is inspected: hours appear there after one to two hours."""

LATELY = 2 * DAY
"""Seconds before now at which the question ends, so that late publications are in (Tor's days)."""


class AnswerState(StrEnum):
    """The outcome of a question."""

    AS_EXPECTED = "as_expected"
    DIFFERS = "differs"
    UNREACHED = "unreached"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """One question and its answer.

    Attributes:
        about: what was asked, in the source's own terms.
        differs: sentences, each about one thing; empty = as expected, or no answer.
        why: why there is no answer, or none that could be read; empty = something was read.
        series, values, claims, measurements: what was read.
    """

    source: str
    about: str
    reached: AnswerState
    differs: tuple[str, ...] = ()
    why: str = ""
    series: int = 0
    values: int = 0
    claims: int = 0
    measurements: int = 0


def check_sources(
    settings: Mapping[str, SourceSettings],
    country: str,
    now: float,
    environment: Mapping[str, str] = os.environ,
    on_done: Callable[[SourceCheck], None] = lambda _checked: None,
) -> list[SourceCheck]:
    """Ask every source that is reached over the internet, in the order of the registry.

    Args:
        settings: by source; their mirrors are asked in place of the publishers.
        now: Unix seconds.
        on_done: called with each result as it comes.
    """
    found = []
    for source in SOURCES.values():
        results: Iterator[SourceCheck] = iter(())
        if isinstance(source, LiveSource):
            results = _checked(source, settings[source.name], country, int(now), environment)
        elif isinstance(source, MeasurementSource) and source.pulled is Transport.BUCKET:
            results = iter([_bucket_checked(source, settings[source.name].mirror, country, now)])
        elif source.pulled is Transport.ORDERS:
            results = iter([_orders_checked(source, settings[source.name], country, environment)])
        for checked in results:
            on_done(checked)
            found.append(checked)
    return found


def _orders_checked(
    source: Source, settings: SourceSettings, country: str, environment: Mapping[str, str]
) -> SourceCheck:
    """Asks for vantage points and remaining tests, without ordering any."""
    key = (
        environment.get(settings.token, "") if settings.token and source.name != ATLAS else ""
    )  # lists need none
    try:
        with RemoteServer(source.name, settings.mirror, key, PATIENCE) as server:
            get, about = encoded_answers(server), f"the answers of {source.name}"
            (checked,) = asking(
                SourceCheck, check_orders, get, source.name, country, about=about, wanted=RemoteRequest
            )
    except FanousError as error:
        return SourceCheck(source.name, ABOUT_ORDERS, AnswerState.UNREACHED, why=str(error))
    return checked


def _bucket_checked(source: MeasurementSource, mirror: str, country: str, now: float) -> SourceCheck:
    """Lists an hour of one country, and reads its smallest object."""
    hour = (now - BUCKET_LATELY) // HOUR * HOUR
    (prefix,) = prefixes(country, (), hour, ())
    try:
        bucket = Bucket(mirror, PATIENCE_OF_BUCKET)
        objects, failures, is_bucket = listed(bucket, country, (), (hour,), hour)
        if not objects and is_bucket:
            why = "nothing was uploaded from there in that hour, but from other countries"
            return SourceCheck(source.name, prefix, AnswerState.AS_EXPECTED, why=why)
        if not objects:
            return SourceCheck(source.name, prefix, AnswerState.DIFFERS, why=failures[0][1])
        smallest = min(once_each(objects), key=lambda published: published.size)
        with TemporaryDirectory(prefix="fanous-doctor-") as folder:
            path = bucket.save(smallest, Path(folder))
            sample = answered(
                ObjectSample, read_sample, source.name, path, about=smallest.key, grant=Grant(reads=(path,))
            )
    except FanousError as error:
        return SourceCheck(source.name, prefix, AnswerState.UNREACHED, why=str(error))
    stems = {published.stem for published in objects}
    without = len(stems - {published.stem for published in objects if published.is_bodies})
    differs = list(dict.fromkeys(sample.rejects))[:5]
    if without:
        differs.append(f"{without} of {len(stems)} objects have no .tar.gz, which alone holds identities")
    return SourceCheck(
        source.name,
        smallest.key,
        AnswerState.DIFFERS if differs else AnswerState.AS_EXPECTED,
        tuple(differs),
        "" if sample.records else "it holds no measurement",
        measurements=sample.records,
    )


def _checked(
    source: Source, settings: SourceSettings, country: str, now: int, environment: Mapping[str, str]
) -> Iterator[SourceCheck]:
    """One question of each kind that the source can be asked, about the country as a whole."""
    key = environment.get(settings.token, "") if settings.token else ""
    if settings.token and not key:
        yield SourceCheck(
            source.name,
            "",
            AnswerState.NOT_ASKED,
            why=f"it needs a key in the environment variable {settings.token}",
        )
        return
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with Polite(source, mirror=settings.mirror, waits=PATIENCE, headers=headers) as client:
        about = f"the answers of {source.name}"
        yield from asking(
            SourceCheck, read_checks, client.get, source.name, country, now, about=about, wanted=str
        )


# --- in a confined process ----------------------------------------------------------------------------------


class ObjectSample(NamedTuple):
    """What is in an object: number of records, and why some cannot be used."""

    records: int
    rejects: tuple[str, ...]


def read_sample(_: IO[bytes], name: str, path: Path) -> ObjectSample:
    """What is in an object of a source of measurements.

    Raises:
        FanousError: it cannot be read at all.
    """
    source, rejects = MEASUREMENT_SOURCES[name], list[str]()
    records = list(source.read(path, lambda _, why: rejects.append(why)))
    for record in records:
        try:
            source.parse(record)
        except Rejected as reason:
            rejects.append(str(reason))
    return ObjectSample(len(records), tuple(rejects))


def check_orders(
    get: Callable[[RemoteRequest], bytes], send: Send[SourceCheck], name: str, country: str
) -> None:
    """How many vantage points could be asked; FanousError: the service cannot be reached."""
    exchange = exchange_by(get)
    try:
        if name == ATLAS:
            atlas = AtlasClient(exchange)
            networks = [
                one.asn_v4 or 0 for one in probes_of_users(country, atlas.probes(country_code=country))
            ]
            more = f"{len(atlas.probes(is_anchor='true'))} anchors"
        else:
            globalping = GlobalpingClient(exchange)
            limits, networks = globalping.limits(), lines_of_users(country, globalping.probes())
            more = f"{limits.remaining} of {limits.limit} tests left in this hour"
    except Rejected as reason:
        send(SourceCheck(name, ABOUT_ORDERS, AnswerState.DIFFERS, why=str(reason)))
        return
    usable = sum(count for _, count in by_users(country, networks))
    send(
        SourceCheck(name, ABOUT_ORDERS, AnswerState.AS_EXPECTED, why=f"{usable} usable in {country}, {more}")
    )


def read_checks(get: Get, send: Send[SourceCheck], name: str, country: str, now: int) -> None:
    """The checks of a live source, by what it answers."""
    source = LIVE_SOURCES[name]
    until = (now - LATELY) // source.every * source.every
    try:  # the newest piece of each kind, if a source is asked in several ways
        newest = {piece.name: piece for piece in source.pieces(Query(country, until - DAY, until), get)}
    except Rejected as reason:
        about, why = f"country/{country}", "its list of places cannot be read"
        send(SourceCheck(name, about, AnswerState.DIFFERS, (str(reason),), why))
        return
    except FanousError as error:
        send(SourceCheck(name, f"country/{country}", AnswerState.UNREACHED, why=str(error)))
        return
    for piece in newest.values():
        send(_answered(source, piece, country, get))


def _answered(source: LiveSource, piece: Piece, country: str, get: Get) -> SourceCheck:
    try:
        data = document_of(source, get, piece) if piece.also else get(piece.url)
    except FanousError as error:
        return SourceCheck(source.name, piece.name, AnswerState.UNREACHED, why=str(error))
    try:
        parsed = source.parse(data, country, piece.name)
    except Rejected as reason:
        return SourceCheck(source.name, piece.name, AnswerState.DIFFERS, why=str(reason))
    rejects = tuple(dict.fromkeys(why for _, why in parsed.rejects))[:5]
    if parsed.is_sound:
        return SourceCheck(source.name, piece.name, AnswerState.AS_EXPECTED, why="; ".join(rejects))
    if not (parsed.series or rejects or source.may_be_empty):
        why = "the answer holds no series of the country"
        return SourceCheck(source.name, piece.name, AnswerState.DIFFERS, why=why)
    return SourceCheck(
        source.name,
        piece.name,
        AnswerState.DIFFERS if rejects else AnswerState.AS_EXPECTED,
        rejects,
        series=len(parsed.series),
        values=sum(len(levels) for levels in parsed.series),
        claims=len(parsed.claims),
    )
