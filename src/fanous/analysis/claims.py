"""Claims: what others say happened, compared with what is known: supported, contradicted, or cannot tell.

Each point of a claim is compared with the evidence separately.  One contradiction contradicts the claim; it is
supported if every point is; a suspicion supports nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from fanous.analysis.coverage import is_ordinary, measured, unusual
from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.coverage import Coverage
from fanous.model.incident import Incident, Interval, Kind, Scope, Status
from fanous.model.instant import HOUR
from fanous.model.place import Family
from fanous.model.reason import Param, Reason
from fanous.model.threshold import threshold

ABOUT_HOURS = threshold(
    "incidents.claim_hours", 1.0, 'Hours by which a stated duration may differ, since it means "about".'
)
ABOUT_SHARE = threshold(
    "incidents.claim_share",
    0.2,
    "Share of a stated duration by which it may differ, if that is more than `incidents.claim_hours`.",
)

ABOUT_LEVEL = threshold(
    "incidents.claim_level",
    0.05,
    "Share of the usual level by which a stated level may differ: published figures are rounded, and others "
    "measure something else.",
)

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
ENOUGH_FAMILIES = threshold(
    "incidents.claim_families",
    2,
    "Families of quantity series that must have stayed as usual to say that there was no nation-wide outage: as "
    "many as confirm one, and usage among them, since routes and addresses may stay while phones are cut off.",
)

SLOWED = "throttle"
"""Part of the names of mechanisms that slow connections down."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a claim, and the evidence's answer."""

    about: str
    answer: ClaimCheck
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer to a claim.

    Attributes:
        incidents: ids of the incidents that it was compared with.
        synthetic: it was checked against a staged event, so the answer says nothing about the real world.
    """

    answer: ClaimCheck
    points: tuple[Point, ...]
    incidents: tuple[str, ...]
    synthetic: bool = False

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons of the points that decide."""
        deciding = [p for p in self.points if p.answer is self.answer] or list(self.points)
        return tuple(reason for point in deciding for reason in point.reasons)


def check_claim(claim: Claim, incidents: Sequence[Incident], coverage: Coverage) -> Checked:
    """Compare a claim with what is known about its country and time.

    Args:
        incidents: of the country, overlapping the claim's time; retracted ones are left out here.
        coverage: coverage of the claim's targets (all measured ones if it names none) in its time.
    """
    near = [i for i in incidents if i.status is not Status.RETRACTED and _is_near(i, claim)]
    sure = [i for i in near if i.confirmed_at is not None]
    if claim.said is Said.NORMAL:
        points = [_normal(sure, near, coverage)]
    elif not sure:
        points = [_unseen(claim, near, coverage)]
    else:
        checks: list[Callable[[Claim, list[Incident]], Point | None]] = [
            _what, _targets, _scope, partial(_networks, coverage), _began, _lasted, _level,
        ]  # fmt: skip
        found = [check(claim, sure) for check in checks]
        points = [point for point in found if point is not None]
    answers = {point.answer for point in points}
    answer = ClaimCheck.SUPPORTED if answers == {ClaimCheck.SUPPORTED} else ClaimCheck.CANNOT_TELL
    if ClaimCheck.CONTRADICTED in answers:
        answer = ClaimCheck.CONTRADICTED
    return Checked(answer, tuple(points), tuple(i.id for i in sure or near))


def _is_near(incident: Incident, claim: Claim) -> bool:
    overlaps = incident.is_on(claim.since, claim.until)
    about = not claim.targets or bool(set(claim.targets) & set(incident.targets)) or not incident.targets
    named = {network.entity for network in incident.networks}
    there = claim.said is not Said.NORMAL or not claim.networks or {f"AS{n}" for n in claim.networks} & named
    return incident.country == claim.country and overlaps and about and bool(there)


def _point(about: str, answer: ClaimCheck, *reasons: Reason) -> Point:
    return Point(about, answer, reasons)


def _normal(sure: list[Incident], near: list[Incident], coverage: Coverage) -> Point:
    if sure:
        return _point("normal", ClaimCheck.CONTRADICTED, Reason("claim.confirmed", {"incidents": _ids(sure)}))
    if near:
        return _point("normal", ClaimCheck.CANNOT_TELL, Reason("claim.suspected", {"incidents": _ids(near)}))
    if is_ordinary(coverage):
        return _point("normal", ClaimCheck.SUPPORTED, Reason("none_seen"), measured(coverage))
    return _point("normal", ClaimCheck.CANNOT_TELL, *unusual(coverage))


