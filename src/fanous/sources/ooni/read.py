"""Read: raw OONI records from ``.jsonl``, ``.json`` and ``.tar`` files, plain or packed with gzip or LZ4 (OONI's old
cans).

One record is held in memory at a time.  ``parse`` judges its content later; here it only has to be one JSON object in
UTF-8 of a sane size.  Headers in an archive are parsed by ``tarfile``, but the loop over its members is our own:
``tarfile`` remembers every member and reads extended headers whole, so a few kilobytes could ask for gigabytes.
"""

import re
import tarfile
from codecs import utf_8_decode
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from tarfile import HeaderError

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from fanous.errors import FanousError, Rejected
from fanous.model.measurement import Record
from fanous.sources.connector import ALL, UNWATCHED, OnProgress, OnReject, Working
from fanous.sources.ooni.content import (
    STAMP,
    content_of,
    identified,
    scrub,
    stamp_of,
    stamped,
    unstamped,
)
from fanous.sources.ooni.document import NULL
from fanous.sources.ooni.keep import kept
from fanous.sources.ooni.parse import OWN, Identified
from fanous.sources.ooni.values import clip
from fanous.sources.stream import (
    BROKEN,
    CHUNK,
    ENDLESS,
    LINE_LIMIT,
    ByteSource,
    broken_why,
    open_source,
    read_line,
)

UID = re.compile(r"\d{14}\.\d{6}_[A-Z]{2}_[a-z0-9]+_[0-9a-f]{16}")
"""OONI's measurement_uid, which is also the name of a POST body in an archive (without ``.post``)."""

BOM = b"\xef\xbb\xbf"
CSV_KEYS = (b"measurement_uid", b"probe_cc")
TOO_LONG = f"longer than {LINE_LIMIT >> 20} MiB, which no measurement is"
SHORTEST = 20
"""Bytes.  A name and a time alone take twice as many.  A file of 30 kB may unpack to ten million shorter lines:
these are rejected before anything is noted or decoded, and take no longer than measurements of as many bytes."""


class PostBody(Struct):
    """The body of a probe's POST to OONI's collector."""

    format: str | None = None
    content: Raw = NULL


class Answer(Struct):
    """The answer of OONI's API about one measurement (``measurement_meta?full=true``), as a user may have saved it: the
    record is a string in it.  A search result has the record's address instead.
    """

    measurement_uid: str | None = None
    raw_measurement: Raw | UnsetType = UNSET
    measurement_url: str | UnsetType = UNSET


_envelope = msgspec.json.Decoder(PostBody)
_answer = msgspec.json.Decoder(Answer)
_ANSWERED = (b'"raw_measurement"', b'"measurement_url"')


def read(
    path: Path,
    on_reject: OnReject,
    on_progress: OnProgress | None = None,
    *,
    source: str = "ooni",
    share: range = ALL,
    working: Working = UNWATCHED,
) -> Iterator[Record]:
    """Records of one file; see ``MeasurementSource.read`` and ``Divisible``.

    Args:
        source: whose records they are.  Those of our own collector and probes have the digest of what was or would be
            sent (``content``).
        share: the lines or members that are read and whose rejection is reported.
    """

    def reject(number: int, why: str) -> None:
        if number in share:
            on_reject(number, why)

    with open_source(path, on_progress) as file:
        try:
            head = file.stream.peek(BLOCK)
        except BROKEN as error:
            reject(1, broken_why(error))
            return
        if is_tar(head):
            yield from _from_tar(file, reject, source, share, working)
        elif ".json" in path.suffixes and not _is_line(head):
            if 1 in share:
                yield from _from_document(file, reject, source, working)
        else:
            _refuse_csv(path, head)
            yield from _from_lines(file, reject, source, share, working)


def _from_lines(
    file: ByteSource, on_reject: OnReject, source: str, share: range, working: Working
) -> Iterator[Record]:
    number = 0
    while True:
        number += 1
        try:
            line, length = read_line(file.stream)
        except BROKEN as error:
            on_reject(number, broken_why(error))
            return
        if not length:
            return
        if length < SHORTEST:
            on_reject(number, _why_short(line))
            continue
        file.tell_progress()
        if number not in share:
            continue
        try:
            working.begin(number, line)
            yield _record(file.path, number, line if length <= LINE_LIMIT + 1 else None, source)
        except Rejected as error:
            on_reject(number, str(error))


def _why_short(line: bytes) -> str:
    whole = line.removeprefix(BOM).strip()
    if not whole:
        return "empty line"
    return "too short to be a measurement" if whole.startswith(b"{") else "not a JSON object"


