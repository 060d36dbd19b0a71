"""Verify: opens a bundle, checks every byte, and recomputes the incident from its records.

A bundle comes from anyone, so a confined reader does it (``verify_apart``): it reaches the bundle and a temporary
folder, and neither the keys nor the stores of its checker.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import msgspec

from fanous.analysis.explanations.base_rates import base_rates, remaining
from fanous.base.confine import Grant
from fanous.base.files import check_regular
from fanous.base.text import quoted
from fanous.config import data_folder
from fanous.errors import FanousError, Rejected
from fanous.model.incident import Incident
from fanous.model.measurement import Observer, Provenance, Record
from fanous.model.place import UserWeights
from fanous.model.reason import AS_WRITTEN
from fanous.model.series import SeriesKey, SourceSeries
from fanous.pipeline.call import encoded
from fanous.pipeline.reader import OWN_PROCESS, answered
from fanous.publish.evidence import manifest
from fanous.publish.evidence.container import BundleRefused, read_parts, unpack_lines, unpack_series
from fanous.publish.evidence.recompute import (
    Recomputed,
    RecomputeWindow,
    claim_of,
    closest,
    differences,
    mirrors_in,
    plain,
    recompute,
    reference,
    unlike,
    unlike_fields,
    unlike_thresholds,
)
from fanous.publish.signer import fingerprint
from fanous.refdata.users import user_weights
from fanous.sources.marks import LAB_AUTHORITY, is_marked
from fanous.sources.measurements import MEASUREMENT_SOURCES

LEAST_FINGERPRINT = 32
"""Hex digits by which a signer may be named, 128 bits.  A key with the same first 16 digits can be found by trial, by
anyone who can afford 2^64 tries.
"""


DECIDED_WITH = ("rules_version", "detector_version")
"""Fields of an incident that make a bundle *not comparable* if they differ, without any difference in the evidence."""


class Result(StrEnum):
    """``WITHHELD``: values that it needs are not in the bundle, and were not supplied."""

    MATCH = "match"
    DIFFERS = "differs"
    OTHER_VERSIONS = "other_versions"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result.

    Attributes:
        claim: the incident that the records amount to, in this version's words; if there is none, the one claimed.
        differences: where the recorded incident differs from the computed one.
        versions: (name, in the bundle, here) of differing rules, detectors, thresholds and reference data.
        ledger: where the packer's ledger differed from the incident in the bundle.
        provenance: of the incident.
        synthetic: how many records are synthetic, by their own mark or by the bundle's claim.
        signer: fingerprint of the key.
        figures: source of the user figures, if they are not this machine's; empty = they are.
        withheld: series, in words, whose values are missing.
    """

    result: Result
    label: str
    claim: Incident
    differences: list[str]
    versions: list[tuple[str, str, str]]
    ledger: list[str]
    records: int
    series: int
    provenance: Provenance
    synthetic: int
    signer: str
    figures: str
    made_at: str
    made_by: str
    sources: dict[str, dict[str, str]]
    withheld: list[str]


class _Claim(msgspec.Struct):
    country: str
    since: float
    until: float
    incident: Incident


class _Recorded(msgspec.Struct):
    """The incident as it was written, with only the fields of its version."""

    incident: dict[str, Any]


class _Used(msgspec.Struct):
    """Bundles from before December 2026 have no base rates."""

    user_shares: UserWeights | None
    base_rates: dict[str, float] | None = None
    share_tested: float | None = None


class _Ledger(msgspec.Struct):
    id: str
    differences: list[str]


ReadSeries = Callable[[RecomputeWindow, Provenance], Sequence[SourceSeries]]
"""Reads the quantity series of a country from a store."""


def verify(path: Path, signer: str = "", series: ReadSeries | None = None) -> Verification:
    """Check and recompute.

    Args:
        signer: fingerprint, or at least its first 32 digits, that the key must have; empty = any.
        series: supplies values that the bundle names only by their digest.  No others are taken.

    Raises:
        BundleRefused: a byte was changed, another key signed it, or it is not a bundle.
        FanousError: the file cannot be read.
    """
    try:
        return _verified(read_parts(path), signer, series)
    except RecursionError:
        raise BundleRefused("a part of it is nested more deeply than in any real bundle") from None
    except MemoryError:
        raise BundleRefused("it needs more memory than this machine has to spare") from None


