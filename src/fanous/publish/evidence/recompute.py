"""Recompute: records -> incidents through the live pipeline, in a temporary store, and compared.

Incidents are compared as documents without their labels. Numbers are rounded to 1e-6, since library maths differs
in the last bits between processors.  ``reference`` has the versions and contents of everything that a conclusion uses
besides the records.
"""

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from fanous.analysis import events as events  # its thresholds are recorded, too
from fanous.analysis.detectors.interference import DETECTOR_VERSION, SLOWDOWN_DETECTOR_VERSION
from fanous.analysis.explanations.base_rates import base_rates, share_tested
from fanous.analysis.incidents.merge import match
from fanous.analysis.rules import Fingerprint
from fanous.base.text import quoted
from fanous.errors import Rejected
from fanous.model.explanation import Standing
from fanous.model.incident import Incident
from fanous.model.instant import DAY, MINUTE
from fanous.model.measurement import Provenance, Record
from fanous.model.place import UserWeights
from fanous.model.reason import AS_WRITTEN, HINDSIGHT
from fanous.model.series import SourceSeries
from fanous.model.threshold import declared
from fanous.model.verdict import Judged
from fanous.pipeline import detect, judge
from fanous.pipeline.judge import rules_version
from fanous.publish.evidence.container import BundleRefused
from fanous.refdata import bytes_of
from fanous.refdata.platforms import domains_of
from fanous.refdata.users import user_weights
from fanous.sources.marks import is_marked
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store import evidence as evidence  # its thresholds are recorded, too
from fanous.store.local import open_store
from fanous.store.protocol import Store

BATCH = 2000
"""Records held in memory at once, as in the pipeline."""

REJECTS = 20


@dataclass(frozen=True, slots=True)
class RecomputeWindow:
    """The country and time to recompute; unix seconds, half-open."""

    country: str
    since: float
    until: float


@dataclass(slots=True)
class Recomputed:
    """The result of recomputing.

    Attributes:
        records, series: how many were used.
        synthetic: how many records are synthetic, by their own mark or by the bundle's claim.
        rejects: why records could not be used; the first ``REJECTS``.
    """

    incidents: list[Incident] = field(default_factory=list)
    records: int = 0
    series: int = 0
    synthetic: int = 0
    rejects: list[str] = field(default_factory=list)


def recompute(
    records: Iterable[Record],
    levels: Sequence[SourceSeries],
    window: RecomputeWindow,
    shares: UserWeights | None,
    claimed: Provenance,
    mirrors: Mapping[str, Collection[str]],
) -> Recomputed:
    """Judge, gather, detect, correlate and confirm, as ``ingest`` does.

    No other store may be open in this process at the same time.

    Args:
        claimed: the provenance that the records are said to have. A record marked as synthetic supports no other.
        mirrors: source -> hosts that gave its values in its publisher's place.
    """
    done, fingerprints = Recomputed(), judge.known_fingerprints()
    with (
        tempfile.TemporaryDirectory(prefix="fanous-evidence-") as scratch,
        open_store(Path(scratch) / "store") as store,
    ):
        batch: list[Judged] = []
        for record in records:
            if record.source not in MEASUREMENT_SOURCES:
                raise BundleRefused(f"{record.file}, line {record.line}: no source {quoted(record.source)}")
            provenance = Provenance.SYNTHETIC if is_marked(record.data) else claimed
            try:
                batch.append(
                    Judged(replace(record, provenance=provenance), *judge.judge_record(record, fingerprints))
                )
            except Rejected as reason:
                if len(done.rejects) < REJECTS:
                    done.rejects.append(f"{record.file}, line {record.line}: {reason}")
            done.synthetic += provenance.is_synthetic
            if len(batch) >= BATCH:
                _keep(store, batch, done)
        _keep(store, batch, done)
        side = store.of(claimed)
        for source, hosts in mirrors.items():
            side.facts.put_mirrors(source, window.country, hosts, window.since, window.until)
        side.facts.put_series([_settled(level) for level in levels], claimed)
        done.series = len(levels)
        for other in sorted({level.key.place.country for level in levels} - {window.country}):
            detect.detect(store, other, window.since, window.until)  # what fell there at the same time
        done.incidents = detect.find_incidents(side, window.country, window.since, window.until, shares)
    return done


