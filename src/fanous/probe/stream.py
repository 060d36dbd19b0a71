"""Stream (nettest ``fanous_stream``): whether live video plays from here, and at what resolution.

It fetches what a player would and records when each piece arrives.  From a manifest: the pieces of one
quality, on one connection.  From any other URL on a media host: the same file repeatedly, if it is large
enough.

The result is then played back at the bit rates of 240p, 480p and 720p: a player starts once it has two
seconds, and stalls whenever it runs out.

A manifest lists the qualities of a live video and where its pieces are: HLS (RFC 8216) or DASH (ISO 23009-1), of which
it reads what most live services use: templates with ``$Number$`` or ``$Time$``, and whole files.
"""

import asyncio
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec
from msgspec import Struct

from fanous.errors import FanousError
from fanous.model.threshold import threshold
from fanous.probe import dns, http
from fanous.probe.endpoint import open_site, to_try, url_parts
from fanous.probe.net.network import Network, is_public_host
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, ProbeVantage, Trace, envelope, line, steps
from fanous.probe.transfer import DownloadSource, fetch

MOST_PIECES = 30
"""Pieces of a few seconds each: more than are ever fetched."""

MOST_VARIANTS = 100
"""Qualities of a DASH manifest that are read: ten times as many as services offer.  Each may have a timeline of
``MOST_TIMES``."""

MOST_TIMES = 10_000
"""Times of a timeline: five hours in pieces of two seconds, of which the newest are used."""

_ATTRIBUTE = re.compile(r'(?<![A-Z0-9-])([A-Z0-9-]++)=("[^"]*"|[^,]*)')


class NotAManifest(ValueError):
    """The response is not a manifest, or of an unknown kind."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One quality.

    Attributes:
        kbps: 0 = not stated.
        height: lines; 0 = not stated.
        playlist: URL of its own playlist; empty = ``pieces`` are known.
        pieces: URLs in order, the newest last.
    """

    kbps: float
    height: int = 0
    playlist: str = ""
    pieces: tuple[str, ...] = ()


def read_manifest(text: str, url: str) -> list[Variant]:
    """The qualities, as listed.

    Raises:
        NotAManifest: it lists none.
    """
    is_hls = text.lstrip("\ufeff \r\n\t").startswith("#EXTM3U")
    if not is_hls and "<MPD" not in text[:4_000]:
        raise NotAManifest("neither an HLS playlist nor a DASH manifest")
    try:
        return _hls(text.splitlines(), url) if is_hls else _dash(text, url)
    except NotAManifest:
        raise
    except ValueError as error:  # of ``urljoin``, such as "Invalid IPv6 URL"
        raise NotAManifest(f"it lists an address that cannot be one: {error}") from None


def _hls(lines: list[str], url: str) -> list[Variant]:
    variants, pieces = list[Variant](), list[str]()
    attributes: dict[str, str] | None = None
    for row in map(str.strip, lines):
        if row.startswith("#EXT-X-STREAM-INF:"):
            attributes = {key: value.strip('"') for key, value in _ATTRIBUTE.findall(row.partition(":")[2])}
        elif row.startswith("#EXT-X-MAP:"):
            attributes_of_map = dict(_ATTRIBUTE.findall(row.partition(":")[2]))
            pieces.append(urljoin(url, attributes_of_map.get("URI", "").strip('"')))
        elif row and not row.startswith("#"):
            if attributes is None:
                pieces.append(urljoin(url, row))
                continue
            kbps = _number(attributes.get("BANDWIDTH", "")) / 1000
            height = int(_number(attributes.get("RESOLUTION", "").partition("x")[2]))
            variants.append(Variant(kbps, height, playlist=urljoin(url, row)))
            attributes = None
    if not variants and not pieces:
        raise NotAManifest("an HLS playlist without a single piece")
    return variants or [Variant(0, pieces=tuple(pieces[-MOST_PIECES:]))]


