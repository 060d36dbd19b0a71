"""Fall: what explanations are weighed against, for anomalies of series that may be one event.

``SeriesEvent`` is everything that series show of it.  ``Agreement`` is what confirms it: two families of sources that
support each other.  An explanation that holds of two says nothing about two others.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

from fanous.analysis.series.anomalies import family_of
from fanous.analysis.series.parts import Parts
from fanous.model.incident import Interval
from fanous.model.instant import HOUR
from fanous.model.place import Family
from fanous.model.series import Anomaly, Series
from fanous.model.threshold import threshold

AGREE = threshold(
    "incidents.families_agree_seconds",
    2 * HOUR,
    "Two families agree if their onsets, or their alarms, are this close beyond what the bins leave open: if "
    "one is wrong once a month and the other three times, both are so together by chance about once in five "
    "years.",
)

DEEP = threshold(
    "incidents.families_deep_share",
    0.5,
    "More than half is gone. If two families have less than this left, overlapping is enough (mobile networks first, "
    "the rest a day later); not for usage and stray traffic that people may have caused, which are counts of a few in "
    "small countries. To be suspected alone a region or network must have less left, since its series is a small count "
    "that moves by itself. A place that falls to less of a lower level that lasts is a separate event. With less of "
    "the traffic or answers left while routing is as usual it is a stealth outage, and with less of the prefixes IPv6 "
    "is withdrawn.",
)


@dataclass(frozen=True, slots=True)
class OutageElsewhere:
    """When another country had an outage.

    Attributes:
        fell: family -> when its series of that country began to fall.
    """

    country: str
    when: Interval
    fell: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SeriesEvent:
    """Everything that series show of an event.

    Attributes:
        group: the event's anomalies.
        series: all quantities of the country that can show an outage.
        parts: what is known of networks and regions.
        elsewhere: outages of other countries.
        distance: kilometres between two countries.
        mirrors: source -> hosts that gave its values in its publisher's place.
    """

    country: str
    group: Sequence[Anomaly]
    series: Sequence[Series]
    parts: Parts
    elsewhere: Sequence[OutageElsewhere] = ()
    distance: Callable[[str, str], float] = lambda _, __: inf
    mirrors: Mapping[str, Collection[str]] = field(default_factory=dict)

    @cached_property
    def networks(self) -> list[tuple[float, int]]:
        """When each network fell, in order."""
        fell = (a for a in self.group if a.raised_at is not None and a.key.place.asn)
        return sorted((a.start, a.key.place.asn) for a in fell)


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Two families that support each other.

    Attributes:
        shown: an anomaly of each, in the order of ``Family``; where no two agree, all of the event's.
        at: when published data raised both; infinite = no two agree.
    """

    whole: SeriesEvent
    shown: Sequence[Anomaly]
    at: float

    @property
    def families(self) -> tuple[str, ...]:
        """Those that show it."""
        return names({family_of(a) for a in self.shown})


def names(families: Collection[Family]) -> tuple[str, ...]:
    """As readers are told of them, always in one order."""
    return tuple(str(family) for family in Family if family in families)
