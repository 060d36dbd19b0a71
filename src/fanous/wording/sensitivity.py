"""Sensitivity: what would have been seen on a network, in a sentence."""

from math import ceil, floor

from fanous.model.coverage import Sensitivity
from fanous.model.instant import DAY, HOUR, MINUTE
from fanous.wording.clocks import length
from fanous.wording.language import Language, Sentence

SEEN_FROM = "A cut of {length} or longer would have been seen here."
SEEN = "A cut like this one would have been seen here."
SEEN_OFTEN = "About {n} in ten cuts like this one would have been seen here."
SEEN_LATE = (
    "Even a cut of days could have gone unnoticed here while it lasted, because too little was measured."
)
MISSED = "A cut like this one would have been missed here, because too little was measured."
TEXTS = (SEEN_FROM, SEEN, SEEN_OFTEN, SEEN_LATE, MISSED)


def would_be_seen(sensitivity: Sensitivity, language: Language) -> Sentence:
    """The shortest cut that would have been seen; or if none, or one that is longer than the event asked about, how
    many like that event."""
    if sensitivity.is_seen and sensitivity.seconds_all is None:
        return language.sentence(SEEN)
    if sensitivity.is_seen and sensitivity.seconds_all is not None:
        return language.sentence(SEEN_FROM, length=length(_rounded_up(sensitivity.seconds_all), language))
    if sensitivity.found_alike is None:
        return language.sentence(SEEN_LATE)
    tenths = floor(10 * sensitivity.found_alike)
    return language.sentence(SEEN_OFTEN, n=language.number(tenths)) if tenths else language.sentence(MISSED)


def _rounded_up(seconds: float) -> float:
    """To the unit in which a length is written: a shorter event would be found less often."""
    unit = next((unit for unit in (DAY, HOUR) if seconds >= 2 * unit), MINUTE)
    return ceil(seconds / unit) * unit
