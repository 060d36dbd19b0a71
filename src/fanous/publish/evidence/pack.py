"""Pack: an incident with everything it rests on (records, controls and series) in one signed file.

A record leaves the store cut to what Fanous reads, under the licence of its source.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fanous import __version__
from fanous.analysis.explanations import comparisons
from fanous.analysis.explanations.comparisons import ONSET_BASELINE
from fanous.analysis.explanations.event import BY_ADDRESS
from fanous.analysis.explanations.home import NETWORK_ABROAD
from fanous.analysis.explanations.host import HOST_SITES
from fanous.analysis.explanations.line import LINE_TARGETS
from fanous.analysis.explanations.publisher import WORLDWIDE
from fanous.analysis.explanations.resolver import NO_ANSWER
from fanous.analysis.explanations.service import PLATFORM_PARTLY
from fanous.analysis.explanations.site import OWN_PAGES
from fanous.analysis.rules import Fingerprint
from fanous.analysis.series.controls import CONTROL_WINDOW
from fanous.analysis.series.signals import SIGNALS
from fanous.analysis.series.silence import EXPECTED_FOR
from fanous.base.confine import Grant
from fanous.errors import FanousError
from fanous.model.coverage import LineState, Look
from fanous.model.evidence import EvidenceScope
from fanous.model.incident import Incident, Kind, Status
from fanous.model.instant import DAY, MINUTE, to_iso
from fanous.model.measurement import Record
from fanous.model.place import Place, UserWeights
from fanous.model.series import Floats, Series, within
from fanous.model.verdict import SLOWNESS
from fanous.pipeline.detect import HISTORY
from fanous.pipeline.interference import TICK
from fanous.pipeline.judge import known_fingerprints
from fanous.pipeline.reader import OWN_PROCESS, answered
from fanous.pipeline.refetch import refetched
from fanous.publish.evidence import manifest
from fanous.publish.evidence.container import pack_parts, pack_series, unpack_lines, unpack_series
from fanous.publish.evidence.recompute import (
    MIRRORS,
    RecomputeWindow,
    claim_of,
    closest,
    differences,
    mirrors_in,
    recompute,
    reference,
    thresholds,
    used,
)
from fanous.publish.evidence.redact import redact
from fanous.publish.signer import Signer, fingerprint
from fanous.refdata.users import user_weights
from fanous.sources.publishers import SOURCES, licences_by_source, terms
from fanous.sources.redaction import to_minute
from fanous.store.archive import Location, Segment
from fanous.store.protocol import Store
from fanous.wording.language import ENGLISH
from fanous.wording.reasons import reasons_text

PACK_SECONDS = 3600.0
"""Seconds for computing an incident again, which takes minutes for the largest; a reader that was taken over could keep
others waiting for longer."""

LEVELS = tuple(
    signal.name
    for signal in SIGNALS.values()
    if signal.is_quantity and signal.proves[0] in (Kind.OUTAGE, Kind.SLOWDOWN)
)
"""Signals in which outages and slowdowns are found."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Where the records of an incident are stored.

    Attributes:
        since, until: the window to recompute; ``since`` is a multiple of ``TICK``.
        own: from the country: every measurement with a result for one of the targets; if the line itself was cut,
            the probes' checks of it too; if the line might have failed, everything else measured on it; what the same
            senders measured in the minutes in which a target starved or timed out.
        elsewhere: from other countries: measurements that reached a target while it failed here, and checks of
            lines on two networks per bin, which show that the collector was up; all measurements of a target in the
            countries in which a platform may have failed, and in those in which it went on working.
        levels: public series of the country, if the line itself was cut or slow; and of the countries in which the
            same fell at the same time.
    """

    country: str
    since: float
    until: float
    own: tuple[Location, ...]
    elsewhere: tuple[Location, ...]
    levels: tuple[Series, ...] = ()


def select(store: Store, incident: Incident, claimed_at: float) -> Selection:
    """Everything needed to recompute the incident.

    Args:
        claimed_at: time of its latest revision, up to which silence counts.

    Raises:
        FanousError: the store does not have the measurements (any more).
    """
    targets = sorted({*incident.targets, *(t for network in incident.networks for t in network.targets)})
    span = store.facts.span(incident.country)
    if span is None:
        raise FanousError(
            f"{incident.id} rests on no measurements in this store, so there is nothing to pack"
        )
    is_of_lines = incident.is_of_line
    first = incident.onset if incident.onset_earliest is None else incident.onset_earliest
    since = float((first - HISTORY) // TICK * TICK)
    last = max(span[1], incident.end or 0.0)
    if is_of_lines and not incident.opinions and claimed_at - last <= EXPECTED_FOR:
        last = max(last, claimed_at - 2 * TICK)
    until = float((last // TICK + 2) * TICK)
    looks = store.facts.looks(since, until) if is_of_lines else []
    votes = store.facts.votes(incident.country, since, until, targets)
    abroad = store.facts.working_elsewhere(incident.country, since, until, targets)
    failing = votes.times[votes.seen]
    near = abroad.where(_near(abroad.times, failing, CONTROL_WINDOW + MINUTE))
    home = [look.uid for look in looks if look.country == incident.country]
    beside = _beside(store, incident, until) if _rests_on_others(incident) else []
    company = store.facts.company(incident.country, since, until, targets)
    locations = store.facts.locations(
        dict.fromkeys([*votes.uids.tolist(), *home, *beside, *company]), since, until
    )
    heard = [look.uid for look in _heard_elsewhere(looks, incident.country)]
    unanswered = [uid for uids in _unanswered(store, incident, targets).values() for uid in uids]
    partly = _where_it_partly_failed(store, incident, targets, until)
    elsewhere = store.facts.locations(
        dict.fromkeys([*near.uids.tolist(), *heard, *unanswered, *partly]), since, until
    )
    in_levels = is_of_lines or incident.is_of_traffic
    levels = store.facts.levels(incident.country, since, until, LEVELS, settled=True) if in_levels else []
    for other in _countries(incident, WORLDWIDE):
        own_line = store.facts.levels(other, since, until, LEVELS, [Place(other)], settled=True)
        levels = [*levels, *(own_line or store.facts.levels(other, since, until, LEVELS, settled=True))]
    return Selection(incident.country, since, until, tuple(locations), tuple(elsewhere), tuple(levels))


def _countries(incident: Incident, code: str) -> list[str]:
    """The other countries on which a reason with this code rests."""
    params = [reason.params for reason in incident.reasons if reason.code == code]
    named = [param.get(name) for param in params for name in ("countries", "working")]
    return sorted({str(country) for some in named if isinstance(some, list | tuple) for country in some})


def _where_it_partly_failed(
    store: Store, incident: Incident, targets: Sequence[str], until: float
) -> list[str]:
    """What was measured of the targets where the platform may have failed, too, and where it went on working, or where
    networks are at home: during the incident and in the week before."""
    first = incident.onset - ONSET_BASELINE - DAY
    countries = {*_countries(incident, PLATFORM_PARTLY), *_countries(incident, NETWORK_ABROAD)}
    votes = [store.facts.votes(other, first, until, targets) for other in sorted(countries)]
    return [str(uid) for vote in votes for uid in vote.uids]


def _unanswered(store: Store, incident: Incident, targets: Sequence[str]) -> Mapping[str, Collection[str]]:
    """Country -> lookups of the targets there that had no answer while it was on."""
    if not any(targets):
        return {}
    when = {network.asn: network.intervals for network in incident.networks if network.asn}
    scope = EvidenceScope(incident.country, tuple(targets), when)
    return comparisons.unanswered(store.facts.evidence(scope))


def _rests_on_others(incident: Incident) -> bool:
    """Does it depend on how other targets fared there?  They show whether the line, a resolver or a host was at fault,
    and whose a page is; other confirmed incidents are the same without them."""
    how = {mechanism for part in incident.parts for mechanism in part.mechanisms}
    return (
        incident.confirmed_at is None
        or len(incident.targets) >= min(LINE_TARGETS, HOST_SITES)
        or not how.isdisjoint((*BY_ADDRESS, *NO_ANSWER, *OWN_PAGES))
        or any(SLOWNESS in mechanism for mechanism in how)
    )


def _beside(store: Store, incident: Incident, until: float) -> list[str]:
    """Measurements of any target on these networks, made while the incident was seen there."""
    votes = store.facts.votes(incident.country, incident.onset - TICK, until)
    rows = np.zeros(len(votes), np.bool_)
    for network in incident.networks:
        rows |= (votes.asns == network.asn) & within(votes.times, network.intervals, TICK)
    return [str(uid) for uid in votes.uids[rows]]


def _heard_elsewhere(looks: Sequence[Look], country: str) -> Iterator[Look]:
    """The first checks from abroad on two networks in each bin; more would show nothing more about the collector."""
    seen: dict[int, set[int]] = {}
    for look in looks:
        if look.country == country or look.line is not LineState.ONLINE:
            continue
        networks = seen.setdefault(int(look.at // TICK), set())
        if len(networks) < 2 and look.asn not in networks:
            networks.add(look.asn)
            yield look


def _near(times: Floats, failing: Floats, within: float) -> NDArray[np.bool_]:
    """Which of ``times`` are within so many seconds of one of ``failing`` (ascending)."""
    before = np.searchsorted(failing, times - within, side="left")
    return np.asarray(before < np.searchsorted(failing, times + within, side="right"))


def records_at(store: Store, locations: tuple[Location, ...]) -> Iterator[Record]:
    """The raw records, segment by segment, each segment read once."""
    by_segment: dict[Segment, set[int]] = {}
    for location in locations:
        by_segment.setdefault(location.segment, set()).add(location.position + 1)
    for segment in dict.fromkeys(location.segment for location in locations):
        yield from store.archive.records(segment, by_segment[segment], refetched)


README = """Evidence of a disruption of the internet, packed by Fanous.

  fanous verify FILE

