"""Policy: which data may be published as open data, by the sources it rests on."""

from fanous.model.incident import Incident, Says
from fanous.model.place import Family
from fanous.refdata.sources import SOURCES

OWN = "edge"
"""Measurements of one's own probes: the operator's to license."""


def is_open(source: str) -> bool:
    """May values of this source enter?  What is not known may not."""
    return source == OWN or (source in SOURCES and SOURCES[source].is_open)


def sources_of(incident: Incident) -> tuple[str, ...]:
    """What its claim rests on; a family without a named source stands as ``family:NAME``, and is not open."""
    found: list[str] = []
    for family in incident.evidence.families:
        if family in (Family.EDGE, Family.OONI):
            found.append(str(family))
            continue
        named = [
            series.partition(" ")[0]
            for opinion in incident.opinions
            if opinion.family == family and opinion.says is not Says.UNKNOWN
            for series in opinion.sources
        ]
        found += named or [f"family:{family}"]
    return tuple(dict.fromkeys(found))


def licence_of(sources: tuple[str, ...], own: str) -> str:
    """Of a row that rests on these; empty = it may not leave.

    Args:
        own: under which the operator gives what is their own.
    """
    if not sources or not all(is_open(one) for one in sources):
        return ""
    terms = {own if one == OWN or SOURCES[one].licence == "ours" else SOURCES[one].licence for one in sources}
    return "; ".join(sorted({own, *terms}))