def _dash(text: str, url: str) -> list[Variant]:
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise NotAManifest(f"a DASH manifest that is not valid XML: {error}") from None
    found = list[Variant]()
    base = _based(root, url)
    for period in _all(root, "Period"):
        period_base = _based(period, base)
        for group in _all(period, "AdaptationSet"):
            kind = group.get("contentType") or group.get("mimeType") or ""
            found += [
                _representation(group, element, _based(group, period_base))
                for element in _all(group, "Representation")[: MOST_VARIANTS - len(found)]
                if "video" in (kind or element.get("mimeType", ""))
            ]
    variants = [variant for variant in found if variant.pieces]
    if not variants:
        raise NotAManifest("a DASH manifest without any video pieces that Fanous can read")
    return variants


def _representation(group: ET.Element, element: ET.Element, base: str) -> Variant:
    template = next(iter([*_all(element, "SegmentTemplate"), *_all(group, "SegmentTemplate")]), None)
    kbps, height = _number(element.get("bandwidth", "")) / 1000, int(_number(element.get("height", "")))
    where = _based(element, base)
    if template is None:
        return Variant(kbps, height, pieces=(where,) if where != base else ())
    media = template.get("media", "").replace("$RepresentationID$", element.get("id", ""))
    media = media.replace("$Bandwidth$", element.get("bandwidth", "")).replace("$$", "$")
    first = int(_number(template.get("startNumber", "1")))
    times = list(enumerate(_times(template) or [0] * MOST_PIECES))[-MOST_PIECES:]
    names = [_filled(media, first + place, time) for place, time in times]
    return Variant(kbps, height, pieces=tuple(urljoin(where, name) for name in names if name))


def _filled(media: str, number: int, time: int) -> str:
    def width(match: re.Match[str]) -> str:
        value = number if match[1] == "Number" else time
        return f"{value:0{int(match[2] or 1)}d}"

    return re.sub(r"\$(Number|Time)(?:%0(\d{1,2})d)?\$", width, media)


def _times(template: ET.Element) -> list[int]:
    """Times from a ``SegmentTimeline``; empty = there is none."""

    def steps() -> Iterator[int]:
        now = 0
        for timeline in _all(template, "SegmentTimeline"):
            for entry in _all(timeline, "S"):
                now = int(_number(entry.get("t", ""))) if entry.get("t") else now
                for _ in range(max(1, int(_number(entry.get("r", "0"))) + 1)):
                    yield now
                    now += int(_number(entry.get("d", "")))

    return list(islice(steps(), MOST_TIMES))


def _all(element: ET.Element, name: str) -> list[ET.Element]:
    """Children with that name, in any namespace."""
    return [child for child in element if child.tag.rpartition("}")[2] == name]


def _based(element: ET.Element, base: str) -> str:
    """``base``, resolved with the element's own BaseURL."""
    own = next((child.text or "" for child in _all(element, "BaseURL")), "")
    return urljoin(base, own.strip())


def _number(text: str) -> float:
    """0 if it is not a number."""
    return float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text) else 0.0


LEVELS = {"240p": 400, "480p": 1_200, "720p": 2_700}
"""kbit/s with sound.  480p and 720p: measured on YouTube (1.2 and 2.7 Mbit/s, blog.wirelessmoves.com, 2011),
close to the 1.1 and 2.5 that YouTube recommends; 240p: our estimate of what messengers and news sites use."""

SECONDS = 10.0
"""Fewest seconds of video needed to decide: a policer's bucket is empty by then."""

BEGIN = threshold("probe.video_begin_seconds", 2.0, "Video that a player waits for before it starts.")
RESUME = 1.0
"""Seconds of video that a player buffers after a stall."""

PATIENCE = threshold(
    "probe.video_patience_seconds", 6.0, "Most time until it starts, for a live video to count as watchable."
)

MOST_STALLED = threshold(
    "probe.video_stalled_share",
    0.1,
    "Share of the time after the start that may be stalled: viewers leave when they wait for a few per cent of "
    "the time, and live video that stalls more falls behind.",
)


@dataclass(frozen=True, slots=True)
class Playback:
    """One resolution.

    Attributes:
        watchable: ``None`` = the source provided too little to decide.
        startup: seconds until playback started; ``None`` = never.
        stalled: seconds of stalling after that.
    """

    kbps: float
    watchable: bool | None
    startup: float | None
    stalled: float