MIRRORS = "mirrors"
"""Next to the terms of a source: hosts that gave its values in its publisher's place, separated by spaces."""


def mirrors_in(sources: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Source -> hosts that gave its values in its publisher's place, as a bundle states them."""
    return {name: stated[MIRRORS].split() for name, stated in sources.items() if MIRRORS in stated}


def _settled(levels: SourceSeries) -> SourceSeries:
    """The series with an empty bin long after it: what is in a bundle had settled when it was packed."""
    if not len(levels):
        return levels
    after = int(levels.times.max()) + (1 + WEEK // levels.step) * levels.step
    times, values = np.append(levels.times, after), np.append(levels.values, np.nan)
    return replace(levels, times=times, values=values)


WEEK = 7 * DAY
"""Seconds; no publisher fills its bins for longer."""


def _keep(store: Store, batch: list[Judged], done: Recomputed) -> None:
    done.records += store.append(batch, rules_version=rules_version()).stored
    batch.clear()


def closest(incidents: list[Incident], known: Incident) -> Incident | None:
    """The incident among ``found`` that corresponds to ``known``; ``None`` = none."""
    pairs = match(incidents, [known])
    return next((incident for incident, partner in pairs if partner is not None), None)


DIGITS = 6
"""Decimal places that count."""

TIMES = frozenset(
    {
        *("onset", "onset_earliest", "onset_latest", "end", "end_earliest", "end_latest"),
        *("reached", "reached_earliest", "reached_latest", "confirmed_at", "start"),
    }
)
PROSE = frozenset({"reason", "hints"})
"""Fields that are, or once were, text for people, which may improve between versions; nothing is concluded from them.
Until November 2026 a claim had a ``reason`` and no ``reasons``, and ``hints`` were English text."""


EXPLANATIONS = "explanations"
"""Field of a claim with the table of what else it could be."""


def claim_of(incident: Incident) -> dict[str, Any]:
    """All fields but those that the ledger gives, reasons of which only the words are known, and when figures came in;
    numbers rounded."""
    reasons = tuple(reason for reason in incident.reasons if reason.code != HINDSIGHT)
    document: dict[str, Any] = msgspec.to_builtins(replace(incident, id="", reasons=reasons))
    for name in ("id", "first_published_at"):
        del document[name]
    if any(reason.code == AS_WRITTEN for reason in incident.reasons):
        del document["reasons"]
    rounded: dict[str, Any] = _rounded(document)
    return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def differences(claimed: dict[str, Any], computed: dict[str, Any], *, minutes: bool = False) -> list[str]:
    """Where a computed incident differs from the recorded one, as ``field: this, not that``.

    Fields that the recorded one lacks are newer and do not count; nor does prose.  Of other explanations only those
    that hold are compared: what excludes one may be a record on which the claim does not rest, so a bundle lacks it.

    Args:
        minutes: times less than a minute apart count as the same (redaction cuts seconds).
    """
    pairs = [
        (at, one, other)
        for at, one, other in _pairs(claimed, computed)
        if at.partition("[")[0] not in (*PROSE, EXPLANATIONS) and not _same(at, one, other, minutes)
    ]
    held, holding = _holding(claimed), _holding(computed)
    if claimed.get(EXPLANATIONS) and held != holding:
        pairs.append(("explanations that hold", held, holding))
    return [f"{at}: {one!r}, not {other!r}" for at, one, other in pairs]


def _holding(claim: dict[str, Any]) -> list[str]:
    """Codes of the other explanations that hold."""
    table = claim.get(EXPLANATIONS) or ()
    return sorted(one["code"] for one in table if one["standing"] == Standing.HOLDS)


def _pairs(claimed: Any, computed: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every leaf of the recorded incident with its computed counterpart; lists of different lengths are leaves."""
    if isinstance(claimed, dict) and isinstance(computed, dict):
        for name, pair in claimed.items():
            yield from _pairs(pair, computed.get(name), f"{at}.{name}" if at else str(name))
    elif isinstance(claimed, list) and isinstance(computed, list) and len(claimed) == len(computed):
        for index, (one, other) in enumerate(zip(claimed, computed, strict=True)):
            yield from _pairs(one, other, f"{at}[{index}]")
    else:
        yield at, claimed, computed


def _same(name: str, one: Any, other: Any, minutes: bool) -> bool:
    numbers = [v for v in (one, other) if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 2:
        return one is other or bool(one == other)
    last = name.rpartition(".")[2]
    apart = abs(numbers[0] - numbers[1])
    if minutes and last in TIMES:
        return apart < MINUTE
    return float(round(apart, DIGITS)) <= float(10**-DIGITS)


FILES = ("fingerprints.toml", "platforms.toml")
"""Reference data that every record is read with."""


def reference() -> dict[str, Any]:
    """Versions and digests that must be equal for two machines to compute the same.

    Fingerprint sets that a user installed are part of the rules' version, after its ``+``. User figures are not
    compared, since the bundle contains those to compute with (``used``).
    """
    digests = {name: sha256(bytes_of(name)).hexdigest() for name in FILES}
    return {
        "rules_version": rules_version(),
        "detector_version": DETECTOR_VERSION,
        "slowdown_detector_version": SLOWDOWN_DETECTOR_VERSION,
        "sha256": digests,
    }


def used(incident: Incident, fingerprints: Mapping[str, Fingerprint]) -> dict[str, Any]:
    """The reference data that this incident rests on: the country's user shares, with which it is recomputed, the base
    rates of what could not be tested, and the rest for readers.

    A fingerprint from a published set is only named, since its text is not ours to pass on.
    """
    return {
        "user_shares": msgspec.to_builtins(user_weights(incident.country)),
        "base_rates": base_rates(incident.explanations),
        "share_tested": share_tested(incident.explanations),
        "platforms": {target: domains_of(target) for target in sorted(incident.targets)},
        "fingerprints": {
            name: {"where": str(one.where), "kind": str(one.kind), "source": one.source or one.origin}
            | ({} if one.origin else {"pattern": one.pattern, "literal": one.literal})
            for name, one in sorted(fingerprints.items())
        },
    }


JUDGING = ("rules.", "series.", "detectors.", "incidents.")
"""How the ids begin of what a conclusion depends on."""

SHOWN = (
    *("series.heartbeats_", "series.collapse_"),
    *("incidents.claim_", "incidents.collateral_", "incidents.precursor_"),
)
"""Those of silent networks and countries, of what others claim, and of what was cut before or with an incident, which
are shown and enter no conclusion."""


def thresholds() -> dict[str, Any]:
    """Id -> value of every threshold that a conclusion depends on."""
    judging = (one for one in declared() if one.id.startswith(JUDGING) and not one.id.startswith(SHOWN))
    return {one.id: one.value for one in judging}


def unlike_thresholds(recorded: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(id, in the bundle, here) of each threshold that both sides know and that differs.

    One known to only one side is no difference, since recomputing shows whether it changes the conclusion.
    """
    ours = plain(thresholds())
    shared = sorted(recorded.keys() & ours.keys())
    return [
        (name, _short(recorded[name]), _short(ours[name])) for name in shared if recorded[name] != ours[name]
    ]


def unlike(theirs: Any, ours: Any, at: str = "") -> list[tuple[str, str, str]]:
    """(path, in the bundle, here) of each leaf in which two documents differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [
            each
            for name in sorted({*theirs, *ours})
            for each in unlike(theirs.get(name), ours.get(name), f"{at}.{name}" if at else str(name))
        ]
    return [] if theirs == ours else [(at, _short(theirs), _short(ours))]


def unlike_fields(recorded: Mapping[str, Any], ours: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(field, in the bundle, here) of each field of a claim that this version does not have."""
    return [
        (f"claim.{name}", _short(value), "a field that this version does not know")
        for name, value in recorded.items()
        if name not in ours and name not in PROSE
    ]


def plain(document: Any) -> Any:
    """The value as it reads after a round trip through JSON."""
    return msgspec.json.decode(msgspec.json.encode(document))


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