computes the verdicts and the incident again from the records in here and says MATCH, or what differs.
claim.json      what is claimed        records.jsonl.zst   measurements of the country
ledger.json     what the ledger says   controls.jsonl.zst  measurements elsewhere that acted as controls
levels.jsonl.zst  quantity series of the country, if connectivity itself was cut or slow; if a source's terms do not
                  allow passing on its values, their digest (see `fanous verify --series`)
reference.json, parameters.json        with what it was computed; used.json: the parts that mattered
sources.json    licence and attribution of the records: they bind whoever passes this file on
manifest.json   SHA-256 of each part, and the key; manifest.sig is its Ed25519 signature
Times are whole minutes; no address of a probe or its user is in here.
"""


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written.

    Attributes:
        differences: where the incident computed from redacted records differs from the ledger; times may differ by
            less than a minute.
    """

    path: Path
    bytes: int
    records: int
    controls: int
    series: int
    key: str
    differences: list[str]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything read from the store, redacted and packed; another process can be sent it.

    Attributes:
        public_levels: ``levels``, with digests for the values that may not be passed on.
        closed: the sources of those values.
        sources: terms of each source (``source_terms``), and hosts that gave its values in its publisher's place.
    """

    incident: Incident
    ledger: dict[str, Any]
    window: RecomputeWindow
    records: bytes
    controls: bytes
    levels: bytes
    public_levels: bytes
    closed: tuple[str, ...]
    counts: tuple[int, int, int]
    sources: dict[str, dict[str, str]]
    fingerprints: dict[str, Fingerprint]


def gather(store: Store, incident_id: str) -> Gathered:
    """Read everything that a bundle needs; the store may be closed afterwards.

    Raises:
        FanousError: there is no such incident, or its records cannot be packed.
    """
    revisions = store.ledger.revisions(incident_id)
    if not revisions:
        raise FanousError(f"no incident {incident_id} in this store; `fanous incidents list` shows them")
    latest = revisions[-1]
    _check_claimed(latest.incident)
    side = store.of(latest.incident.provenance)
    selection = select(side, latest.incident, latest.at)
    if not selection.own and not selection.levels:
        raise FanousError(
            f"{latest.incident.id} rests on no measurements in this store (any more), so there is nothing to pack"
        )
    stated = side.facts.series_licences(latest.incident.country)
    closed = [
        level
        for level in selection.levels
        if not terms(level.key.source, stated.get((level.key, level.step), ())).is_open
    ]
    licences = licences_by_source(selection.levels, stated)
    sources = set(licences)
    records, elsewhere = (redact(records_at(store, some)) for some in (selection.own, selection.elsewhere))
    sources |= {location.segment.source for location in (*selection.own, *selection.elsewhere)}
    names = records.fingerprints | elsewhere.fingerprints
    mirrors = side.facts.mirrors(selection.country, selection.since, selection.until)
    ledger = {
        "id": incident_id,
        "revision": latest.n,
        "claimed_at": to_iso(latest.at),
        "reason": reasons_text(latest.reasons, ENGLISH, latest.incident.evidence.probes_are),
        "reasons": msgspec.to_builtins(latest.reasons),
        "claim": claim_of(latest.incident),
    }
    counts = records.count, elsewhere.count, len(selection.levels)
    return Gathered(
        latest.incident,
        ledger,
        RecomputeWindow(selection.country, selection.since, selection.until),
        records.packed,
        elsewhere.packed,
        pack_series(selection.levels),
        pack_series(selection.levels, {(level.key, level.step) for level in closed}),
        tuple(sorted({level.key.source for level in closed})),
        counts,
        {
            name: source_terms(name, licences.get(name, ""))
            | ({MIRRORS: " ".join(mirrors[name])} if name in mirrors else {})
            for name in sorted(sources)
        },
        {pattern.id: pattern for pattern in known_fingerprints().patterns if pattern.id in names},
    )


def _computed(gathered: Gathered) -> Incident:
    """The incident that the redacted records amount to, computed in a confined process."""
    incidents = answered(
        list[Incident],
        recomputed,
        gathered,
        user_weights(gathered.window.country),
        about="the records of the bundle",
        grant=Grant(reads=(OWN_PROCESS,)),
        patience=PACK_SECONDS,
    )
    if not incidents:
        raise FanousError(
            f"the records of {gathered.incident.id} no longer amount to it (run `fanous rejudge` first: the "
            "ledger may be of another version), so there is nothing to prove"
        )
    return incidents[0]


def recomputed(_records: IO[bytes], gathered: Gathered, shares: UserWeights | None) -> list[Incident]:
    """In the reader: the incident, computed in a temporary store; empty = there is none like it."""
    window = gathered.window
    lines = (
        record
        for packed, name in ((gathered.records, manifest.RECORDS), (gathered.controls, manifest.CONTROLS))
        for record in unpack_lines(packed, name)
    )
    levels = unpack_series(gathered.levels, manifest.LEVELS).series
    provenance = gathered.incident.provenance
    computed = recompute(lines, levels, window, shares, provenance, mirrors_in(gathered.sources))
    incident = closest(computed.incidents, gathered.incident)
    return [] if incident is None else [incident]


def _parts(gathered: Gathered, incident: Incident, apart: list[str], public: bool) -> dict[str, bytes]:
    window = gathered.window
    span = {"country": window.country, "since": window.since, "until": window.until}
    return {
        manifest.README: README.encode(),
        manifest.CLAIM: _document(span | {"incident": claim_of(incident)}),
        manifest.LEDGER: _document(gathered.ledger | {"differences": apart}),
        manifest.REFERENCE: _document(reference()),
        manifest.USED: _document(used(incident, gathered.fingerprints)),
        manifest.PARAMETERS: _document(thresholds()),
        manifest.SOURCES: _document(gathered.sources),
        manifest.RECORDS: gathered.records,
        manifest.CONTROLS: gathered.controls,
        manifest.LEVELS: gathered.public_levels if public else gathered.levels,
    }


def _check_claimed(incident: Incident) -> None:
    if incident.status is Status.RETRACTED:
        raise FanousError(f"{incident.id} was retracted: nothing is claimed, so there is nothing to prove")
    if incident.is_provisional:
        raise FanousError(
            f"{incident.id} is provisional until the measurements of the days before it are in; pack it then"
        )
    if incident.withholds_names:
        raise FanousError(
            f"{incident.id} is about a site on no list, whose name and measurements are withheld until a person "
            f"releases them: `fanous incidents name {incident.id}` first"
        )
    if incident.held_by:
        raise FanousError(
            f"{incident.id} is held for a person's review, and a bundle would say more than the ledger does: "
            f"`fanous incidents approve {incident.id}` first"
        )


def pack(gathered: Gathered, path: Path, signer: Signer, now: float, *, public: bool = False) -> Packed:
    """Compute the incident from the redacted records, sign the bundle, and write the file.

    Args:
        now: unix seconds; the file gives the minute.
        public: is it for anyone?  Then values that may not be passed on are left out, and their digests stand for them.

    Raises:
        FanousError: the redacted records do not amount to the incident, or the file cannot be written.
    """
    incident = _computed(gathered)
    # What a person wrote for readers follows from no record.
    apart = differences(claim_of(incident), gathered.ledger["claim"] | {"note": None}, minutes=True)
    parts = _parts(gathered, incident, apart, public)
    content = pack_parts(manifest.signed(parts, signer, f"fanous {__version__}", to_minute(now)))
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FanousError(
            f"cannot write the bundle into {path.parent}: {error.strerror}; free some space there, or "
            f"name another file with -o"
        ) from error
    return Packed(path, len(content), *gathered.counts, fingerprint(signer.public), apart)


def _document(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


UNSTATED = {
    "licence": "none stated",
    "attribution": "",
    "remark": "ask whoever packed it before passing it on",
}


def source_terms(name: str, licence: str = "") -> dict[str, str]:
    """Licence, attribution and remark of a source of measurements or of series, as a bundle states them.

    Args:
        licence: as the operator stated it for their own tables; empty = that of the source.
    """
    source = SOURCES.get(name)
    if source is None:
        return UNSTATED
    remark = source.remark or f"series of {source.title}"
    return {"licence": licence or source.licence, "attribution": source.credit, "remark": remark}