def play(reads: Sequence[Sequence[float]], ended: float, kbps: float, *, was_cut_off: bool) -> Playback:
    """Play back a download.

    Args:
        reads: [seconds since the request, total bytes] in order.
        ended: when the download ended.
        was_cut_off: it ended because time ran out or the connection failed; ``False`` = the source had no
            more.
    """
    rate, last, total = kbps * 125, 0.0, 0.0
    buffered, startup, stalled, playing, needed = 0.0, 0.0, 0.0, False, BEGIN
    began = False
    for at, count in [*reads, (ended, reads[-1][1] if reads else 0.0)]:
        passed = max(at - last, 0.0)
        if playing:
            stalled += max(passed - buffered, 0.0)
            playing, buffered = buffered > passed, max(buffered - passed, 0.0)
        elif began:
            stalled += passed
        else:
            startup += passed
        buffered += (count - total) / rate
        last, total = at, count
        if not playing and buffered >= needed:
            playing, began, needed = True, True, RESUME
    # Once a download is complete, what is buffered plays to its end.
    if not was_cut_off and total < SECONDS * rate:
        return Playback(kbps, None, round(startup, 2) if began else None, round(stalled, 2))
    fine = began and startup <= PATIENCE and stalled <= MOST_STALLED * max(ended - startup, 1.0)
    return Playback(kbps, fine, round(startup, 2) if began else None, round(stalled, 2))


TEST_NAME, TEST_VERSION = "fanous_stream", "0.1.0"

HIGHEST = max(LEVELS.values())
MOST_BYTES = int(HIGHEST * 125 * SECONDS * 1.2)
"""What the highest resolution needs, plus a fifth: some 4 MB."""

LEAST_PIECE = 32_768
"""Bytes.  If a media host has no video at the URL, its responses are smaller than this, and fetching them
repeatedly would only measure the round trip."""

MANIFESTS = (".m3u8", ".mpd")


@dataclass(frozen=True, slots=True)
class _Media:
    """What to fetch.

    Attributes:
        url: the first piece.
        pieces: all of them; empty = the same file repeatedly.
    """

    url: str
    pieces: tuple[str, ...] = ()


async def stream_record(network: Network, settings: Settings, url: str, vantage: ProbeVantage) -> bytes:
    """One line of JSON: the measurement of one stream.

    Raises:
        FanousError: the URL cannot be requested, or the data cap is reached.
    """
    if url_parts(url) is None:
        raise FanousError(f"{url!r} is not the URL of a stream: it must be http:// or https:// with a host")
    trace = Trace(network)
    trace.until = network.now() + settings.endpoint_seconds
    keys: Entry = {"kind": "file", "variants": [], "chosen_kbps": None, "why": "", "media": None}
    try:
        await _measure(trace, settings, url, keys)
    finally:
        trace.close()
    shared = steps(trace) | {"x_stream": keys, "x_not_tried": trace.not_tried}
    record = envelope(TEST_NAME, TEST_VERSION, url, trace, vantage, shared)
    return line(record, network.own_addresses())


async def _measure(trace: Trace, settings: Settings, url: str, keys: Entry) -> None:
    media = _Media(url)
    if urlsplit(url).path.endswith(MANIFESTS):
        keys["kind"] = "hls" if urlsplit(url).path.endswith(MANIFESTS[0]) else "dash"
        try:
            async with asyncio.timeout(settings.endpoint_seconds):
                media = await _from_manifest(trace, settings, url, keys)
        except NotAManifest as error:
            keys["why"] = str(error)
            return
        except TimeoutError:
            keys["why"] = "the manifest did not arrive in time"
            return
    parts = urlsplit(media.url)
    addresses = await _addresses(trace, settings, parts)
    name = (parts.hostname or "") if parts.scheme == "https" else ""
    source = DownloadSource("target", media.url, addresses[0] if addresses else "", name, pieces=media.pieces)
    keys["media"] = await fetch(trace, settings, source, MOST_BYTES, settings.stream_seconds)
    if not media.pieces and 0 < keys["media"]["bytes"] < LEAST_PIECE * max(1, keys["media"]["requests"]):
        keys["why"] = "the host sent no file large enough to tell"