def _unseen(claim: Claim, near: list[Incident], coverage: Coverage) -> Point:
    if near:
        return _point(
            "happened", ClaimCheck.CANNOT_TELL, Reason("claim.suspected", {"incidents": _ids(near)})
        )
    is_national = claim.said is Said.OUTAGE and claim.scope is Scope.NATION
    if is_national and Family.USAGE in coverage.watched and len(coverage.watched) >= ENOUGH_FAMILIES:
        usual = Reason("claim.usual", {"families": tuple(map(str, coverage.watched))})
        return _point("happened", ClaimCheck.CONTRADICTED, usual)
    if is_ordinary(coverage):
        if claim.said is Said.OUTAGE and not (is_national and coverage.hours_measured == coverage.hours):
            cut_unseen = Reason("coverage.lines")
            return _point("happened", ClaimCheck.CANNOT_TELL, measured(coverage), cut_unseen)
        return _point("happened", ClaimCheck.CONTRADICTED, Reason("none_seen"), measured(coverage))
    return _point("happened", ClaimCheck.CANNOT_TELL, *unusual(coverage))


def _what(claim: Claim, sure: list[Incident]) -> Point:
    kinds = {part.kind for i in sure for part in i.parts} | {i.kind for i in sure}
    slowed = any(i.kbps is not None or any(SLOWED in m for m in i.mechanisms) for i in sure)
    if kinds & set(FITTING[claim.said]) or (claim.said is Said.THROTTLING and slowed):
        return _point("what", ClaimCheck.SUPPORTED, *_seen_as(sure))
    if claim.said is Said.SLOWDOWN and kinds & {Kind.BLOCKING, Kind.THROTTLING}:
        return _point("what", ClaimCheck.CANNOT_TELL, Reason("claim.whole_line_unmeasured"))
    found = Reason("claim.other_kind", {"kinds": tuple(sorted(map(str, kinds)))})
    return _point("what", ClaimCheck.CANNOT_TELL, found)


def _seen_as(sure: list[Incident]) -> list[Reason]:
    """What was confirmed, by kind, and the speed if something was slowed."""
    seen = []
    for kind in Kind:
        having = [i for i in sure if kind in {i.kind, *(part.kind for part in i.parts)}]
        targets = [
            name
            for i in having
            for part in i.parts
            if part.kind is kind and part.target
            for name in part.named
        ]
        if having:
            told: dict[str, Param] = {"incidents": _ids(having), "targets": tuple(dict.fromkeys(targets))}
            seen.append(Reason(f"claim.seen.{kind}", told))
    return seen + [Reason("claim.kbps", {"kbps": i.kbps.mean}) for i in sure if i.kbps is not None]


def _targets(claim: Claim, sure: list[Incident]) -> Point | None:
    if not claim.targets:
        return None
    missing = tuple(sorted(set(claim.targets) - {target for i in sure for target in i.targets}))
    if missing:
        return _point(
            "targets", ClaimCheck.CANNOT_TELL, Reason("claim.targets_missing", {"targets": missing})
        )
    named = {name for i in sure for name in i.named}
    in_part = sorted(name for name in named if name.partition("/")[0] in set(claim.targets) - named)
    if in_part:
        return _point("targets", ClaimCheck.CANNOT_TELL, Reason("claim.parts", {"targets": tuple(in_part)}))
    return _point("targets", ClaimCheck.SUPPORTED, Reason("claim.targets", {"targets": claim.targets}))


def _scope(claim: Claim, sure: list[Incident]) -> Point | None:
    if claim.scope is None:
        return None
    known = [i for i in sure if i.scope in WIDTH]
    regional = Scope.REGION in (claim.scope, *(i.scope for i in known))
    if regional and {claim.scope} == {i.scope for i in known}:
        return _point("scope", ClaimCheck.SUPPORTED, Reason("claim.region"))
    if regional or claim.scope not in WIDTH or not known:
        return _point("scope", ClaimCheck.CANNOT_TELL, Reason("claim.scope_unknown"))
    widest = max(known, key=lambda i: WIDTH[i.scope])
    if WIDTH[widest.scope] == WIDTH[claim.scope]:
        return _point("scope", ClaimCheck.SUPPORTED, *_reach("claim.scope", widest))
    if WIDTH[widest.scope] > WIDTH[claim.scope]:
        return _point("scope", ClaimCheck.CONTRADICTED, *_reach("claim.wider", widest))
    if widest.users is not None and widest.users.high < 0.5:
        return _point("scope", ClaimCheck.CONTRADICTED, *_reach("claim.narrower", widest))
    return _point("scope", ClaimCheck.CANNOT_TELL, *_reach("claim.scope_at_least", widest))


def _reach(code: str, incident: Incident) -> Iterator[Reason]:
    """How far it reached, and the share of users if it was estimated."""
    yield Reason(code, {"scope": str(incident.scope)})
    users = incident.users
    if users is not None and code != "claim.scope_at_least":
        told: dict[str, Param] = {"low": users.low, "high": users.high, "country": incident.country}
        yield Reason("claim.users", told)


