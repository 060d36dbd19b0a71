"""Live: helpers for sources on the internet - windows of time, values in JSON answers, saved answers as files, and the
shape of an answer.

A source declares the shape of its answers next to its reader.  ``fanous doctor --sources`` compares one small real
answer with it, so that a publisher's change is noticed before a series is silently empty; contract tests compare
recorded and typed answers.

A shape is written like the answer: a dict has the fields of an object (a name with ``?`` may be missing), a list with
one shape has elements like it, a tuple has alternatives, and ``str``, ``float`` (any number), ``bool``, ``None`` and
``object`` (anything) are values.
"""

from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from fanous.errors import FanousError, Rejected
from fanous.model.series import SeriesKey, SourceSeries
from fanous.sources.connector import (
    About,
    Differs,
    LiveSource,
    OnProgress,
    OnReject,
    OnRepeat,
    PublishedClaim,
    Reading,
    SeriesFiles,
)
from fanous.sources.signals.rows import LARGEST as LARGEST_VALUE
from fanous.sources.signals.rows import numbered
from fanous.sources.stream import BROKEN, broken_why, open_source


def windows(since: int, until: int, width: int) -> Iterator[tuple[int, int]]:
    """The time split into windows of at most ``width`` seconds, oldest first.

    If there are several, they begin at fixed times, so that a later request has the same URL.  The first may
    begin before ``since``; the last ends at ``until``.
    """
    if until - since <= width:
        yield since, until
        return
    start = since // width * width
    while start < until:
        yield start, min(start + width, until)
        start += width


LARGEST = 256 << 20
"""Bytes of a document that is read whole."""
MOST_BINS = 500_000
"""Bins of one series in one document: five years of 5 minutes."""
LATEST = 7_258_118_400
"""The year 2200: no measurement or event is later."""


def decoded(data: bytes) -> Any:
    """The JSON document.

    Raises:
        Rejected: it is not JSON.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        is_page = data.lstrip()[:1] == b"<"
        raise Rejected("a web page in place of data" if is_page else f"not JSON: {error}") from error


def field(document: Any, *names: str) -> Any:
    """``document[a][b]...``; ``None`` if it is missing or null."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def whole(value: Any, low: int, high: int) -> int | None:
    """The whole part of a number within limits; ``None`` = it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return None
    return int(value)


def plain(value: Any) -> float | None:
    """A number, even if written as text; NaN for null, ``None`` = not a number."""
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if abs(number) > LARGEST_VALUE else number


def on_grid(
    key: SeriesKey,
    start: int,
    step: int,
    values: Sequence[Any],
    number: Callable[[Any], float | None] = plain,
) -> SourceSeries:
    """A series of values in equal bins from ``start`` on.

    Raises:
        Rejected: one of them is not a number, or there are too many.
    """
    if len(values) > MOST_BINS:
        raise Rejected(f"{len(values):,} values, which no answer has")
    read = [number(value) for value in values]
    if None in read:
        at = read.index(None)
        raise Rejected(f"value {at + 1} is not a number: {str(values[at])[:60]!r}")
    times = start + step * np.arange(len(read), dtype=np.int64)
    return SourceSeries(key, step, times, np.array(read, np.float64))


def merged(series: Sequence[SourceSeries]) -> tuple[SourceSeries, ...]:
    """Each key and step once; of two values for the same bin, the later one counts."""
    together: dict[tuple[SeriesKey, int], dict[int, float]] = {}
    for one in series:
        bins = together.setdefault((one.key, one.step), {})
        bins.update(zip(one.times.tolist(), one.values.tolist(), strict=True))
    found = []
    for (key, step), bins in together.items():
        times = sorted(bins)
        values = np.array([bins[t] for t in times], np.float64)
        found.append(SourceSeries(key, step, np.array(times, np.int64), values))
    return tuple(found)


class Documents(SeriesFiles):
    """Saved answers of a live source as files; values are counted, not lines."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source

    def read(
        self,
        path: Path,
        about: About,
        on_reject: OnReject,
        on_repeat: OnRepeat,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Reading | PublishedClaim]:
        with open_source(path, on_progress) as source:
            try:
                data = _bounded(path, source.stream)
            except BROKEN as error:
                raise FanousError(f"{path}: {broken_why(error)}") from error
        try:
            parsed = self._source.parse(data, about.country, path.name)
        except Rejected as reason:
            raise FanousError(f"{path} cannot be used: {reason}") from None
        for number, why in parsed.rejects:
            on_reject(number, why)
        yield from numbered(list(parsed.series))
        for entry, claim in enumerate(parsed.claims, 1):
            yield PublishedClaim(claim, entry)


