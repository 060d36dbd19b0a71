"""Codec: an incident as the JSON document that the ledger keeps."""

import msgspec

from fanous.errors import FanousError
from fanous.model.incident import Incident

_DECODER = msgspec.json.Decoder(Incident)


def encode_incident(incident: Incident) -> str:
    """A document that reads back as the same incident.

    Raises:
        ValueError: it would not (a NaN: what was not measured is ``None`` in an incident).
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
        return _DECODER.decode(document)
    except msgspec.MsgspecError as error:
        raise FanousError(
            f"the ledger holds an incident that cannot be read ({error}): it was written by another version "
            "or damaged; restore the ledger from a copy"
        ) from error
