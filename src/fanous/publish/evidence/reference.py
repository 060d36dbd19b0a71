"""Reference: versions and contents of everything that a conclusion uses besides the records."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from fanous.analysis.detectors.interference import DETECTOR_VERSION, SLOWDOWN_DETECTOR_VERSION
from fanous.analysis.rules import Fingerprint
from fanous.pipeline.judge import rules_version
from fanous.publish.evidence.former_paths import by_id
from fanous.publish.evidence.recompute import PROSE
from fanous.publish.evidence.thresholds import thresholds
from fanous.refdata import bytes_of
from fanous.refdata.platforms import domains_of
from fanous.refdata.users import user_weights

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


def used(country: str, targets: Iterable[str], found: Mapping[str, Fingerprint]) -> dict[str, Any]:
    """The reference data that this incident rests on: the country's user shares, with which it is recomputed, and
    the rest for readers.

    A fingerprint from a published set is only named, since its text is not ours to pass on.
    """
    return {
        "user_shares": msgspec.to_builtins(user_weights(country)),
        "platforms": {target: domains_of(target) for target in sorted(targets)},
        "fingerprints": {
            name: {"where": str(one.where), "kind": str(one.kind), "source": one.source or one.origin}
            | ({} if one.origin else {"pattern": one.pattern, "literal": one.literal})
            for name, one in sorted(found.items())
        },
    }


def unlike_thresholds(recorded: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(id, in the bundle, here) of each threshold that both sides know and that differs.

    One known to only one side is no difference, since recomputing shows whether it changes the conclusion.
    """
    theirs, ours = by_id(recorded), plain(thresholds())
    shared = sorted(theirs.keys() & ours.keys())
    return [(name, _short(theirs[name]), _short(ours[name])) for name in shared if theirs[name] != ours[name]]


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