def _networks(coverage: Coverage, claim: Claim, sure: list[Incident]) -> Point | None:
    if not claim.networks:
        return None
    named = {network.entity for i in sure for network in i.networks}
    missing = [asn for asn in claim.networks if f"AS{asn}" not in named]
    if not missing:
        return _point("networks", ClaimCheck.SUPPORTED, Reason("claim.networks"))
    unseen = [asn for asn in missing if asn in coverage.networks or coverage.series]
    reasons = [
        Reason(code, {"networks": tuple(f"AS{asn}" for asn in asns)})
        for code, asns in (
            ("claim.networks_missing", unseen),
            ("claim.networks_unmeasured", [asn for asn in missing if asn not in unseen]),
        )
        if asns
    ]
    return _point("networks", ClaimCheck.CANNOT_TELL, *reasons)


def _began(claim: Claim, sure: list[Incident]) -> Point | None:
    if claim.began_before is None:
        return None
    first = min(sure, key=lambda i: i.onset)
    told: dict[str, Param] = {"country": claim.country, "stated": claim.began_before}
    if first.onset_latest < claim.began_before:
        began = Reason("claim.began_before", told | {"at": first.onset_latest})
        return _point("began", ClaimCheck.SUPPORTED, began)
    if first.onset_earliest is not None and first.onset_earliest >= claim.began_before:
        began = Reason("claim.began_after", told | {"at": first.onset_earliest})
        return _point("began", ClaimCheck.CONTRADICTED, began)
    return _point("began", ClaimCheck.CANNOT_TELL, Reason("claim.began_about", told))


def _lasted(claim: Claim, sure: list[Incident]) -> Point | None:
    if claim.hours is None:
        return None
    longest = max(sure, key=lambda i: (i.end or i.onset_latest) - i.onset)
    if longest.end is None or longest.onset_earliest is None:
        return _point("lasted", ClaimCheck.CANNOT_TELL, Reason("claim.length_unknown"))
    lasted = [_hours(network.intervals, longest.end) for network in longest.networks]
    whole = _hours(longest.intervals, longest.end)
    best, least = (median(lasted), min(lasted)) if lasted else (whole, whole)
    most = whole + (longest.onset - longest.onset_earliest) / HOUR
    slack = max(ABOUT_HOURS, ABOUT_SHARE * claim.hours)
    told = {"best": best, "least": least, "most": most, "stated_hours": claim.hours}
    if abs(claim.hours - best) <= slack:
        return _point("lasted", ClaimCheck.SUPPORTED, Reason("claim.length", told))
    # Some count a curfew from the first of several periods to the end of the last.
    spanned = (longest.end - longest.onset) / HOUR
    if len(longest.intervals) > 1 and abs(spanned - claim.hours) <= slack:
        return _point("lasted", ClaimCheck.CANNOT_TELL, Reason("claim.length_spans", told))
    if least - slack <= claim.hours <= most + slack:
        return _point("lasted", ClaimCheck.CANNOT_TELL, Reason("claim.length_possible", told))
    return _point("lasted", ClaimCheck.CONTRADICTED, Reason("claim.length_other", told))


def _hours(intervals: Sequence[Interval], end: float) -> float:
    return sum((end if iv.end is None else iv.end) - iv.start for iv in intervals) / HOUR


def _level(claim: Claim, sure: list[Incident]) -> Point | None:
    if claim.level is None:
        return None
    known = [(i, i.level) for i in sure if i.level is not None]
    if not known:
        return _point("level", ClaimCheck.CANNOT_TELL, Reason("level.unmeasured"))
    level = known[0][1]
    left = {"left": level.mean, "low": level.low, "high": level.high}
    if any(_about(claim.level, (level.low, level.high)) for _, level in known):
        answer = ClaimCheck.SUPPORTED
    elif any(_about(claim.level, _shares_left(i)) for i, _ in known):
        answer = ClaimCheck.CANNOT_TELL
    else:
        answer = ClaimCheck.CONTRADICTED
    return _point("level", answer, Reason("level.left", left))


def _about(stated: float, shares: Sequence[float]) -> bool:
    return min(shares) - ABOUT_LEVEL <= stated <= max(shares) + ABOUT_LEVEL


def _shares_left(incident: Incident) -> list[float]:
    """Every share of the usual level that was left: in the worst hour, at each stage, to each kind of source."""
    found = [stage.left for stage in incident.levels]
    found += [opinion.left.mean for opinion in incident.opinions if opinion.left is not None]
    if incident.level is not None:
        known = (incident.level.low, incident.level.high, incident.level.worst)
        found += [share for share in known if share is not None]
    return found


def _ids(incidents: list[Incident]) -> tuple[str, ...]:
    return tuple(i.id for i in incidents)
