"""Pull OONI: imports measurements from OONI's public bucket into the store, newest uploads first.

The wanted time is the time of measurement, but the bucket is ordered by time of upload.  A measurement made in a
blackout is uploaded when it is over, so later uploads are read too, for ``LATE`` after the wanted time, keeping only
what began in it.

Each object is fetched, stored, then remembered with its ETag.  A run that was killed continues where it was, within an
object too, and the same measurement counts once however often it is read.
"""

import csv
import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from fanous.base.confine import Grant
from fanous.base.threads import Threads
from fanous.errors import FanousError
from fanous.model.coverage import Backfill
from fanous.model.instant import DAY, HOUR
from fanous.model.measurement import Provenance
from fanous.pipeline.detect import detect_all
from fanous.pipeline.ingest import bring_in, ingest
from fanous.pipeline.judge import Ingested
from fanous.pipeline.reader import Send, answers
from fanous.pipeline.replay import finish_interrupted, remarks
from fanous.pipeline.revise import backfill_of
from fanous.sources.connector import Get
from fanous.sources.ooni.bucket import (
    AT_ONCE,
    BY_HOUR,
    LATE,
    REWRITTEN,
    Bucket,
    PublishedObject,
    hours,
    in_window,
    once_each,
    prefixes,
)
from fanous.store.engine import LAST
from fanous.store.protocol import Store
from fanous.store.series import Pulled

SOURCE = "ooni"

FIRST_DAYS = 60
"""Days to fetch by default: two months show what was usual before an event."""

DETECT_EVERY = 600.0
"""Seconds between two detections while a long pull goes on."""

LISTED_AT_ONCE = 8

UNREACHED = 2 * AT_ONCE
"""Objects that fail one after the other before the rest is not tried any more: the connection is gone."""

