"""Traffic of a platform: all products of a source fall together if the country loses connectivity, or if the source
has a gap; if one falls alone, something happened to it.
"""

from collections.abc import Sequence
from dataclasses import replace

from fanous.analysis.incidents.families import NOTICED
from fanous.analysis.series.anomalies import is_country
from fanous.analysis.series.baselines import of_those_days, shares
from fanous.analysis.series.depth import depth
from fanous.analysis.series.signals import SIGNALS, publisher_of
from fanous.model.incident import Incident
from fanous.model.reason import Reason
from fanous.model.series import Series
from fanous.model.threshold import threshold

ALIKE = threshold(
    "incidents.products_alike_share",
    0.5,
    "Share of the platform's loss from which another product fell alike.",
)


def controlled(loss: Incident, own: Sequence[Series], others: Sequence[Series]) -> Incident | None:
    """The loss, with what the source's other products say; None = they fell alike, so it is not the platform's.

    Args:
        own: series of the platform's traffic.
        others: all other quantities of the country.
    """
    publishers = {publisher_of(one.key) for one in own}
    signals = {one.key.signal for one in own}
    compared = [
        one
        for one in others
        if publisher_of(one.key) in publishers and one.key.signal in signals and is_country(one.key.place)
    ]
    known = [(one, lost) for one in compared if (lost := _lost(one, loss)) is not None]
    if not known:
        return replace(loss, reasons=(*loss.reasons, Reason("products.none")))
    lost = 1 - (1.0 if loss.level is None else loss.level.mean)
    fell_alike = [
        share >= max(ALIKE * lost, NOTICED * SIGNALS[one.key.signal].least_drop) for one, share in known
    ]
    if 2 * sum(fell_alike) >= len(known):
        return None
    names = tuple(sorted({one.key.subtype.lower().replace("_", " ") or one.key.signal for one, _ in known}))
    return replace(
        loss,
        reasons=(*loss.reasons, Reason("products.ordinary", {"products": names})),
        evidence=replace(loss.evidence, controls=len(known)),
    )


def _lost(one: Series, loss: Incident) -> float | None:
    """What another product lost at the same time, a share; None = it was not measured."""
    told = shares(one, loss.onset_earliest or loss.onset) if len(one) else None
    left = None if told is None else depth(of_those_days(told, loss.intervals), loss.intervals, loss.end)
    return None if left is None else 1 - left.mean