class CheckedBundle(msgspec.Struct, frozen=True):
    """What a confined reader says.

    Attributes:
        refused: why the bundle is refused, as bytes, since names of files may be any; empty = it is not.
        withheld: of which country and time, and what kind, are the values that it lacks; ``None`` = it lacks none.
    """

    done: Verification | None = None
    refused: bytes = b""
    withheld: tuple[RecomputeWindow, Provenance] | None = None


def verify_apart(path: Path, signer: str = "", series: ReadSeries | None = None) -> Verification:
    """``verify`` in a confined process; the same arguments, result and errors.

    ``series`` is called in this process: what it reads is out of the reader's reach.
    """
    outcome = _outcome(path, signer, None)
    if outcome.withheld is not None and series is not None:
        outcome = _outcome(path, signer, series(*outcome.withheld))
    if outcome.done is None:
        raise BundleRefused(outcome.refused.decode("utf-8", "surrogatepass"))
    return outcome.done


def _outcome(path: Path, signer: str, series: Sequence[SourceSeries] | None) -> CheckedBundle:
    check_regular(path)  # no folder is granted
    grant = Grant(reads=(path, data_folder() / "refdata", OWN_PROCESS))
    return answered(CheckedBundle, outcome_of, path, signer, series, about=str(path), grant=grant)


def outcome_of(
    _records: IO[bytes], path: Path, signer: str, known: Sequence[SourceSeries] | None
) -> CheckedBundle:
    """In the reader: what ``verify`` says.

    Args:
        known: series that may supply what is withheld.
    """
    asked: list[tuple[RecomputeWindow, Provenance]] = []

    def series(window: RecomputeWindow, provenance: Provenance) -> Sequence[SourceSeries]:
        asked.append((window, provenance))
        return known or ()

    try:
        outcome = CheckedBundle(verify(path, signer, series), withheld=asked[0] if asked else None)
        encoded(outcome)
    except BundleRefused as why:
        return CheckedBundle(refused=str(why).encode("utf-8", "surrogatepass"))
    except (OverflowError, UnicodeError, RecursionError):
        return CheckedBundle(refused=b"it says something in numbers or letters that no bundle has")
    return outcome


def _verified(parts: dict[str, bytes], signer: str, series: ReadSeries | None) -> Verification:
    checked = manifest.checked(parts)
    by = fingerprint(checked.key)
    _check_signer(by, signer)
    claim = _read_claim(parts)
    ledger = _read(parts, manifest.LEDGER, _Ledger)
    versions = unlike(_read(parts, manifest.REFERENCE, dict), plain(reference()))
    versions += unlike_thresholds(_read(parts, manifest.PARAMETERS, dict[str, Any]))
    used = _read(parts, manifest.USED, _Used)
    shares = used.user_shares
    sources = _sources(parts)
    window = RecomputeWindow(claim.country, claim.since, claim.until)
    recorded = _read(parts, manifest.CLAIM, _Recorded).incident
    provenance = _claimed(recorded, claim.incident, parts)
    levels, withheld = unpack_series(parts[manifest.LEVELS], manifest.LEVELS)
    withheld_series = series(window, provenance) if withheld and series else ()
    supplied = [(source, source.found_in(withheld_series)) for source in withheld]
    missing = [_named(one.series.key) for one, values in supplied if values is None]
    computed, best, apart = Recomputed(series=len(levels) + len(withheld)), None, []
    if not missing:
        levels += [values for _, values in supplied if values is not None]
        computed = recompute(_records(parts), levels, window, shares, provenance, mirrors_in(sources))
        best = closest(computed.incidents, claim.incident)
        apart = _apart(recorded, best, computed) + list(_unlike_tested(used, claim.incident))
    versions += unlike_fields(recorded, claim_of(claim.incident))
    if best is not None:
        decided_with = [
            (name, str(recorded.get(name)), getattr(best, name))
            for name in DECIDED_WITH
            if recorded.get(name) != getattr(best, name)
        ]
        versions += [one for one in decided_with if one not in versions]
    result = Result.OTHER_VERSIONS if versions else Result.DIFFERS if apart else Result.MATCH
    return Verification(
        result=Result.WITHHELD if missing else result,
        label=ledger.id,
        claim=claim.incident if best is None else best,
        differences=apart,
        versions=versions,
        ledger=ledger.differences,
        records=computed.records,
        series=computed.series,
        provenance=provenance,
        synthetic=computed.synthetic,
        signer=by,
        figures=_figures(shares, claim.country),
        made_at=checked.made_at,
        made_by=checked.made_by,
        sources=sources,
        withheld=missing,
    )


