"""Redaction: what the redactors of all sources share - whole minutes, and digests in place of identifiers.

A redacted record is a record of the same source with less in it, so the same reader parses it.
"""

import re
from hashlib import sha256
from typing import Any

from fanous.model.instant import MINUTE, to_iso

DIGITS = 32
"""Hex digits of a digest: 128 bits, so that no two identifiers of any store collide."""

_CLOCK = re.compile(r"(?<![0-9a-fA-F:])([0-2]\d:[0-5]\d):[0-5]\d(?:\.\d+)?")


def to_minute(instant: float) -> str:
    """The minute that contains ``instant``, as RFC 3339."""
    return to_iso(instant // MINUTE * MINUTE)


def digest(identifier: str) -> str:
    """Replaces an identifier that contains a time to the second (``measurement_uid``, ``report_id``).

    Anyone with the original record can compute it and find the record again; the reverse is impossible.
    """
    return sha256(b"fanous evidence\0" + identifier.encode("utf-8", "replace")).hexdigest()[:DIGITS]


def without_seconds(text: str) -> str:
    """Clock times in a text to the minute, at the same length: ``15:04:05`` -> ``15:04:00``."""
    return _CLOCK.sub(lambda found: found[1] + re.sub(r"\d", "0", found[0][len(found[1]) :]), text)


def pruned(value: Any, wanted: Any) -> Any:
    """``value`` with only what ``wanted`` names.

    Args:
        wanted: ``None`` = all of it; a map = these keys; a list of one = the same of each element; ``{"*": ...}`` =
            the same of every key.  If the value has another form, nothing of it is kept.
    """
    if wanted is None:
        return value
    if isinstance(wanted, list):
        return [pruned(each, wanted[0]) for each in value] if isinstance(value, list) else None
    if not isinstance(value, dict):
        return None
    if "*" in wanted:
        return {key: pruned(each, wanted["*"]) for key, each in value.items()}
    return {key: pruned(value[key], wanted[key]) for key in wanted if key in value}