MOST_TOGETHER, BYTES_TOGETHER = 50, 8 << 20
"""Most objects, and most of their bytes, that are stored at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which measurements to pull; times are of measurement, unix seconds, UTC, half-open.

    Attributes:
        tests: names of nettests; empty = all.
        until: infinite = no end.
        late: seconds after the wanted time in which uploads are read, too.
    """

    country: str
    since: float
    until: float = inf
    tests: tuple[str, ...] = ()
    late: float = LATE

    @property
    def names(self) -> tuple[str, ...]:
        """The tests as names of objects have them."""
        return tuple(sorted({test.replace("_", "").lower() for test in self.tests}))

    @property
    def listing(self) -> str:
        """The name under which listed hours are remembered."""
        return f"hours of {','.join(self.names) or 'all tests'} since {int(self.since)}"


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What to fetch.

    Attributes:
        objects: the newest first.
        had: objects already in the store.
        hours: hours of upload that were listed.
        is_bucket: something was listed, of this country or of another one: what answered is the bucket.
        failures: (prefix, why): what could not be listed.
        late_after: unix seconds from which uploads are read only for late arrivals.
    """

    objects: tuple[PublishedObject, ...]
    had: int
    hours: tuple[float, ...]
    failures: tuple[tuple[str, str], ...] = ()
    late_after: float = inf
    is_bucket: bool = True

    @property
    def size(self) -> int:
        return sum(one.size for one in self.objects)

    @property
    def late_size(self) -> int:
        """Bytes that are read only for late arrivals."""
        return sum(one.size for one in self.objects if one.hour >= self.late_after)


@dataclass(slots=True)
class PulledMeasurements:
    """The result of a pull.

    Attributes:
        objects: number of objects fetched and stored; ``size``: their bytes.
        missing: objects and hours that could not be fetched now; those that nothing can read are not among them.
        failures: (object or prefix, why).
        controls: what was pulled from other countries afterwards (``pipeline.controls``).
    """

    wanted: Wanted
    plan: PullPlan
    objects: int = 0
    size: int = 0
    missing: int = 0
    tally: Ingested = field(default_factory=Ingested)
    failures: list[tuple[str, str]] = field(default_factory=list)
    controls: "list[PulledMeasurements]" = field(default_factory=list)

    @classmethod
    def begun(cls, wanted: Wanted, plan: PullPlan) -> "PulledMeasurements":
        return cls(wanted, plan, missing=len(plan.failures), failures=list(plan.failures))

    @property
    def back_to(self) -> float | None:
        """Everything uploaded since then is in; ``None`` = nothing yet."""
        return self.plan.objects[self.objects - 1].hour if self.objects else None

    @property
    def uploads_until(self) -> float | None:
        """The end of the newest hour inspected; ``None`` = none was."""
        return max(self.plan.hours) + HOUR if self.plan.hours else None

    @property
    def may_come_until(self) -> float | None:
        """Until when measurements of the wanted time may still be uploaded; ``None`` = no more are expected."""
        seen = self.uploads_until
        last = self.wanted.until + self.wanted.late
        return last if self.wanted.until < inf and seen is not None and seen < last else None


FetchedObject = tuple[PublishedObject, Path | FanousError]
"""An object, and the file with it or why there is none."""

OnObjects = Callable[[PulledMeasurements], None]


def pull(
    store: Store,
    bucket: Bucket,
    wanted: Wanted,
    folder: Path,
    *,
    now: Callable[[], float] = time.time,
    on_plan: Callable[[PullPlan], None] = lambda _plan: None,
    on_objects: OnObjects = lambda _done: None,
) -> PulledMeasurements:
    """Import measurements, and detect: after the newest day, now and then, and at the end.

    Args:
        folder: for what is fetched until it is stored.

    Raises:
        FanousError: nothing could be listed.
    """
    planned = plan(bucket, wanted, store.facts.pulled(SOURCE, wanted.country), now())
    on_plan(planned)
    done = PulledMeasurements.begun(wanted, planned)
    done.tally.remarks += remarks(finish_interrupted(store))
    newest = planned.objects[0].hour if planned.objects else 0.0
    detected = time.monotonic()
    is_first_day = True
    note_progress(store, done, newest + HOUR, now())
    try:
        for group in together(fetched(bucket, planned.objects, folder)):
            if (
                is_first_day and group[0][0].hour <= newest - DAY
            ) or time.monotonic() - detected > DETECT_EVERY:
                detect_all(store)
                detected, is_first_day = time.monotonic(), False
            keep(store, group, done, bucket, now())
            note_progress(store, done, group[-1][0].hour, now())
            on_objects(done)
        remember(store, done, now())
    finally:
        end_backfill(store, wanted.country, if_stalled=done.missing > 0)
        detect_all(store)
    return done


def note_progress(store: Store, done: PulledMeasurements, back_to: float, now: float) -> None:
    """Let detection know how much of the past is still missing, if any.

    Args:
        back_to: everything uploaded since then is in, except what could not be fetched.
    """
    objects, country = done.plan.objects, done.wanted.country
    if not objects or objects[-1].hour >= min(back_to, now - REWRITTEN):
        return
    before = store.ledger.backfill(country)
    if done.missing and before is not None:
        back_to = max(back_to, before.back_to)
    at = store.now() if done.objects or before is None else before.at
    store.ledger.note_backfill(country, Backfill(objects[-1].hour, back_to, at))


def end_backfill(store: Store, country: str, *, if_stalled: bool = False) -> None:
    """Everything that will come is in: the next detection decides again what was provisional.

    Args:
        if_stalled: only if nothing has come in for a long time.
    """
    going = store.ledger.backfill(country)
    if going is not None and not (if_stalled and backfill_of(store, country)):
        store.ledger.note_backfill(country, None)
        store.ledger.mark_undetected({country: (going.since, store.now())})


META = "https://api.ooni.io/api/v1/measurement_meta?full=true&measurement_uid="
"""Address of one measurement in OONI's API."""


def pull_uids(store: Store, uids: Sequence[str], get: Get, *, is_ooni: bool) -> Ingested:
    """Import single measurements over OONI's API, and detect.

    Args:
        is_ooni: OONI itself is asked, not a mirror.

    Raises:
        FanousError: the API cannot be reached.
    """
    with TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.jsonl"
        lines = (get(META + quote(uid)).replace(b"\n", b" ").strip() for uid in uids)
        answers.write_bytes(b"".join(line + b"\n" for line in lines))
        provenance = Provenance.REAL if is_ooni else Provenance.IMPORTED
        return ingest(store, SOURCE, [answers], provenance=provenance)


OBSERVATIONS = "https://api.ooni.io/api/v1/observations?"
"""Rows of OONI's table of observations, the newest first, under the names that ``ooni-csv`` reads (ooni/backend,
oonimeasurements/routers/data/list_observations.py, commit 01f75112)."""

PAGE_ROWS, MOST_PAGES = 1000, 10
"""The API is not for bulk use: it limits requests per address and minute, and the bucket has everything."""

QUICK_DAYS = 7
"""Default number of days, the same as the API's."""


