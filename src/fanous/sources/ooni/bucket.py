"""Bucket: the public bucket in which OONI publishes every measurement, by the hour in which it was uploaded.

Names are ``raw/YYYYMMDD/HH/CC/test/YYYYMMDDHH_CC_test.nX.N.jsonl.gz`` and the same with ``.tar.gz`` (ooni/backend,
api/ooni_api_uploader.py, ``main``, commit 98f0025a): lines rewritten by the uploader, and the bodies that probes
sent, in members that are named by their UID.  Both hold the same measurements, so one is read, the ``.tar.gz`` if it is
there.  Until October 2020 there is ``jsonl/test/CC/YYYYMMDD/HH/``, with days in place of hours in its names (ooni/data,
oonidata/dataclient.py, ``get_v2_prefixes`` and ``get_filename_meta_v2``, commit 40ecc64c).  These days exist a second
time in ``canned/DAY/*.lz4``, most of them with all countries in one file: they are not pulled, and `fanous ingest ooni`
reads them as files.

An hour appears one to two hours after it began, and may be rewritten: its ETag shows whether it was.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fanous.config import LOOPBACK
from fanous.errors import FanousError
from fanous.model.instant import DAY, HOUR

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import S3Store

NAME, REGION = "ooni-data-eu-fra", "eu-central-1"

BY_HOUR = datetime(2020, 10, 20, tzinfo=UTC).timestamp()
"""The first hour whose uploads are in ``raw/``; earlier days are in ``jsonl/``."""

LATE = 14 * DAY
"""Seconds to wait for a measurement's upload: measurements made in a blackout are uploaded afterwards."""

REWRITTEN = 48 * HOUR
"""Seconds for which an hour is listed again: late uploads may be added to it, and its objects may be rewritten."""

AT_ONCE = 4
"""Objects fetched at the same time: others pay for the bucket."""

PATIENCE = timedelta(minutes=5)
"""How long a request is retried before it counts as failed."""

MOST_OBJECTS = 10_000
"""Objects under one prefix: the fullest hour of a country has some hundreds.  A listing with more is broken."""

MOST_BYTES = 2 << 30
"""Bytes of one object: today's are split at about 20 MB, and whole days from before October 2020 had some hundreds."""

LONGEST_NAME = 200
"""Characters of an object's name: a file is named after it."""

CHUNK = 1 << 20

_NAME = re.compile(r"(\d{8})(\d{2})?_([A-Z]{2})_([a-z0-9]+)\.([A-Za-z0-9.]+?)\.(jsonl|tar)\.gz")


@dataclass(frozen=True, slots=True)
class PublishedObject:
    """One object of the bucket.

    Attributes:
        hour: when the hour, or day, of upload began; unix seconds, UTC.
        test: the nettest without underscores, as in its name.
        stem: its name without the packing: two objects with one stem have the same measurements.
        is_bodies: it has the bodies as probes sent them, with UIDs.
    """

    key: str
    size: int
    etag: str
    hour: float
    country: str
    test: str
    stem: str
    is_bodies: bool

    @property
    def file_name(self) -> str:
        """A name for a copy of this version."""
        state = re.sub(r"[^0-9A-Za-z]", "", self.etag)[:32]
        return f"{self.stem}.{state}.{'tar' if self.is_bodies else 'jsonl'}.gz"


def published(key: str, size: int, etag: str) -> PublishedObject | None:
    """The object that a name describes; ``None`` = not one with measurements."""
    name = PurePosixPath(key).name
    match = _NAME.fullmatch(name)
    if match is None or len(name) > LONGEST_NAME:
        return None
    day, hour, country, test, _, kind = match.groups()
    try:
        began = datetime.strptime(day + (hour or "00"), "%Y%m%d%H").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    stem = name.removesuffix(f".{kind}.gz")
    return PublishedObject(key, size, etag, began, country, test, stem, kind == "tar")


def once_each(objects: Iterable[PublishedObject]) -> list[PublishedObject]:
    """One of each set of objects with the same measurements, newest first."""
    chosen: dict[str, PublishedObject] = {}
    for one in objects:
        if one.stem not in chosen or one.is_bodies:
            chosen[one.stem] = one
    return sorted(chosen.values(), key=lambda one: (-one.hour, one.stem))