def _from_document(file: ByteSource, on_reject: OnReject, source: str, working: Working) -> Iterator[Record]:
    """One document over many lines, as a browser saves it."""
    try:
        data = file.stream.read(LINE_LIMIT + 1)
        working.begin(1, data)
        yield _record(file.path, 1, data if len(data) <= LINE_LIMIT else None, source)
    except BROKEN as error:
        on_reject(1, broken_why(error))
    except Rejected as error:
        on_reject(1, str(error))


def _from_tar(
    file: ByteSource, on_reject: OnReject, source: str, share: range, working: Working
) -> Iterator[Record]:
    number = 0
    try:
        for member in members(file.stream, LINE_LIMIT):
            number += 1
            file.tell_progress()
            if number not in share:
                continue
            if member.data is not None and member.size < SHORTEST:
                on_reject(number, f"{member.name[:200]}: {_why_short(member.data)}")
                continue
            name = member.name.rpartition("/")[2].removesuffix(".post")
            try:
                working.begin(number, member.data or b"")
                yield _record(file.path, number, member.data, source, name if UID.fullmatch(name) else "")
            except Rejected as error:
                on_reject(number, f"{member.name[:200]}: {error}")
    except HeaderError as error:
        on_reject(number + 1, f"the tar archive is damaged here ({error}); what came before is kept")
    except BROKEN as error:
        on_reject(number + 1, broken_why(error))


def _record(path: Path, number: int, raw: bytes | None, source: str, uid: str = "") -> Record:
    if raw is None:
        raise Rejected(TOO_LONG)
    data = came = raw.removeprefix(BOM).strip()
    if not data:
        raise Rejected("empty line")
    if not data.startswith(b"{"):
        raise Rejected("not a JSON object")
    if b'"content"' in data[:200]:
        data = _unwrapped(data)
    # In an answer, the name comes before the record; in a record, these keys are near its beginning.
    end = data.find(b'"test_keys"')
    if any(data.find(name, 0, end) >= 0 for name in _ANSWERED):
        data, uid = _answered(data, uid)
    content, document = "", None
    if data.startswith(STAMP):
        content, data = stamp_of(data), unstamped(data)
    flat = data
    if b"\n" in data or b"\r" in data:  # between tokens only: JSON escapes them in strings
        flat = data.replace(b"\r", b" ").replace(b"\n", b" ")
    clean = scrub(flat)  # before it is decoded, while it is in the processor's cache
    if source != OWN:
        content, document = identified(data)
    elif not content:
        content = content_of(kept(data))
    if document is None and not raw.isascii():  # it was already checked during decoding
        _check_utf8(came)
    if uid and b'"measurement_uid"' in data:
        uid = ""
    stored = stamped(clean, content, uid)
    if document is None or clean is not flat:
        return Record(source, stored, str(path), number)
    if uid:
        document["measurement_uid"] = uid
    return Record(source, stored, str(path), number, decoded=Identified(document, content))


_RUN = 16 * 1024
"""Bytes decoded at a time if only the check is needed: one emoji makes four bytes of each letter
of a whole record, in memory that is new each time; a run stays in the processor's cache."""


def _check_utf8(data: bytes) -> None:
    view, at = memoryview(data), 0
    while at < len(data):
        try:
            at += utf_8_decode(view[at : at + _RUN], "strict", at + _RUN >= len(data))[1]
        except UnicodeDecodeError as error:
            bad = at + error.start
            raise Rejected(f"not UTF-8: byte 0x{data[bad]:02x} at column {bad + 1}") from error


def _unwrapped(data: bytes) -> bytes:
    """The measurement in a POST body; the document itself if it is not a POST body."""
    try:
        envelope = _envelope.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data  # parse will say what is wrong with it
    if envelope.content is NULL:
        return data
    content = bytes(envelope.content)
    if content.startswith(b"{"):
        return content
    what = "yaml, which probes wrote until 2014" if envelope.format == "yaml" else "no JSON object"
    raise Rejected(f"the POST body holds {what}")


