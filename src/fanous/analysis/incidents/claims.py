"""Claims: what others say, compared with what was measured: supported, contradicted, or cannot tell.

Each thing that a claim says is compared with the evidence by itself.  One contradiction contradicts the claim; it is
supported if everything it says is; a suspicion supports nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from fanous.analysis.incidents.witnesses import coverage_sentence, is_ordinary, lacking
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.coverage import Coverage
from fanous.model.incident import Incident, Interval, Kind, Scope, Status
from fanous.model.instant import HOUR, to_iso
from fanous.model.place import Family

ABOUT_HOURS = 1.0
ABOUT_SHARE = 0.2
"""A stated duration is taken as "about": within an hour, or a fifth of it."""

WIDTH = {Scope.ISP: 0, Scope.MULTI_ISP: 1, Scope.NATION: 2}
"""From narrow to wide.  A region is neither wider nor narrower than some providers, so it is compared with regions
only."""

FITTING: dict[Said, tuple[Kind, ...]] = {
    Said.DISRUPTED: tuple(Kind),
    Said.OUTAGE: (Kind.OUTAGE,),
    Said.BLOCKING: (Kind.BLOCKING,),
    Said.THROTTLING: (Kind.THROTTLING,),
    Said.SLOWDOWN: (Kind.SLOWDOWN,),
}
ENOUGH_FAMILIES = 2
"""Families of quantities needed to say that there was no outage: as many as confirm one (C3), including what people do,
since routes and addresses may remain while mobile lines are cut."""

SLOWED = "throttle"
"""Part of the names of mechanisms that slow connections down."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a claim says, and what the evidence answers."""

    about: str
    answer: ClaimCheck
    why: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer to a claim.

    Attributes:
        incidents: ids of those that it was compared with.
        synthetic: it was checked against a staged event, so the answer says nothing about the real world.
    """

    answer: ClaimCheck
    points: tuple[Point, ...]
    incidents: tuple[str, ...]
    synthetic: bool = False

    @property
    def why(self) -> str:
        """The reasons of the points that decide, in words."""
        deciding = [p for p in self.points if p.answer is self.answer] or list(self.points)
        return "; ".join(point.why for point in deciding)


def check_claim(
    claim: Claim, incidents: Sequence[Incident], coverage: Coverage, watched: Sequence[Family] = ()
) -> Checked:
    """Compare a claim with what is known about its country and time.

    Args:
        incidents: of the country, overlapping the claim's time; retracted ones are left out here.
        coverage: of the claim's targets (all measured ones where it names none) in its time.
        watched: families of quantities that would have shown an outage of the country then.
    """
    near = [i for i in incidents if i.status is not Status.RETRACTED and _is_near(i, claim)]
    sure = [i for i in near if i.confirmed_at is not None]
    if claim.said is Said.NORMAL:
        points = [_normal(sure, near, coverage)]
    elif not sure:
        points = [_unseen(near, coverage, watched)]
    else:
        checks: list[Callable[[Claim, list[Incident]], Point | None]] = [
            _what, _targets, _scope, _networks, _began, _lasted, _level,
        ]  # fmt: skip
        found = [check(claim, sure) for check in checks]
        points = [point for point in found if point is not None]
    return Checked(_joined(points), tuple(points), tuple(i.id for i in sure or near))


def _joined(points: Sequence[Point]) -> ClaimCheck:
    answers = {point.answer for point in points}
    if ClaimCheck.CONTRADICTED in answers:
        return ClaimCheck.CONTRADICTED
    return ClaimCheck.SUPPORTED if answers == {ClaimCheck.SUPPORTED} else ClaimCheck.CANNOT_TELL


def _is_near(incident: Incident, claim: Claim) -> bool:
    overlaps = incident.onset < claim.until and (incident.end is None or incident.end > claim.since)
    about = not claim.targets or bool(set(claim.targets) & set(incident.targets)) or not incident.targets
    named = {network.entity for network in incident.networks}
    there = claim.said is not Said.NORMAL or not claim.networks or {f"AS{n}" for n in claim.networks} & named
    return incident.country == claim.country and overlaps and about and bool(there)


def _normal(sure: list[Incident], near: list[Incident], coverage: Coverage) -> Point:
    if sure:
        return Point("normal", ClaimCheck.CONTRADICTED, f"{_named(sure)} was confirmed in that time")
    if near:
        return Point("normal", ClaimCheck.CANNOT_TELL, f"{_named(near)} is suspected and not confirmed")
    if is_ordinary(coverage):
        return Point("normal", ClaimCheck.SUPPORTED, f"no disruption was seen: {coverage_sentence(coverage)}")
    return Point("normal", ClaimCheck.CANNOT_TELL, lacking(coverage) or "more failed than in ordinary times")


def _unseen(near: list[Incident], coverage: Coverage, watched: Sequence[Family]) -> Point:
    if near:
        return Point("happened", ClaimCheck.CANNOT_TELL, f"{_named(near)} is suspected and not confirmed")
    if Family.USAGE in watched and len(watched) >= ENOUGH_FAMILIES:
        return Point("happened", ClaimCheck.CONTRADICTED, f"{' and '.join(watched)} stayed as usual")
    if is_ordinary(coverage):
        return Point("happened", ClaimCheck.CONTRADICTED, f"it was measured: {coverage_sentence(coverage)}")
    return Point(
        "happened", ClaimCheck.CANNOT_TELL, lacking(coverage) or "more failed than in ordinary times"
    )


def _what(claim: Claim, sure: list[Incident]) -> Point:
    kinds = {part.kind for i in sure for part in i.parts} | {i.kind for i in sure}
    slowed = any(i.kbps is not None or any(SLOWED in m for m in i.mechanisms) for i in sure)
    if kinds & set(FITTING[claim.said]) or (claim.said is Said.THROTTLING and slowed):
        return Point("what", ClaimCheck.SUPPORTED, f"{_named(sure)}: {', '.join(_seen_as(sure))}")
    if claim.said is Said.SLOWDOWN:
        why = "single targets were cut or slowed; whether everything else was slow too was not measured"
    else:
        why = f"what was confirmed is {', '.join(sorted(map(str, kinds)))}, not {claim.said}"
    return Point("what", ClaimCheck.CANNOT_TELL, why)


def _seen_as(sure: list[Incident]) -> list[str]:
    seen = [f"{part.target} {part.kind}" for i in sure for part in i.parts]
    return seen + [f"slowed to about {i.kbps.mean:.0f} kbit/s" for i in sure if i.kbps is not None]


def _targets(claim: Claim, sure: list[Incident]) -> Point | None:
    if not claim.targets:
        return None
    missing = sorted(set(claim.targets) - {target for i in sure for target in i.targets})
    if missing:
        why = f"of {', '.join(missing)} nothing is confirmed"
        return Point("targets", ClaimCheck.CANNOT_TELL, why)
    return Point("targets", ClaimCheck.SUPPORTED, f"{', '.join(claim.targets)}: each of them is confirmed")


def _scope(claim: Claim, sure: list[Incident]) -> Point | None:
    if claim.scope is None:
        return None
    known = [i for i in sure if i.scope in WIDTH]
    regional = Scope.REGION in (claim.scope, *(i.scope for i in known))
    if regional and {claim.scope} == {i.scope for i in known}:
        return Point("scope", ClaimCheck.SUPPORTED, "seen in one region")
    if regional or claim.scope not in WIDTH or not known:
        return Point("scope", ClaimCheck.CANNOT_TELL, "how far it reached cannot be said")
    widest = max(known, key=lambda i: WIDTH[i.scope])
    if WIDTH[widest.scope] == WIDTH[claim.scope]:
        return Point("scope", ClaimCheck.SUPPORTED, f"scope {widest.scope}{_share(widest)}")
    if WIDTH[widest.scope] > WIDTH[claim.scope]:
        return Point("scope", ClaimCheck.CONTRADICTED, f"it reached further: {widest.scope}{_share(widest)}")
    if widest.users is not None and widest.users.high < 0.5:
        return Point("scope", ClaimCheck.CONTRADICTED, f"it reached less far: {widest.scope}{_share(widest)}")
    return Point("scope", ClaimCheck.CANNOT_TELL, f"seen as {widest.scope}; the rest was not measured enough")


def _share(incident: Incident) -> str:
    users = incident.users
    return "" if users is None else f", {users.low:.0%} to {users.high:.0%} of users"


def _networks(claim: Claim, sure: list[Incident]) -> Point | None:
    if not claim.networks:
        return None
    named = {network.entity for i in sure for network in i.networks}
    missing = [f"AS{asn}" for asn in claim.networks if f"AS{asn}" not in named]
    if missing:
        return Point("networks", ClaimCheck.CANNOT_TELL, f"not seen on {', '.join(missing)}")
    return Point("networks", ClaimCheck.SUPPORTED, "each network is named")


def _began(claim: Claim, sure: list[Incident]) -> Point | None:
    if claim.began_before is None:
        return None
    first = min(sure, key=lambda i: i.onset)
    moment = to_iso(claim.began_before)
    if first.onset_latest < claim.began_before:
        return Point(
            "began", ClaimCheck.SUPPORTED, f"it was on by {to_iso(first.onset_latest)}, before {moment}"
        )
    if first.onset_earliest is not None and first.onset_earliest >= claim.began_before:
        return Point("began", ClaimCheck.CONTRADICTED, f"at {to_iso(first.onset_earliest)} it still worked")
    return Point("began", ClaimCheck.CANNOT_TELL, f"it may have begun before {moment} or after")


def _lasted(claim: Claim, sure: list[Incident]) -> Point | None:
    if claim.hours is None:
        return None
    longest = max(sure, key=lambda i: (i.end or i.onset_latest) - i.onset)
    if longest.end is None or longest.onset_earliest is None:
        return Point("lasted", ClaimCheck.CANNOT_TELL, "its beginning or its end was not seen")
    lasted = [_hours(network.intervals, longest.end) for network in longest.networks]
    whole = _hours(longest.intervals, longest.end)
    best, least = (median(lasted), min(lasted)) if lasted else (whole, whole)
    most = whole + (longest.onset - longest.onset_earliest) / HOUR
    slack = max(ABOUT_HOURS, ABOUT_SHARE * claim.hours)
    measured = f"about {best:.1f} hours on the median network ({least:.1f} to {most:.1f} on any)"
    if abs(claim.hours - best) <= slack:
        return Point("lasted", ClaimCheck.SUPPORTED, f"{measured}: {claim.hours:g} is about that")
    if least - slack <= claim.hours <= most + slack:
        return Point("lasted", ClaimCheck.CANNOT_TELL, f"{measured}: {claim.hours:g} cannot be excluded")
    return Point("lasted", ClaimCheck.CONTRADICTED, f"{measured}, not {claim.hours:g}")


def _hours(intervals: Sequence[Interval], end: float) -> float:
    return sum((end if iv.end is None else iv.end) - iv.start for iv in intervals) / HOUR


def _level(claim: Claim, sure: list[Incident]) -> Point | None:
    if claim.level is None:
        return None
    levels = [i.level for i in sure if i.level is not None]
    if not levels:
        return Point("level", ClaimCheck.CANNOT_TELL, "how much was left was not measured")
    inside = any(level.low <= claim.level <= level.high for level in levels)
    found = f"{levels[0].low:.0%} to {levels[0].high:.0%} of the ordinary level was left"
    return Point("level", ClaimCheck.SUPPORTED if inside else ClaimCheck.CONTRADICTED, found)


def _named(incidents: list[Incident]) -> str:
    return ", ".join(i.id or "an incident" for i in incidents)
