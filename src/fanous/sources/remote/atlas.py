"""RIPE Atlas: how many of a country's probes are connected, from the log of their connections.

Probes hold a connection to one of RIPE's controllers, and its beginning and end are published as the results of
measurement 7000, without a key.  A line that is cut takes its probe with it, so a country's probes vanish together
(Shah et al., *Disco: Fast, Good, and Cheap Outage Detection*, TMA 2017).  They also vanish together if their
controller fails, which shows in its probes elsewhere.

The list of probes is read as RIPE-NCC/ripe-atlas-cousteau does at commit 7e926a73 (``api_listing.py``,
``tests/test_api_meta_data.py``).  The events have the shape of those kept in InternetHealthReport/disco at commit
d8ef7a60 (``data/comcast_7000_20150210.json``, ``data/generalJune16_7000_20160616.json``), in some of which ``asn`` is a
string.

A probe's present state is known from the list, and earlier ones follow from the events.  Nothing that tells one
probe from another is kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlencode

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from fanous.errors import Rejected
from fanous.model.instant import DAY, HOUR, MINUTE, from_iso
from fanous.model.place import Place
from fanous.model.series import Ints, SeriesKey, SourceSeries
from fanous.sources.answer import LATEST, decoded
from fanous.sources.connector import Get, Parsed, Piece, Query
from fanous.sources.remote.atlas_measurements import API, PAGE, ProbePage, probe_pages
from fanous.sources.signals.live import MOST_BINS, LiveSource

SIGNAL = "atlas_connected"
STEP = 10 * MINUTE

LEAST_PROBES = 8
LEAST_NETWORKS = 3
"""Fewest probes in use, and fewest networks, for a country to have a series: Disco asks for eight probes, and those of
one or two networks show only what happens to these.
"""

IN_USE = 28 * DAY
"""Seconds for which a probe that left still counts as in use: a cut must not end the series that shows it."""

CONNECTED, DISCONNECTED = 1, 2
"""``status.id`` of probes that are in use; others were never connected or are abandoned (ripe-atlas-tools at commit
4dd6cbc3, ``commands/probe_search.py``)."""


class ProbeStatus(Struct):
    id: int
    since: str | None = None


class AtlasProbe(Struct):
    """An entry of ``/probes/``."""

    id: int
    asn_v4: int | None
    asn_v6: int | None
    status: ProbeStatus

    @property
    def network(self) -> int:
        """0 = unknown."""
        return self.asn_v4 or self.asn_v6 or 0


class Event(Struct):
    """One result of measurement 7000; ``controller`` is the machine at RIPE that the probe was connected to."""

    prb_id: int
    timestamp: int
    event: str
    controller: str
    asn: int | str | None = None

    @property
    def is_end(self) -> bool:
        return self.event == "disconnect"


# --- what to request ------------------------------------------------------------------------------------

BURST_SHARE = 0.15
BURST_LEAST = 3
"""Share and least number of a country's connected probes leaving their controller within two bins, from which
the controller is checked for failure: no smaller loss makes an anomaly."""


class Atlas(LiveSource):
    """It has only a series for the country."""

    name = "atlas"
    title = "RIPE Atlas"
    help = "how many of the country's RIPE Atlas probes are connected"
    page = "https://atlas.ripe.net"
    licence = "RIPE Atlas service terms and conditions"
    credit = "RIPE NCC, RIPE Atlas, https://atlas.ripe.net"
    address = API
    every = 900
    settles = DAY

    def pieces(self, ask: Query, get: Get) -> Iterator[Piece]:
        query = {"country_code": ask.country, "page_size": PAGE, "fields": "id,asn_v4,asn_v6,status"}
        pages = list(probe_pages(f"{API}/probes/?{urlencode(query, safe=',')}", get, ProbePage[AtlasProbe]))
        probes = [probe for _, page in pages for probe in page.results]
        ids = sorted(probe.id for probe in probes if probe.status.id in (CONNECTED, DISCONNECTED))
        if not ids:
            return
        chunks = [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
        urls = [_events_url(ask.since, ask.until, chunk) for chunk in chunks]
        events = [event for url in urls for event in _events(get(url))]
        elsewhere = [
            _events_url(start - STEP, end + STEP)
            for start, end in _bursts(events, len(ids), ask.since, ask.until)
        ]
        also = (*urls[1:], *(url for url, _ in pages), *elsewhere)
        yield Piece(f"country/{ask.country}", urls[0], ask.since, ask.until, also)

    def parse(self, data: bytes, country: str, name: str) -> Parsed:
        """The document is an array (``Piece.also``): its window, then events of the country's probes, pages of the list
        of these, and events of all probes around the moments at which many of the country's vanished."""
        probes: dict[int, AtlasProbe] = {}
        events: list[Event] = []
        (since, until), answers = _answers(data)
        for answer in answers:
            if isinstance(answer, ProbePage):
                probes.update((probe.id, probe) for probe in answer.results)
            else:
                events += answer
        if not probes:
            raise Rejected("no list of probes among the answers")
        used = {one: probe for one, probe in probes.items() if probe.status.id in (CONNECTED, DISCONNECTED)}
        own = sorted((e for e in _once(events) if e.prb_id in used), key=lambda e: (e.timestamp, e.prb_id))
        failed = failed_controllers(e for e in _once(events) if e.prb_id not in probes)
        # The end of the current bin is not known yet.
        times = np.arange(-(-since // STEP) * STEP, until // STEP * STEP, STEP, dtype=np.int64)
        return _counted(country, used, times, own, failed)


def _events_url(since: int, until: int, ids: Sequence[int] = ()) -> str:
    """Without ids: of all probes."""
    query = {"start": since, "stop": until, "format": "json"}
    more = {"probe_ids": ",".join(map(str, ids))} if ids else {}
    return f"{API}/measurements/7000/results/?{urlencode(query | more, safe=',')}"


def _bursts(events: Iterable[Event], probes: int, since: int, until: int) -> list[tuple[int, int]]:
    """Periods in which so many of the country's probes left at once that their controllers must be checked."""
    gone: dict[int, set[int]] = defaultdict(set)
    for event in events:
        if event.is_end:
            gone[event.timestamp // STEP * STEP].add(event.prb_id)
    enough = max(BURST_LEAST, BURST_SHARE * probes)
    found: list[tuple[int, int]] = []
    for start in sorted(gone):
        if len(gone[start] | gone.get(start + STEP, set())) < enough:
            continue
        end = min(start + 2 * STEP, until)
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], end
        else:
            found.append((max(start, since), end))
    return found


# --- controllers ----------------------------------------------------------------------------------------

FAILED_PROBES = 30
FAILED_NETWORKS = 10
"""Probes elsewhere, and their networks, that leave one controller within two bins if it fails.  In the kept day of
2015 about three of a controller's probes leave in ten minutes; when ctr-ams04 was restarted, hundreds did."""

MASKED = HOUR
"""Seconds for which a probe that left a failing controller counts as connected: probes look for another one at once, so
that one that is still gone has a line that fails too."""


def failed_controllers(events: Iterable[Event]) -> dict[str, list[tuple[int, int]]]:
    """When each controller failed, judging by its probes in other countries."""
    left: dict[str, dict[int, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    for event in events:
        if event.is_end:
            left[event.controller][event.timestamp // STEP * STEP][event.prb_id] = str(event.asn)
    found: dict[str, list[tuple[int, int]]] = {}
    for controller, bins in left.items():
        for start in sorted(bins):
            both = bins[start] | bins.get(start + STEP, {})
            if len(both) >= FAILED_PROBES and len(set(both.values())) >= FAILED_NETWORKS:
                found.setdefault(controller, []).append((start - STEP, start + 2 * STEP))
    return found


# --- counting -------------------------------------------------------------------------------------------


def _counted(
    country: str,
    probes: dict[int, AtlasProbe],
    times: Ints,
    events: Sequence[Event],
    failed: dict[str, list[tuple[int, int]]],
) -> Parsed:
    """The number of connected probes at the end of each bin."""
    if not len(times):
        return Parsed(())
    of_probe: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        of_probe[event.prb_id].append(event)
    connected = np.zeros(len(times), np.float64)
    alive, networks = 0, set[int]()
    for number, probe in probes.items():
        state = _states(times, probe, of_probe.get(number, []), failed)
        if state is None:
            continue
        connected += state
        left = _instant(probe.status.since)
        if state.any() or (left is not None and left >= times[-1] - IN_USE):
            alive += 1
            networks.add(probe.network)
    networks.discard(0)
    if alive < LEAST_PROBES or len(networks) < LEAST_NETWORKS:
        why = (
            f"{alive} probes on {len(networks)} networks were connected in the last {IN_USE // DAY} days: "
            f"a series needs {LEAST_PROBES} on {LEAST_NETWORKS}"
        )
        return Parsed((), ((1, why),), is_sound=True)
    key = SeriesKey(Place(country), "", SIGNAL, source=Atlas.name)
    return Parsed((SourceSeries(key, STEP, times, connected),))


def _states(
    times: Ints,
    probe: AtlasProbe,
    events: Sequence[Event],
    failed: dict[str, list[tuple[int, int]]],
) -> NDArray[np.bool_] | None:
    """Was a probe connected at the end of each bin?  ``None`` = unknown.

    Between two events its state is that of the earlier one; before the first, the opposite.
    """
    ends = times + STEP
    now = probe.status.id == CONNECTED
    if not events:
        since = _instant(probe.status.since)
        if since is None or since <= times[0]:
            return np.full(len(times), now)
        return np.full(len(times), not now) if since >= ends[-1] else None
    state = np.full(len(times), events[0].is_end)
    for event, following in zip(events, [*events[1:], None], strict=True):
        at = event.timestamp
        if event.is_end and any(a <= at < b for a, b in failed.get(event.controller, ())):
            back = following is not None and following.timestamp <= at + MASKED
            at = following.timestamp if back and following is not None else at + MASKED
        state[ends > at] = not event.is_end
    return state


def _once(events: Iterable[Event]) -> list[Event]:
    """Each event once, since those of the country's probes are among those of all probes, too."""
    found = {(event.prb_id, event.timestamp, event.event): event for event in events}
    return list(found.values())


def _instant(text: str | None) -> float | None:
    try:
        return from_iso(text) if text else None
    except ValueError:
        return None


# --- reading --------------------------------------------------------------------------------------------


def _answers(data: bytes) -> tuple[tuple[int, int], list[ProbePage[AtlasProbe] | list[Event]]]:
    """The window, and the answers.

    Raises:
        Rejected: an answer is neither a list of events nor a page of probes, or the window is impossible.
    """
    raws = decoded(data, list[msgspec.Raw], "the answers of RIPE Atlas")
    since, until = decoded(raws[0] if raws else b"null", tuple[int, int], "the window")
    if not 0 <= since <= until < LATEST or (until - since) // STEP > MOST_BINS:
        raise Rejected(f"an impossible time window: {since} to {until}")
    found: list[ProbePage[AtlasProbe] | list[Event]] = []
    for raw in raws[1:]:
        is_page = bytes(raw).lstrip().startswith(b"{")
        found.append(
            decoded(raw, ProbePage[AtlasProbe], "RIPE Atlas' list of probes") if is_page else _events(raw)
        )
    return (since, until), found


def _events(data: bytes | msgspec.Raw) -> list[Event]:
    found = decoded(data, list[Event], "RIPE Atlas' list of events")
    unknown = {event.event for event in found} - {"connect", "disconnect"}
    if unknown:
        raise Rejected(f"RIPE Atlas' events no longer have the known form: {min(unknown)[:40]!r}")
    return found