def _named(key: SeriesKey) -> str:
    place = key.place
    where = f"AS{place.asn}" if place.asn else place.region or place.country
    return " ".join(filter(None, (key.source, key.signal, key.subtype, key.target, where)))


def _figures(shares: UserWeights | None, country: str) -> str:
    if shares == user_weights(country):
        return ""
    return "no user figures" if shares is None else f"user figures of {shares.source}"


def _check_signer(by: str, wanted: str) -> None:
    asked = wanted.lower().removeprefix("sha256:")
    if wanted and len(asked) < LEAST_FINGERPRINT:
        raise FanousError(
            f"a fingerprint of fewer than {LEAST_FINGERPRINT} digits does not identify a key: give more digits"
        )
    if not by.startswith(asked):
        raise BundleRefused(f"it was signed by the key {by}, not by {quoted(wanted)}")


def _read(parts: dict[str, bytes], name: str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(parts[name], type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleRefused(f"the part {name} cannot be read: {quoted(error)}") from error


def _read_claim(parts: dict[str, bytes]) -> _Claim:
    """The claim; until November 2026 its hints were texts."""
    document = _read(parts, manifest.CLAIM, dict[str, Any])
    incident = document.get("incident")
    if isinstance(incident, dict) and isinstance(incident.get("hints"), list):
        incident["hints"] = [
            {"code": AS_WRITTEN, "params": {"text": hint}} if isinstance(hint, str) else hint
            for hint in incident["hints"]
        ]
    try:
        return msgspec.convert(document, _Claim)
    except msgspec.ValidationError as error:
        raise BundleRefused(f"the part {manifest.CLAIM} cannot be read: {quoted(error)}") from error


def _sources(parts: dict[str, bytes]) -> dict[str, dict[str, str]]:
    """Licence terms by source, in the form in which they are printed."""
    sources: dict[str, dict[str, str]] = _read(parts, manifest.SOURCES, dict[str, dict[str, str]])
    for name, terms in sources.items():
        if not {"licence", "attribution"} <= terms.keys():
            raise BundleRefused(
                f"the part {manifest.SOURCES} gives no licence or no attribution for {quoted(name)}"
            )
    return sources


def _records(parts: dict[str, bytes]) -> Iterator[Record]:
    for name in (manifest.RECORDS, manifest.CONTROLS):
        yield from unpack_lines(parts[name], name)


def _claimed(recorded: dict[str, Any], incident: Incident, parts: dict[str, bytes]) -> Provenance:
    """The provenance.  Older bundles do not give it: they are synthetic if one of their records is marked so or met
    a server of the lab."""
    if "provenance" in recorded:
        return incident.provenance
    staged = any(is_marked(record.data) or _met_the_lab(record) for record in _records(parts))
    return Provenance.SYNTHETIC if staged else Provenance.IMPORTED


def _met_the_lab(record: Record) -> bool:
    try:
        observations = MEASUREMENT_SOURCES[record.source].parse(record).observations
    except (KeyError, Rejected):
        return False
    return any(
        observation.cert_issuer == LAB_AUTHORITY and observation.vantage is Observer.PROBE
        for observation in observations
    )


def _unlike_tested(used: _Used, claimed: Incident) -> Iterator[str]:
    """Where the share that was tested does not follow from the claim's explanations and the bundle's base rates."""
    if used.base_rates is None:
        return
    untested = sorted(base_rates(claimed.explanations))
    if sorted(used.base_rates) != untested:
        yield f"explanations with base rates: {sorted(used.base_rates)!r}, not {untested!r}"
    tested = remaining(used.base_rates.values()) if claimed.explanations else None
    if used.share_tested != tested:
        yield f"share_tested: {used.share_tested!r}, not {tested!r}"


def _apart(recorded: dict[str, Any], best: Incident | None, computed: Recomputed) -> list[str]:
    rejects = [f"a record cannot be used: {why}" for why in computed.rejects]
    if best is None:
        return ["the records amount to no such incident", *rejects]
    without = {name: value for name, value in recorded.items() if name not in DECIDED_WITH}
    return differences(without, claim_of(best)) + rejects