@dataclass(frozen=True, slots=True)
class QuickAnswer:
    """The API's quick answer.

    Attributes:
        back_to: the time of the oldest row, as the API writes it; empty = there was none.
        is_whole: nothing older from the wanted time was left out.
    """

    tally: Ingested
    back_to: str
    is_whole: bool


def pull_quick(
    store: Store,
    wanted: Wanted,
    get: Get,
    now: float,
    *,
    is_ooni: bool,
    page: int = PAGE_ROWS,
    pages: int = MOST_PAGES,
) -> QuickAnswer:
    """Import the newest observations over OONI's API: a first answer within a minute, without controls.

    Whole records replace these rows when they are pulled from the bucket.  The API takes whole days, so up to a day
    more than is wanted may come.

    Args:
        is_ooni: OONI itself is asked, not a mirror.

    Raises:
        FanousError: the API cannot be reached, or its answers have changed.
    """
    until = min(wanted.until, now)
    asked = {
        "probe_cc": wanted.country,
        "since": _day(wanted.since),
        "until": _day(until + DAY),
        "limit": str(page),
    }
    rows: list[dict[str, Any]] = []
    is_whole = False
    for test in wanted.tests or ("",):
        for number in range(pages):
            more = {"offset": str(page * number)} | ({"test_name": test} if test else {})
            found = _rows_of(get(OBSERVATIONS + urlencode(asked | more)))
            rows += found
            is_whole = len(found) < page
            if is_whole:
                break
    if rows and not is_whole:  # the rows of the oldest measurement may be cut off
        cut = rows[-1].get("measurement_uid")
        rows = [row for row in rows if row.get("measurement_uid") != cut]
    with TemporaryDirectory() as folder:
        table = Path(folder) / "observations.csv"
        _write_rows(rows, table)
        provenance = Provenance.REAL if is_ooni else Provenance.IMPORTED
        tally = ingest(store, QUICK_SOURCE, [table], provenance=provenance) if rows else Ingested()
    return QuickAnswer(tally, min((str(row["measurement_start_time"]) for row in rows), default=""), is_whole)


QUICK_SOURCE = "ooni-csv"


