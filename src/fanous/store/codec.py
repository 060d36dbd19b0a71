"""Codec: how an incident is written in a ledger, as a JSON document, and read again, whatever version wrote it."""

import re
from dataclasses import replace

import msgspec

from fanous.errors import FanousError
from fanous.model.incident import Incident, Status
from fanous.model.reason import AS_WRITTEN, Reason, as_written
from fanous.store.cache import Cache

_DECODER = msgspec.json.Decoder(Incident)


class _Written(msgspec.Struct):
    """English texts in an incident from before December 2026: why it has its status, and its hints."""

    reason: str = ""
    hints: tuple[Reason | str, ...] = ()


_WRITTEN = msgspec.json.Decoder(_Written)
_REASONS = msgspec.json.Decoder(tuple[Reason, ...])


def encode_reasons(reasons: tuple[Reason, ...]) -> str:
    return msgspec.json.encode(reasons).decode()


def decode_reasons(text: str) -> tuple[Reason, ...]:
    """The reasons of a revision, which before November 2026 were English text."""
    try:
        return _REASONS.decode(text)
    except msgspec.MsgspecError:
        return as_written(text)


def encode_incident(incident: Incident) -> str:
    """A document that reads back as the same incident.

    Raises:
        ValueError: it would not (it contains a NaN: in an incident, not measured is ``None``).
    """
    document = msgspec.json.encode(incident)
    try:
        same = _DECODER.decode(document) == incident
    except msgspec.ValidationError:
        same = False
    if not same:
        raise ValueError(f"this incident cannot be written down: {incident}")
    return document.decode()


def decode_incident(document: str) -> Incident:
    """The incident of a document; fields that this version does not know are ignored."""
    try:
        return _decoded(document)
    except msgspec.MsgspecError as error:
        raise FanousError(
            f"the ledger has an incident that cannot be read ({error}): it was written by another version or "
            f"is damaged; restore the ledger from a backup"
        ) from error


DECODED_BYTES = 64 << 20
"""Of incidents that are kept decoded, since pages and feeds read the whole ledger for each request: some thousands.
Each revision of an incident is another document, so a busy week makes tens of thousands."""

_DECODED: Cache[str, tuple[str, Incident]] = Cache(DECODED_BYTES, lambda kept: 3 * len(kept[0]))
"""Document -> itself and what it says, which takes about twice as much."""


def _decoded(document: str) -> Incident:
    kept = _DECODED.get(document)
    if kept is None:
        kept = document, _decode(document)
        _DECODED.put(document, kept)
    return kept[1]


def _decode(document: str) -> Incident:
    try:
        incident = _DECODER.decode(document)
    except msgspec.ValidationError:
        # its hints may be text
        raw = msgspec.json.decode(document)
        hints = [
            one if isinstance(one, Reason) else Reason(AS_WRITTEN, {"text": one})
            for one in _WRITTEN.decode(document).hints
        ]
        incident = msgspec.convert(raw | {"hints": msgspec.to_builtins(hints)}, Incident)
    written = "" if incident.reasons else _WRITTEN.decode(document).reason
    return replace(incident, reasons=as_written(written)) if written else incident


def with_codes(incident: Incident) -> Incident:
    """State that an incident from before November 2026 had only in its reason text: here and nowhere else it is
    read from words."""
    text = " ".join(str(one.params["text"]) for one in incident.reasons if one.code == AS_WRITTEN)
    if incident.status is Status.SUSPECTED and "held for a person's review" in text:
        return replace(incident, held_by="review")
    if incident.status is not Status.RETRACTED:
        return incident
    if by := re.match(r"taken back by (.+?): (.+)", text, re.DOTALL):
        withdrawn = Reason("withdrawn", {"by": by[1], "why": by[2]})
        return replace(incident, withdrawn_by=by[1], reasons=(withdrawn,))
    whole = re.search(r"it is told as a part of (\w{2}-\d{4}-\d+)$", text)
    if whole is None:
        return incident
    return replace(incident, merged_into=whole[1], reasons=(Reason("merged", {"incident": whole[1]}),))