def in_window(objects: Iterable[PublishedObject], tests: Iterable[str]) -> Iterator[PublishedObject]:
    """The objects of some tests; empty = all."""
    wanted = set(tests)
    return (one for one in objects if not wanted or one.test in wanted)


def prefixes(country: str, tests: Iterable[str], hour: float, known: Iterable[str]) -> list[str]:
    """The prefixes of everything uploaded in one hour.

    Args:
        tests: without underscores; empty = all.
        known: names of the tests that ``jsonl/`` has.
    """
    moment, wanted = datetime.fromtimestamp(hour, UTC), sorted(set(tests))
    if hour >= BY_HOUR:
        folder = f"raw/{moment:%Y%m%d/%H}/{country}"
        return [f"{folder}/{test}/" for test in wanted] if len(wanted) == 1 else [f"{folder}/"]
    if moment.hour:
        return []
    return [f"jsonl/{test}/{country}/{moment:%Y%m%d}/" for test in wanted or sorted(set(known))]


def hours(since: float, until: float) -> list[float]:
    """The hours of a span, the newest first; days that are not kept by the hour, from their beginning."""
    since = since if since >= BY_HOUR else since // DAY * DAY
    first, last = int(since // HOUR), int(-(-until // HOUR))
    return [float(number * HOUR) for number in range(last - 1, first - 1, -1)]


class Bucket:
    """Lists and fetches objects, unsigned.

    Args:
        mirror: address of an S3 server that has the bucket; empty = Amazon's.
        patience: how long a request is retried.
    """

    def __init__(self, mirror: str = "", patience: timedelta = PATIENCE) -> None:
        self.is_ooni = not mirror
        self.address = mirror.rstrip("/") or f"https://s3.{REGION}.amazonaws.com"
        self._store, self.patience = _store_at(self.address, patience), patience

    def tests(self) -> list[str]:
        """The tests that ``jsonl/`` has."""
        import obstore

        with _asking(self.address, "list jsonl/"):
            found = obstore.list_with_delimiter(self._store, "jsonl/")
        return [PurePosixPath(prefix).name for prefix in found["common_prefixes"]]

    def has_uploads(self, hour: float) -> bool:
        """Does it list anything of any country that was uploaded in an hour since ``BY_HOUR``?  No login page of a
        network does, and so an empty listing of one country means something."""
        prefix = f"raw/{datetime.fromtimestamp(hour, UTC):%Y%m%d/%H}/"
        return bool(self._listed(prefix, enough=1))

    def list(self, prefix: str) -> list[PublishedObject]:
        """Every object of measurements with this prefix, and with the prefix's country.

        Raises:
            FanousError: it cannot be listed, or the listing does not end.
        """
        found = self._listed(prefix, enough=MOST_OBJECTS + 1)
        if len(found) > MOST_OBJECTS:
            raise FanousError(
                f"cannot list {prefix} at {self.address}: the listing does not end, so it was given up; try again "
                "later",
                permanent=False,
            )
        known = (published(str(meta["path"]), int(meta["size"]), meta["e_tag"] or "") for meta in found)
        return [
            one
            for one in known
            if one is not None and one.key.startswith(prefix) and f"/{one.country}/" in prefix
        ]

    def _listed(self, prefix: str, enough: int) -> "Sequence[ObjectMeta]":
        """What stands under a prefix, until there is enough.

        Raises:
            FanousError: it cannot be listed, or did not all come in time: a server may be silent, or name a next page
                forever.
        """
        lasts = 2 * self.patience.total_seconds()
        try:
            with _asking(self.address, f"list {prefix}"):
                return asyncio.run(_listed(self._store, prefix, lasts, enough))
        except TimeoutError:
            raise FanousError(
                f"cannot list {prefix} at {self.address}: the listing was not complete in {lasts:.0f} s; it has been "
                "given up",
                permanent=False,
            ) from None

    def save(self, one: PublishedObject, folder: Path, stopped: Callable[[], bool] = lambda: False) -> Path:
        """The complete file of the object; parts fetched by an interrupted run are not fetched again.

        Args:
            stopped: asked after each megabyte whether to stop.

        Raises:
            FanousError: it cannot be fetched, has changed since it was listed, or was stopped.
        """
        whole = folder / one.file_name
        if whole.exists():
            return whole
        folder.mkdir(parents=True, exist_ok=True)
        part = whole.with_name(f"{whole.name}.part")
        with _asking(self.address, f"fetch {one.key}"):
            self._continue(one, part, stopped)
        size = part.stat().st_size
        if size != one.size:
            part.unlink()
            raise FanousError(
                f"{one.key} has {size:,} bytes instead of {one.size:,}: it will be fetched again next time",
                permanent=False,
            )
        part.replace(whole)
        return whole

    def address_of(self, key: str) -> str:
        """The address by which ``fetch_object`` finds it again."""
        return f"{self.address}/{NAME}/{key}"

    def fetch(self, key: str, folder: Path) -> Path:
        """An object in its present version.

        Raises:
            FanousError: it cannot be fetched; permanent if it is no longer there.
        """
        import obstore

        path = folder / PurePosixPath(key).name
        with _asking(self.address, f"fetch {key}"), path.open("wb") as file:
            for chunk in obstore.get(self._store, key).stream(min_chunk_size=CHUNK):
                file.write(chunk)
                if file.tell() > MOST_BYTES:
                    raise FanousError(f"{key} is larger than any object of measurements", permanent=False)
        return path

    def _continue(self, one: PublishedObject, part: Path, stopped: Callable[[], bool]) -> None:
        import obstore
        from obstore.exceptions import BaseError

        begun = part.stat().st_size if part.exists() else 0
        if begun > one.size:
            part.unlink()
            begun = 0
        if begun == one.size > 0:
            return
        if one.size > MOST_BYTES:
            raise FanousError(
                f"{one.key} has {one.size:,} bytes, more than any object of measurements: it is left out"
            )
        options: GetOptions = {"if_match": one.etag} if one.etag else {}
        if begun:
            options["range"] = {"offset": begun}
        try:
            found = obstore.get(self._store, one.key, options=options)
        except BaseError as error:
            if not (begun and "NotPartial" in str(error)):
                raise
            part.unlink()  # unlike S3, the server did not answer with a part, so begin again
            self._continue(one, part, stopped)
            return
        with part.open("ab") as file:
            for chunk in found.stream(min_chunk_size=CHUNK):
                file.write(chunk)
                begun += len(chunk)
                if begun > one.size:
                    return  # it has grown, which ``save`` will see from its size
                if stopped():
                    raise FanousError(f"{one.key}: stopped; it will continue next time", permanent=False)


async def _listed(store: "S3Store", prefix: str, lasts: float, enough: int) -> "list[ObjectMeta]":
    """Raises ``TimeoutError`` after ``lasts`` seconds."""
    import obstore

    found: list[ObjectMeta] = []
    async with asyncio.timeout(lasts):
        async for chunk in obstore.list(store, prefix):
            found += chunk
            if len(found) >= enough:
                break
    return found


def fetch_object(address: str, folder: Path) -> Path:
    """The object at an address that ``Bucket.address_of`` gave, as a file; errors as for ``Bucket.fetch``."""
    mirror, _, key = address.partition(f"/{NAME}/")
    return Bucket(mirror).fetch(key, folder)


def _store_at(address: str, patience: timedelta) -> "S3Store":
    from obstore.store import S3Store

    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise FanousError(f"{address} is not https: without encryption, the data may have been tampered with")
    return S3Store(
        NAME,
        endpoint=address,
        region=REGION,
        skip_signature=True,
        virtual_hosted_style_request=False,
        client_options={"allow_http": parts.scheme == "http", "timeout": "300s", "connect_timeout": "20s"},
        retry_config={"retry_timeout": patience, "max_retries": 6},
    )


class _asking:
    """Turns errors of the storage into a ``FanousError`` that says what was asked of whom."""

    def __init__(self, address: str, what: str) -> None:
        self._address, self._what = address, what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from obstore.exceptions import BaseError, PreconditionError

        if isinstance(error, PreconditionError):
            raise FanousError(
                f"cannot {self._what}: it was rewritten after it was listed; pull again", permanent=False
            ) from error
        if isinstance(error, FileNotFoundError):
            raise FanousError(f"cannot {self._what}: {self._address} no longer has it") from error
        if isinstance(error, BaseError):
            said = (
                str(error).splitlines()[0].rpartition(" - ")[2][:300]
            )  # before it: the address, and each try
            raise FanousError(
                f"cannot {self._what} at {self._address}: {said}; check the connection, and pull again",
                permanent=False,
            ) from error
