"""Scope: which share of users an event affects, and how far it is therefore said to reach.

The share of users is made up from the finest cell, and drawn many times over the unknowns: the error of the weights,
and whether networks that no one measured are affected.  A nation-wide scope is claimed only if almost every draw says
so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from fanous.analysis.series.parts import UNSEEN
from fanous.model.incident import Scope, UsersShare
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.reason import Reason
from fanous.model.series import Floats
from fanous.model.threshold import threshold

DRAWS = threshold(
    "incidents.scope_draws",
    4000,
    "Monte Carlo draws of the share of users affected, always with the same seed.",
)


SEED = threshold(
    "incidents.scope_seed",
    20231217,
    "Makes the draws of the share of users repeatable; no value is better than another.",
)


NATION_SHARE = threshold(
    "incidents.nation_share", 0.5, "W, the share of users affected, must be at least this for a nation."
)


NATION_CERTAINTY = threshold(
    "incidents.nation_certainty", 0.95, "Share of the draws in which W must reach `incidents.nation_share`."
)


NATION_NETWORKS = threshold("incidents.nation_networks", 3, "Fewest affected networks of a nation.")


NATION_OPERATORS = threshold(
    "incidents.nation_operators", 2, "Fewest operators of the affected networks of a nation."
)


NATION_ALONE = threshold(
    "incidents.nation_alone_share",
    0.8,
    "Share of the users from which one operator is the nation by itself, however few networks it has: Ethio "
    "Telecom was the only one of its country until 2022.",
)


NATION_OBSERVED = threshold(
    "incidents.nation_observed_share",
    0.3,
    "Least share of users measured in each class of access that the incident speaks for: otherwise a cut of "
    "mobile lines would count as national while no one looked at fixed ones.",
)


SMALL_SHARE = threshold(
    "incidents.nation_small_share",
    0.005,
    "Share of users below which a network neither makes a nation nor denies one. In Iran in January 2026 "
    "measurements went on over a network registered in Hong Kong and one of the United Nations while nearly "
    "everyone was cut off. A network is left out by this and by where it is registered, never because it kept working.",
)


FALLBACK_ERROR = threshold(
    "incidents.users_error",
    1.5,
    "Relative error of equal weights, if a country has no figures of users: wide on purpose, and never enough "
    "for a nation.",
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How far it reaches.

    Attributes:
        users: None = nothing was observed.
        remarks: remarks that belong to the claim (one operator serves most users; networks that were left out).
    """

    scope: Scope
    access: Access
    users: UsersShare | None
    remarks: tuple[Reason, ...] = ()


def extent(affected: set[int], observed: set[int], weights: UserWeights | None) -> Extent:
    """How far an event reaches.

    Whether the scope is national is decided without the networks that do not count (``left_out``); a remark says
    what it would be with them.

    Args:
        affected: ASNs on which it was seen.
        observed: all ASNs measured at the time, including the affected ones.
        weights: ``None`` = no figures for this country.
    """
    every = _extent(affected, observed, weights)
    out = left_out(observed | affected, weights)
    if weights is None or not out:
        return every
    kept = _extent(affected - out, observed - out, weights)
    if Scope.NATION not in (every.scope, kept.scope):
        return every
    with_them = 0.0 if every.users is None else round(every.users.mean, 3)
    remark = Reason(
        "left_out",
        {
            "left_out": tuple(f"AS{asn}" for asn in sorted(out)),
            "working": len(out - affected),
            "share_with_them": with_them,
            "scope": str(every.scope),
            "figures": weights.source,
        },
    )
    return replace(kept, remarks=(*kept.remarks, remark))


def left_out(asns: Iterable[int], weights: UserWeights | None) -> set[int]:
    """Those of these networks that do not count for a national scope: registered abroad, or with fewer than
    ``SMALL_SHARE`` of its users.  The figures name every larger one.
    """
    if weights is None:
        return set()
    large = {one.asn for one in weights.networks if one.share >= SMALL_SHARE} - set(weights.abroad)
    return set(asns) - large


