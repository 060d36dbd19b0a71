"""Manifest: the qualities of a live video and where its pieces are; HLS (RFC 8216) and DASH (ISO 23009-1).

Pure.  Of DASH, it reads what most live services use: templates with ``$Number$`` or ``$Time$``, and whole
files.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urljoin

MOST_PIECES = 30
"""Pieces of a few seconds each: more than are ever fetched."""

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


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
    if text.lstrip("\ufeff \r\n\t").startswith("#EXTM3U"):
        return _hls(text.splitlines(), url)
    if "<MPD" in text[:4_000]:
        return _dash(text, url)
    raise NotAManifest("neither an HLS playlist nor a DASH manifest")


def _hls(lines: list[str], url: str) -> list[Variant]:
    variants, pieces = list[Variant](), list[str]()
    attributes: dict[str, str] | None = None
    for line in (one.strip() for one in lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            attributes = {key: value.strip('"') for key, value in _ATTRIBUTE.findall(line.partition(":")[2])}
        elif line.startswith("#EXT-X-MAP:"):
            attributes_of_map = dict(_ATTRIBUTE.findall(line.partition(":")[2]))
            pieces.append(urljoin(url, attributes_of_map.get("URI", "").strip('"')))
        elif line and not line.startswith("#"):
            if attributes is None:
                pieces.append(urljoin(url, line))
                continue
            kbps = _number(attributes.get("BANDWIDTH", "")) / 1000
            height = int(_number(attributes.get("RESOLUTION", "").partition("x")[2]))
            variants.append(Variant(kbps, height, playlist=urljoin(url, line)))
            attributes = None
    if not variants and not pieces:
        raise NotAManifest("an HLS playlist without a single piece")
    return variants or [Variant(0, pieces=tuple(pieces[-MOST_PIECES:]))]


def _dash(text: str, url: str) -> list[Variant]:
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise NotAManifest(f"a DASH manifest that is not valid XML: {error}") from None
    found = []
    base = _based(root, url)
    for period in _all(root, "Period"):
        period_base = _based(period, base)
        for group in _all(period, "AdaptationSet"):
            kind = group.get("contentType") or group.get("mimeType") or ""
            found += [
                _representation(group, one, _based(group, period_base))
                for one in _all(group, "Representation")
                if "video" in (kind or one.get("mimeType", ""))
            ]
    variants = [variant for variant in found if variant.pieces]
    if not variants:
        raise NotAManifest("a DASH manifest without any video pieces that Fanous can read")
    return variants


def _representation(group: ET.Element, one: ET.Element, base: str) -> Variant:
    template = next(iter([*_all(one, "SegmentTemplate"), *_all(group, "SegmentTemplate")]), None)
    kbps, height = _number(one.get("bandwidth", "")) / 1000, int(_number(one.get("height", "")))
    where = _based(one, base)
    if template is None:
        return Variant(kbps, height, pieces=(where,) if where != base else ())
    media = template.get("media", "").replace("$RepresentationID$", one.get("id", ""))
    media = media.replace("$Bandwidth$", one.get("bandwidth", "")).replace("$$", "$")
    first = int(_number(template.get("startNumber", "1")))
    times = _times(template)
    names = [_filled(media, first + place, time) for place, time in enumerate(times or [0] * MOST_PIECES)]
    return Variant(kbps, height, pieces=tuple(urljoin(where, name) for name in names[-MOST_PIECES:] if name))


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

    return list(islice(steps(), 10_000))


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
