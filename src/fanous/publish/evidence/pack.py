"""Pack: an incident of a store, with all it rests on, in one signed file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fanous import __version__
from fanous.analysis.incidents.review import is_held
from fanous.analysis.rules import Fingerprint
from fanous.errors import FanousError
from fanous.model.incident import Incident, Status
from fanous.model.instant import to_iso
from fanous.publish.evidence import manifest
from fanous.publish.evidence.compare import claim_of, differences
from fanous.publish.evidence.container import pack_parts
from fanous.publish.evidence.licences import licence_of
from fanous.publish.evidence.lines import LineWriter, unpack_lines
from fanous.publish.evidence.recompute import RecomputeWindow, closest, recompute
from fanous.publish.evidence.redaction import redacted
from fanous.publish.evidence.reference import reference, used
from fanous.publish.evidence.selection import Selection, records_at, select
from fanous.publish.evidence.series_lines import pack_series, unpack_series
from fanous.publish.evidence.signature import fingerprint, public_hex
from fanous.publish.evidence.thresholds import thresholds
from fanous.refdata.users import user_weights
from fanous.sources.redaction import to_minute
from fanous.store.protocol import Store

README = """Evidence of a disruption of the internet, packed by Fanous.

  fanous verify FILE

computes the verdicts and the incident again from the records in here and says MATCH, or what differs.
claim.json      what is claimed        records.jsonl.zst   measurements of the country
ledger.json     what the ledger says   controls.jsonl.zst  measurements elsewhere that acted as controls
levels.jsonl.zst  ready-made series of the country, where the line itself was cut or slow
reference.json, parameters.json        with what it was computed; used.json: the parts that mattered
sources.json    licence and attribution of the records: they bind whoever passes this file on
manifest.json   SHA-256 of each part, and the key; manifest.sig is its Ed25519 signature
Times are whole minutes; no address of a probe or its user is in here.
"""


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written.

    Attributes:
        differences: where the claim, computed from redacted records, is not what the ledger says (times
            that differ by less than a minute aside).
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
    """What was taken out of the store, redacted and packed."""

    incident: Incident
    ledger: dict[str, Any]
    selection: Selection
    records: bytes
    controls: bytes
    levels: bytes
    counts: tuple[int, int, int]
    sources: tuple[str, ...]
    fingerprints: dict[str, Fingerprint]


def gather(store: Store, incident_id: str) -> Gathered:
    """Read all that a bundle needs; the store may be closed then.

    Raises:
        FanousError: there is no such incident, or what it rests on cannot be packed.
    """
    revisions = store.revisions(incident_id)
    if not revisions:
        raise FanousError(f"no incident {incident_id} in this store; `fanous incidents list` names them")
    latest = revisions[-1]
    _check_claimed(latest.incident)
    selection = select(store, latest.incident, latest.at)
    _check_found(latest.incident, selection)
    sources = {series.key.source for series in selection.levels}
    found: dict[str, Fingerprint] = {}
    own, elsewhere = LineWriter(), LineWriter()
    for locations, writer in ((selection.own, own), (selection.elsewhere, elsewhere)):
        for record in records_at(store, locations):
            writer.add(redacted(record, found))
            sources.add(record.source)
    ledger = {
        "id": incident_id,
        "revision": latest.n,
        "claimed_at": to_iso(latest.at),
        "reason": latest.reason,
        "claim": claim_of(latest.incident),
    }
    counts = own.count, elsewhere.count, len(selection.levels)
    return Gathered(
        latest.incident,
        ledger,
        selection,
        own.packed(),
        elsewhere.packed(),
        pack_series(selection.levels),
        counts,
        tuple(sorted(sources)),
        found,
    )


def _computed(gathered: Gathered) -> Incident:
    """The incident that the redacted records amount to."""
    chosen = gathered.selection
    lines = (
        record
        for packed, name in ((gathered.records, manifest.RECORDS), (gathered.controls, manifest.CONTROLS))
        for record in unpack_lines(packed, name)
    )
    levels = unpack_series(gathered.levels, manifest.LEVELS)
    window = RecomputeWindow(chosen.country, chosen.since, chosen.until)
    computed = recompute(lines, levels, window, user_weights(chosen.country))
    found = closest(computed.incidents, gathered.incident)
    if found is None:
        raise FanousError(
            f"the records of {gathered.incident.id} no longer amount to it (run `fanous rejudge` first: the "
            "ledger may be of another version), so there is nothing to prove"
        )
    return found


def _parts(gathered: Gathered, found: Incident, apart: list[str]) -> dict[str, bytes]:
    chosen = gathered.selection
    span = {"country": chosen.country, "since": chosen.since, "until": chosen.until}
    return {
        manifest.README: README.encode(),
        manifest.CLAIM: _document(span | {"incident": claim_of(found)}),
        manifest.LEDGER: _document(gathered.ledger | {"differences": apart}),
        manifest.REFERENCE: _document(reference()),
        manifest.USED: _document(used(chosen.country, found.targets, gathered.fingerprints)),
        manifest.PARAMETERS: _document(thresholds()),
        manifest.SOURCES: _document({source: licence_of(source) for source in gathered.sources}),
        manifest.RECORDS: gathered.records,
        manifest.CONTROLS: gathered.controls,
        manifest.LEVELS: gathered.levels,
    }


def _check_claimed(incident: Incident) -> None:
    if incident.status is Status.RETRACTED:
        raise FanousError(f"{incident.id} was retracted: nothing is claimed, so there is nothing to prove")
    if is_held(incident):
        raise FanousError(
            f"{incident.id} is held for a person's review, and a bundle would say more than the ledger does: "
            f"`fanous incidents approve {incident.id}` first"
        )


def _check_found(incident: Incident, selection: Selection) -> None:
    if not selection.own and not selection.levels:
        raise FanousError(
            f"{incident.id} rests on no measurements in this store (any more), so there is nothing to pack"
        )


def pack(gathered: Gathered, path: Path, key: Ed25519PrivateKey, now: float) -> Packed:
    """Compute the claim from the redacted records, sign, and write the file.

    Args:
        now: unix seconds; the file says the minute.

    Raises:
        FanousError: the redacted records do not bear the incident out, or the file cannot be written.
    """
    found = _computed(gathered)
    apart = differences(claim_of(found), gathered.ledger["claim"], minutes=True)
    parts = _parts(gathered, found, apart)
    content = pack_parts(manifest.signed(parts, key, f"fanous {__version__}", to_minute(now)))
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FanousError(f"cannot write the bundle {path}: {error.strerror}") from error
    return Packed(path, len(content), *gathered.counts, fingerprint(public_hex(key)), apart)


def _document(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