def _extent(affected: set[int], observed: set[int], weights: UserWeights | None) -> Extent:
    if not affected:
        return Extent(Scope.INSUFFICIENT, Access.ANY, None)
    share = (1 - UNSEEN) / max(len(observed), 1)
    alike = tuple(NetworkWeight(asn, share, Access.ANY, f"AS{asn}") for asn in sorted(observed))
    known = weights or UserWeights("", alike, FALLBACK_ERROR, "equal weights: no figures for this country")
    access = _access(affected, observed, known)
    of_class = [w for w in known.networks if access is Access.ANY or w.access in (access, Access.ANY)]
    total = sum(w.share for w in of_class)
    listed = sum(w.share for w in known.networks)
    rest = max(0.0, 1 - listed) * (total / listed if listed else 1.0)
    draws = _draw_shares(affected, observed, of_class, rest, known.error)
    seen = sum(w.share for w in of_class if w.asn in observed)
    low, high = np.quantile(draws, [0.05, 0.95])
    users = UsersShare(float(draws.mean()), float(low), float(high), seen / max(total + rest, 1e-12))
    if weights is not None and _is_nation(draws, affected, observed, of_class):
        return Extent(Scope.NATION, access, users)
    operator = {w.asn: w.operator for w in known.networks}
    scope = Scope.MULTI_ISP if len({operator.get(asn, asn) for asn in affected}) > 1 else Scope.ISP
    hit = [] if weights is None else [w for w in weights.networks if w.asn in affected]
    is_one = len({w.operator for w in hit}) == 1 and sum(w.share for w in hit) > NATION_SHARE
    return Extent(scope, access, users, (Reason("one_operator"),) if is_one else ())


def _access(affected: set[int], observed: set[int], weights: UserWeights) -> Access:
    """The one access class that is affected, if the other was seen to work; otherwise any."""
    access = {w.asn: w.access for w in weights.networks}
    hit = {access.get(asn, Access.ANY) for asn in affected}
    spared = {access.get(asn, Access.ANY) for asn in observed - affected}
    for one, other in ((Access.MOBILE, Access.FIXED), (Access.FIXED, Access.MOBILE)):
        if hit == {one} and other in spared:
            return one
    return Access.ANY


def _draw_shares(
    affected: set[int], observed: set[int], networks: list[NetworkWeight], rest: float, error: float
) -> Floats:
    """Draws of the share of users affected; shape (DRAWS,).  ``rest``: share of users on unlisted networks."""
    rng = np.random.default_rng(SEED)
    shares = np.array([w.share for w in networks] + [rest])
    sigma = np.sqrt(np.log1p(error**2))
    drawn = shares * rng.lognormal(-(sigma**2) / 2, sigma, (DRAWS, len(shares)))
    spared = len(observed - affected)
    chance = rng.beta(1 + len(affected), 1 + spared, (DRAWS, 1))
    unseen = rng.random((DRAWS, len(shares))) < chance
    known = np.array([w.asn in observed for w in networks] + [False])
    hit = np.array([w.asn in affected for w in networks] + [False])
    return np.asarray(
        (drawn * np.where(known, hit, unseen)).sum(axis=1) / np.maximum(drawn.sum(axis=1), 1e-12)
    )


def _is_nation(draws: Floats, affected: set[int], observed: set[int], networks: list[NetworkWeight]) -> bool:
    hit = [w for w in networks if w.asn in affected]
    several = len(hit) >= NATION_NETWORKS and len({w.operator for w in hit}) >= NATION_OPERATORS
    if not several and sum(w.share for w in hit) < NATION_ALONE:
        return False
    if (draws >= NATION_SHARE).mean() < NATION_CERTAINTY:
        return False
    for access in {w.access for w in networks}:
        of_class = [w for w in networks if w.access is access]
        seen = sum(w.share for w in of_class if w.asn in observed)
        if seen < NATION_OBSERVED * sum(w.share for w in of_class):
            return False
    return True


OUTAGE = "outage"


def outage_mechanisms(mechanisms: Iterable[str], reach: Extent) -> tuple[str, ...]:
    """The mechanisms, with ``outage`` made as precise as the reach allows.

    Probes themselves report an intranet or an allow-list; the rest follows from who lost the network.
    """
    exact = OUTAGE
    if reach.access is Access.MOBILE:
        exact = "outage.mobile"
    elif reach.scope is Scope.NATION:
        exact = "outage.national"
    elif reach.scope is Scope.ISP:
        exact = "outage.isp"
    return tuple(dict.fromkeys(exact if name == OUTAGE else name for name in mechanisms))