def _day(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d")


class _Observations(msgspec.Struct):
    results: list[dict[str, Any]]


def _rows_of(answer: bytes) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(answer, type=_Observations).results
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FanousError(
            f"OONI's API no longer answers as it used to ({error}). `fanous doctor --sources` says what differs; "
            "`fanous pull ooni` without --quick reads OONI's bucket instead"
        ) from error


def _write_rows(rows: Sequence[dict[str, Any]], path: Path) -> None:
    columns = sorted({name for row in rows for name in row})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(
            {name: "" if value is None else value for name, value in row.items()} for row in rows
        )


def plan(bucket: Bucket, wanted: Wanted, known: Sequence[Pulled], now: float) -> PullPlan:
    """The wanted objects in the bucket that the store lacks.

    Args:
        known: what was already pulled for this country.

    Raises:
        FanousError: nothing could be listed.
    """
    ends = min(now, wanted.until + wanted.late)
    if wanted.since >= ends:
        return PullPlan((), 0, ())
    settled = [one for one in known if one.piece == wanted.listing]
    look = [hour for hour in hours(wanted.since, ends) if not _is_settled(hour, settled)]
    busy = max(BY_HOUR, min(wanted.since, now - DAY) // HOUR * HOUR)
    listing = listed(bucket, wanted.country, wanted.names, look, busy)
    objects = once_each(in_window(listing.objects, wanted.names))
    read: dict[str, list[Pulled]] = {}
    for pulled in known:
        read.setdefault(pulled.piece, []).append(pulled)
    new = [one for one in objects if not _is_read(one, wanted, read)]
    return PullPlan(
        tuple(new),
        len(objects) - len(new),
        tuple(look),
        listing.failures,
        wanted.until,
        is_bucket=listing.is_bucket,
    )


class Listing(NamedTuple):
    """What a bucket lists; fields as in ``PullPlan``, but with objects twice where it has them twice."""

    objects: tuple[PublishedObject, ...]
    failures: tuple[tuple[str, str], ...]
    is_bucket: bool


def listed(bucket: Bucket, country: str, tests: Sequence[str], look: Sequence[float], busy: float) -> Listing:
    """What was uploaded in some hours, as a confined process reads the lists.

    Args:
        tests: without underscores; empty = all.
        busy: an hour since ``BY_HOUR`` in which some country must have uploaded something.

    Raises:
        FanousError: nothing could be listed.
    """
    given = bucket.address, bucket.patience, country, tuple(tests), tuple(look), busy
    internet = Grant(internet=True)
    (listing,) = answers(Listing, list_uploads, *given, about=f"lists of {bucket.address}", grant=internet)
    return listing


def list_uploads(
    send: Send[Listing],
    address: str,
    patience: timedelta,
    country: str,
    tests: Sequence[str],
    look: Sequence[float],
    busy: float,
) -> None:
    """See ``listed``; for a confined process, which reaches the internet."""
    bucket = Bucket(address, patience)
    known = bucket.tests() if any(hour < BY_HOUR for hour in look) and not tests else ()
    asked = [prefix for hour in look for prefix in prefixes(country, tests, hour, known)]
    found, failures = _listed(bucket, asked)
    is_bucket = bool(found or known or not asked)
    if not is_bucket:
        try:
            is_bucket = bucket.has_uploads(busy)
            why = f"{address} lists no measurement of any country: is it OONI's bucket?"
        except FanousError as error:
            why = str(error)
        if not is_bucket and not failures:
            failures.append(("raw/", why))
    send(Listing(tuple(found), tuple(failures), is_bucket))


def _is_settled(hour: float, listings: Sequence[Pulled]) -> bool:
    """Was it listed, and read, when no more was expected?"""
    return any(
        one.since <= hour and hour + HOUR <= one.until and one.pulled_at >= hour + HOUR + REWRITTEN
        for one in listings
    )


def _listed(bucket: Bucket, asked: Sequence[str]) -> tuple[list[PublishedObject], list[tuple[str, str]]]:
    """The objects under these names, and the names that could not be listed.

    Raises:
        FanousError: as many failed in a row as are asked at once, so it is useless to go on.
    """
    found: list[PublishedObject] = []
    failures: list[tuple[str, str]] = []
    in_a_row = 0
    for start in range(0, len(asked), LISTED_AT_ONCE):
        some = asked[start : start + LISTED_AT_ONCE]
        with Threads(LISTED_AT_ONCE, "list") as threads:
            for prefix, answer in [(prefix, threads.submit(bucket.list, prefix)) for prefix in some]:
                try:
                    found += answer.result()
                    in_a_row = 0
                except FanousError as error:
                    failures.append((prefix, str(error)))
                    in_a_row += 1
        if in_a_row >= min(LISTED_AT_ONCE, len(asked)):
            raise FanousError(failures[-1][1], permanent=False)
    return found, failures


def _piece(one: PublishedObject) -> str:
    return f"{one.stem} {one.etag}"


def _is_read(one: PublishedObject, wanted: Wanted, read: dict[str, list[Pulled]]) -> bool:
    """Was this state of it read, for the whole of the wanted time in which its measurements can lie?"""
    until = min(
        wanted.until, one.hour + 2 * DAY
    )  # only with a clock that is ahead can an upload precede its measurement
    return any(
        before.since <= wanted.since and before.until >= min(until, LAST)
        for before in read.get(_piece(one), ())
    )


def fetched(bucket: Bucket, objects: Sequence[PublishedObject], folder: Path) -> Generator[FetchedObject]:
    """Each object in order, as a file or with the reason for its absence; a few are fetched ahead.

    Files of other objects are removed from the folder.
    """
    names = {one.file_name for one in objects}
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.is_file() and path.name.removesuffix(".part") not in names:
            path.unlink(missing_ok=True)
    waiting: deque[tuple[PublishedObject, Future[Path]]] = deque()
    rest, stopped = iter(objects), Event()
    threads = Threads(AT_ONCE, "fetch")
    in_a_row = 0
    try:
        while in_a_row < UNREACHED:
            while len(waiting) <= AT_ONCE and (one := next(rest, None)) is not None:
                waiting.append((one, threads.submit(bucket.save, one, folder, stopped.is_set)))
            if not waiting:
                return
            one, coming = waiting.popleft()
            try:
                path = coming.result()
            except FanousError as error:
                in_a_row += not error.permanent
                yield one, error
            else:
                in_a_row = 0
                yield one, path
    finally:
        stopped.set()
        threads.shutdown(wait=False, cancel_futures=True)
    for one in (*(one for one, _ in waiting), *rest):
        why = f"not tried, since {UNREACHED} objects before it could not be fetched; pull again"
        yield one, FanousError(why, permanent=False)


def together(objects: Iterable[FetchedObject]) -> Iterator[list[FetchedObject]]:
    """Groups of a day's objects that are stored at once: most hold few measurements, and storing a few takes as long as
    storing many."""
    group: list[FetchedObject] = []
    for found in objects:
        if group and (
            len(group) == MOST_TOGETHER
            or sum(one.size for one, _ in group) + found[0].size > BYTES_TOGETHER
            or found[0].hour // DAY != group[0][0].hour // DAY
        ):
            yield group
            group = []
        group.append(found)
    if group:
        yield group


def keep(
    store: Store, group: Sequence[FetchedObject], done: PulledMeasurements, bucket: Bucket, now: float
) -> None:
    """Store the objects' measurements of the wanted time, then remember the objects; detects nothing."""
    files = arrived(group, done)
    try:
        _bring(store, files, done, bucket, now)
    except FanousError:
        for one in files:  # one object failed; the others count
            try:
                _bring(store, [one], done, bucket, now)
            except FanousError as error:
                done.failures.append((one[0].key, str(error)))
    finally:
        for _, path in files:
            path.unlink(missing_ok=True)


def arrived(group: Iterable[FetchedObject], done: PulledMeasurements) -> list[tuple[PublishedObject, Path]]:
    """The objects that could be fetched; the others become failures."""
    files = []
    for one, found in group:
        if isinstance(found, Path):
            files.append((one, found))
        else:
            done.failures.append((one.key, str(found)))
            done.missing += not found.permanent
    return files


def _bring(
    store: Store,
    files: Sequence[tuple[PublishedObject, Path]],
    done: PulledMeasurements,
    bucket: Bucket,
    now: float,
) -> None:
    span = (done.wanted.since, done.wanted.until)
    paths = [path for _, path in files]
    provenance, there = provenance_of(bucket), addresses(bucket, files)
    bring_in(store, SOURCE, paths, done.tally, provenance=provenance, began=span, published=there)
    taken(store, [one for one, _ in files], done, now)


def addresses(bucket: Bucket, files: Iterable[tuple[PublishedObject, Path]]) -> dict[Path, str]:
    """Where each file is published."""
    return {path: bucket.address_of(one.key) for one, path in files}


def provenance_of(bucket: Bucket) -> Provenance:
    """Real from OONI itself; a mirror is vouched for by the operator, since we do not know where its records come
    from."""
    return Provenance.REAL if bucket.is_ooni else Provenance.IMPORTED


def taken(store: Store, objects: Sequence[PublishedObject], done: PulledMeasurements, now: float) -> None:
    """Remember that these objects are stored completely."""
    wanted = done.wanted
    rows = [Pulled(_piece(one), wanted.since, min(wanted.until, LAST), now) for one in objects]
    store.facts.put_pulled(SOURCE, wanted.country, rows)
    done.objects += len(objects)
    done.size += sum(one.size for one in objects)


def first_wanted(country: str, days: int, now: float) -> Wanted:
    """What to pull by default.

    Args:
        days: how many days before today; 0 = ``FIRST_DAYS``.
    """
    return Wanted(country, (now // DAY - (days or FIRST_DAYS)) * DAY)


def remember(store: Store, done: PulledMeasurements, now: float) -> None:
    """Remember which hours need not be listed again: those in which nothing failed.

    If no hour has any object, nothing is remembered: the answers may not have come from the bucket.
    """
    failed = {hour for name, _ in done.failures if (hour := _hour_in(name)) is not None}
    spans = _spans([hour for hour in done.plan.hours if hour not in failed])
    if not spans or not done.plan.is_bucket:
        return
    store.facts.put_pulled(
        SOURCE,
        done.wanted.country,
        [Pulled(done.wanted.listing, first, last, now) for first, last in spans],
    )


_BY_HOUR = re.compile(r"raw/(\d{8})/(\d{2})/")
_BY_DAY = re.compile(r"jsonl/[^/]+/[A-Z]{2}/(\d{8})/")


def _hour_in(name: str) -> float | None:
    """The hour of upload in the name of an object or of what is listed."""
    if match := _BY_HOUR.match(name) or _BY_DAY.match(name):
        return (
            datetime.strptime("".join((*match.groups(), "00"))[:10], "%Y%m%d%H")
            .replace(tzinfo=UTC)
            .timestamp()
        )
    return None


def _spans(listed: Sequence[float]) -> list[tuple[float, float]]:
    """Hours as spans without gaps."""
    spans: list[tuple[float, float]] = []
    for hour in sorted(listed):
        if spans and spans[-1][1] == hour:
            spans[-1] = (spans[-1][0], hour + HOUR)
        else:
            spans.append((hour, hour + HOUR))
    return spans