def _answered(data: bytes, uid: str) -> tuple[bytes, str]:
    """The measurement in an answer of OONI's API and its UID; unchanged if it is not an answer."""
    try:
        answer = _answer.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return data, uid  # parse will say what is wrong with it
    if answer.measurement_url is not UNSET and b'"test_keys"' not in data:
        raise Rejected(
            "a result of OONI's search, without the measurement: fetch it with "
            f"`fanous pull ooni --uid {clip(answer.measurement_uid) or 'UID'}`"
        )
    if answer.raw_measurement is UNSET:
        return data, uid
    try:
        content = msgspec.json.decode(answer.raw_measurement, type=str).strip().encode()
    except (msgspec.MsgspecError, UnicodeError):
        content = bytes(answer.raw_measurement)
    if content.startswith(b"{"):
        return content, clip(answer.measurement_uid) or uid
    if content:
        raise Rejected("an answer of OONI's API whose raw_measurement holds no measurement")
    raise Rejected("an answer of OONI's API without a measurement: it knows none with this UID")


def _is_line(head: bytes) -> bool:
    """Is the first line a whole document?  Then the file has one per line, regardless of its name."""
    first = head.partition(b"\n")[0].removeprefix(BOM).strip()
    return first.startswith(b"{") and len(first) > 1


def _refuse_csv(path: Path, head: bytes) -> None:
    first = head.partition(b"\n")[0]
    if all(key in first for key in CSV_KEYS) and b"{" not in first:
        raise FanousError(
            f"{path} is a CSV of observations, not raw measurements: read it with `fanous ingest ooni-csv`."
        )


BLOCK = 512
LONGEST_EXTENSION = 1 << 20
"""Bytes.  An extended header contains a file name; 4 KiB is the longest that Linux allows."""

_LONG_NAME = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_EXTENDED = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file in the archive, or one line of a report.

    Attributes:
        name: path in the archive.
        data: content; ``None`` = larger than the limit and skipped.
        size: bytes.
    """

    name: str
    data: bytes | None
    size: int


def is_tar(head: bytes) -> bool:
    """Do these first bytes (512 or more) begin a tar archive?"""
    if len(head) < BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


REPORT = ".json"
"""End of a report's name in a can from before October 2020 (ooni/data, oonidata/dataclient.py, ``stream_oldcan``,
commit c8fcc729): it has one measurement per line, sometimes a hundred megabytes of them."""


def members(stream: BufferedReader, limit: int) -> Iterator[Member]:
    """Regular files in order; a report is given line by line.

    Raises:
        EOFError: the archive breaks off.
        tarfile.HeaderError: it is damaged.
    """
    name = ""
    while True:
        block = stream.read(BLOCK)
        if not block or not block.strip(b"\0"):
            return
        if len(block) < BLOCK:
            raise EOFError
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if not 0 <= header.size <= ENDLESS:
            raise tarfile.HeaderError(f"a member of {header.size:,} bytes")
        if header.type in _LONG_NAME or header.type in _EXTENDED:
            extension = _take(stream, header.size, LONGEST_EXTENSION)
            if extension is not None:
                name = _extended_name(header.type, extension) or name
            continue
        if header.isreg() and (name or header.name).endswith(REPORT):
            yield from _lines_of(stream, name or header.name, header.size, limit)
            name = ""
            continue
        data = _take(stream, header.size, limit if header.isreg() else 0)
        if header.isreg():
            yield Member(name or header.name, data, header.size)
        name = ""


def _lines_of(stream: BufferedReader, name: str, size: int, limit: int) -> Iterator[Member]:
    left = size
    while left > 0:
        line = stream.readline(min(limit + 1, left))
        if not line:
            raise EOFError
        left, whole = left - len(line), len(line)
        is_long = whole > limit
        while is_long and left > 0 and not line.endswith(b"\n"):
            line = stream.readline(min(CHUNK, left))
            left, whole = left - len(line), whole + len(line)
            if not line:
                raise EOFError
        yield Member(name, None if is_long else line, whole)
    stream.read(-size % BLOCK)


def _take(stream: BufferedReader, size: int, limit: int) -> bytes | None:
    """The next ``size`` bytes, and the padding after them; ``None`` if over ``limit`` (then skipped)."""
    padded = size + -size % BLOCK
    if size <= limit:
        data = stream.read(padded)
        if len(data) < size:
            raise EOFError
        return data[:size]
    while padded:
        skipped = len(stream.read(min(padded, CHUNK)))
        if not skipped:
            raise EOFError
        padded -= skipped
    return None


def _extended_name(kind: bytes, extension: bytes) -> str:
    """``path`` of a pax header (POSIX.1-2001: ``length key=value\\n``), or GNU's long name."""
    if kind in _LONG_NAME:
        return extension.rstrip(b"\0").decode("utf-8", "replace") if kind == tarfile.GNUTYPE_LONGNAME else ""
    for entry in extension.split(b"\n"):
        _, separator, path = entry.partition(b" path=")
        if separator:
            return path.decode("utf-8", "replace")
    return ""