def _bounded(path: Path, stream: BufferedReader) -> bytes:
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise FanousError(f"{path} has more than {LARGEST:,} bytes: too large for one answer")
    return data


# --- the shape of an answer ----------------------------------------------------------------------------

MOST_SAID = 12
"""Most differences listed for one answer."""

MOST_ELEMENTS = 200
"""Most elements of one list that are compared."""

_WORDS = {str: "text", float: "a number", bool: "true or false", None: "null", object: "anything"}


def json_like(shape: Any) -> Differs:
    """For JSON answers."""

    def differs(data: bytes) -> list[str]:
        try:
            document = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return [f"it is not JSON: {error}"]
        return list(dict.fromkeys(_differences(document, shape, "")))[:MOST_SAID]

    return differs


def columns(*names: str) -> Differs:
    """For CSV with a preamble of lines with ``#``: the first other line names these columns, and a row follows."""

    def differs(data: bytes) -> list[str]:
        lines = [line for line in data.decode("utf-8", "replace").splitlines() if not line.startswith("#")]
        lines = [line for line in lines if line.strip()]
        found = [name.strip() for name in lines[0].split(",")] if lines else []
        missing = [f"the column `{name}` is missing" for name in names if name not in found]
        new = [f"the column `{name[:40]}` is new" for name in found if name not in names and not missing]
        return (missing + new if lines else ["it is empty"]) or ([] if len(lines) > 1 else ["it has no rows"])

    return differs


def _differences(value: Any, shape: Any, path: str) -> Iterator[str]:
    """What differs at ``path``, such as ``data[].stats[].asns_ris``."""
    if isinstance(shape, tuple):
        if not any(_fits(value, one) for one in shape):
            alike = [one for one in shape if isinstance(one, dict | list) and isinstance(value, type(one))]
            if alike:
                yield from min((list(_differences(value, one, path)) for one in alike), key=len)
            else:
                wanted = " or ".join(_named(one) for one in shape)
                yield f"`{path or 'the answer'}` is {_kind(value)}, not {wanted}"
    elif isinstance(shape, dict):
        yield from _of_object(value, shape, path)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"`{path or 'the answer'}` is {_kind(value)}, not a list"
            return
        for element in value[:MOST_ELEMENTS]:
            yield from _differences(element, shape[0], f"{path}[]")
    elif not _fits(value, shape):
        yield f"`{path or 'the answer'}` is {_kind(value)}, not {_named(shape)}"


def _of_object(value: Any, shape: dict[str, Any], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"`{path or 'the answer'}` is {_kind(value)}, not an object"
        return
    wanted = {name.removesuffix("?"): name for name in shape}
    for name, spelled in wanted.items():
        if name in value:
            yield from _differences(value[name], shape[spelled], f"{path}.{name}".lstrip("."))
        elif name == spelled:
            yield f"`{f'{path}.{name}'.lstrip('.')}` is missing"
    for name in value:
        if name not in wanted:
            yield f"`{f'{path}.{name[:40]}'.lstrip('.')}` is new"


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, dict | list | tuple):
        return next(_differences(value, shape, ""), None) is None
    if shape is None or value is None:
        return shape is value or shape is object
    if shape is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, shape)


def _named(shape: Any) -> str:
    if isinstance(shape, dict | list):
        return "an object" if isinstance(shape, dict) else "a list"
    return _WORDS[shape]


def _kind(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    kinds = ((bool, "true or false"), (int, "a number"), (float, "a number"), (str, "text"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "null")
