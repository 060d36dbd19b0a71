"""Anomalies: what is known of one by its signal and its departure."""

from fanous.analysis.series.signals import SIGNALS
from fanous.model.place import Family, Place
from fanous.model.series import Anomaly


def family_of(anomaly: Anomaly) -> Family:
    return SIGNALS[anomaly.key.signal].family


def of_people(anomaly: Anomaly) -> bool:
    return SIGNALS[anomaly.key.signal].of_people


def left(anomaly: Anomaly) -> float:
    """Median share of the baseline during the anomaly."""
    return anomaly.departure.left


def earliest_start(anomaly: Anomaly) -> float:
    """When it began at the earliest; its start, if it was under way when the data begin."""
    return anomaly.start if anomaly.start_earliest is None else anomaly.start_earliest


def is_country(place: Place) -> bool:
    """Is it the whole country, not a region or network?"""
    return not place.asn and not place.region