async def _from_manifest(trace: Trace, settings: Settings, url: str, keys: Entry) -> _Media:
    variants = read_manifest(await _text(trace, settings, url), url)
    keys["variants"] = [{"kbps": variant.kbps, "height": variant.height} for variant in variants]
    # The sharpest quality that costs no more than the highest resolution needs, otherwise the lowest.
    fitting = [v for v in variants if v.kbps <= HIGHEST * 1.5]
    chosen = max(fitting, key=lambda v: v.kbps) if fitting else min(variants, key=lambda v: v.kbps)
    keys["chosen_kbps"] = chosen.kbps or None
    if chosen.playlist:
        _check(settings, url, chosen.playlist)
        (chosen, *_) = read_manifest(await _text(trace, settings, chosen.playlist), chosen.playlist)
    if not chosen.pieces:
        raise NotAManifest("the playlists are nested too deeply")
    host = urlsplit(chosen.pieces[0]).netloc
    pieces = tuple(piece for piece in chosen.pieces if urlsplit(piece).netloc == host)
    _check(settings, url, pieces[0])
    return _Media(pieces[0], pieces)


def _check(settings: Settings, url: str, leads_to: str) -> None:
    """A manifest must not lead the probe into the volunteer's own network."""
    parts = url_parts(leads_to)
    host = (parts.hostname or "") if parts else ""
    is_inside = not is_public_host(host) and host != urlsplit(url).hostname
    if not host or (is_inside and not settings.allow_private):
        raise NotAManifest(f"it leads to {leads_to[:100]!r}, which is not fetched")


async def _text(trace: Trace, settings: Settings, url: str) -> str:
    """Fetch a small file; the request is recorded."""
    parts = url_parts(url)
    if parts is None:
        raise NotAManifest(f"{url[:100]!r} cannot be requested")
    for ip in await _addresses(trace, settings, parts):
        opened = await open_site(trace, settings, parts, ip, control=False)
        if opened is not None:
            where = (opened.ip, opened.transaction, opened.protocol)
            page = await http.get(trace, settings, opened.stream, url, *where)
            if page.failure is not None or page.code != 200:
                raise NotAManifest(f"the manifest did not arrive: {page.failure or page.code}")
            return bytes(page.body).decode("utf-8", "replace")
    raise NotAManifest("the manifest's host could not be reached")


async def _addresses(trace: Trace, settings: Settings, parts: SplitResult) -> list[str]:
    host = parts.hostname or ""
    queries = [q for q in trace.queries if q["hostname"] == host]
    found = (
        [answer.get("ipv4") or answer["ipv6"] for query in queries for answer in query["answers"]]
        if queries
        else await dns.addresses_of(trace, settings, host)
    )
    return to_try(trace, settings, host, found, ipv6=False)[:1]


class _WatchableMedia(Struct):
    failure: str | None
    seconds: float
    reads: list[tuple[float, int]]
    kbps: float | None = None
    kbps_late: float | None = None


class _Stream(Struct):
    kind: str
    why: str
    media: _WatchableMedia | None


class _Keys(Struct):
    x_stream: _Stream


class _Record(Struct):
    test_keys: _Keys


_record = msgspec.json.Decoder(_Record)


@dataclass(frozen=True, slots=True)
class Watchable:
    """One stream.

    Attributes:
        kind: ``hls``, ``dash`` or ``file``.
        failure: df-007 of what ended the download; a time-out is the normal end.
        why: why there is no result; empty = see ``levels``.
    """

    url: str
    kind: str
    kbps: float | None
    failure: str | None
    why: str
    levels: dict[str, Playback]

    @property
    def sentence(self) -> str:
        if self.why:
            return f"{self.url}: cannot tell, {self.why}"
        rate = f" at {self.kbps:,.0f} kbit/s" if self.kbps is not None else ""
        words = {True: "yes", False: "no", None: "too little data to tell"}
        each = ", ".join(f"{name} {words[level.watchable]}" for name, level in self.levels.items())
        return f"{self.url}: could a live video be watched{rate}? {each}"


def watchable(url: str, line: bytes) -> Watchable:
    """From the record as it was written."""
    stream = _record.decode(line).test_keys.x_stream
    media = stream.media
    if media is None:
        return Watchable(url, stream.kind, None, None, stream.why, {})
    levels = {
        name: play(media.reads, media.seconds, kbps, was_cut_off=media.failure is not None)
        for name, kbps in LEVELS.items()
    }
    kbps = media.kbps_late or media.kbps
    return Watchable(url, stream.kind, kbps, media.failure, stream.why, {} if stream.why else levels)
