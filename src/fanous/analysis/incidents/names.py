"""Names: an incident as readers see it, without the names of targets that no one watches.

Anyone can measure any name, and would so have it published: an address, a telephone number, a lure.  A reader's
incident therefore has no such name to leak: its targets that are on no list become one (``UNLISTED``), and reasons
that name one are left out.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fanous.base.groups import grouped
from fanous.model.incident import UNLISTED, Incident, NetworkPart, Part, union
from fanous.model.reason import AS_WRITTEN, Reason

Watches = Callable[[str], bool]
"""Is this target a platform, on a list, or named by a person?"""

TARGETS = frozenset({"target", "targets", "neighbours"})
"""Parameters of reasons that hold targets, or parts of them (``telegram/client``)."""

SIGNED = frozenset({"by", "note"})
"""Parameters in a person's own words, who knows that they are published."""

_HOST = re.compile(r"(?<![\w.-])(?:[\w-]+\.)+[^\W\d]{2,}")


def unwatched(incident: Incident, watches: Watches) -> tuple[str, ...]:
    """Its targets whose names readers may not see."""
    return tuple(target for target in incident.targets if not watches(target))


def listed_only(incident: Incident, watches: Watches) -> Incident:
    """The incident as readers see it."""
    hidden = frozenset(unwatched(incident, watches))
    reasons = without_names(incident.reasons, watches)
    return replace(
        incident,
        parts=_parts(incident.parts, hidden),
        networks=tuple(_of_network(one, hidden) for one in incident.networks),
        reasons=(*reasons, Reason(UNLISTED)) if hidden else reasons,
        hints=without_names(incident.hints, watches),
        explanations=tuple(
            one for one in incident.explanations if not hidden and not _names_unwatched(one.because, watches)
        ),
    )


def without_names(reasons: Iterable[Reason], watches: Watches) -> tuple[Reason, ...]:
    """Reasons without those that name a target that no one watches."""
    return tuple(one for one in reasons if not _names_unwatched(one, watches))


def _parts(parts: Sequence[Part], hidden: frozenset[str]) -> tuple[Part, ...]:
    """The parts, with the hidden ones as one for each kind of restriction: when and where, and nothing else."""
    withheld = grouped((part for part in parts if part.target in hidden), lambda part: part.kind)
    kept = tuple(part for part in parts if part.target not in hidden)
    for kind, alike in withheld.items():
        places = tuple(dict.fromkeys(entity for part in alike for entity in part.entities))
        intervals = union(interval for part in alike for interval in part.intervals)
        kept += (Part(UNLISTED, kind, mechanisms=(), entities=places, intervals=intervals),)
    return kept


def _of_network(network: NetworkPart, hidden: frozenset[str]) -> NetworkPart:
    targets = dict.fromkeys(UNLISTED if target in hidden else target for target in network.targets)
    return replace(network, targets=tuple(targets))


def _names_unwatched(reason: Reason, watches: Watches) -> bool:
    """Does a sentence made of it show such a name?  What was written as text before November 2026 may have any."""
    if reason.code == AS_WRITTEN:
        return any(not watches(host) for host in _HOST.findall(str(reason.params.get("text", ""))))
    for name, value in reason.params.items():
        texts = [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str)]
        if name in TARGETS and not all(watches(text.partition("/")[0]) for text in texts if text):
            return True
        if name not in SIGNED and not all(watches(text) for text in texts if _HOST.fullmatch(text)):
            return True
    return False
