"""What one publisher alone shows, and what others measured at the time."""

from dataclasses import replace

import numpy as np

from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series
from tests.analysis.incidents.levels import claim, drop, line
from tests.each import each

BGP, AP, GTR = "bgp", "ping-slash24", "gtr"
"""The first two are IODA's, the third is Google's."""


def wavering() -> Series:
    """So noisy that it would not show the loss."""
    one = line(GTR)
    return replace(one, values=np.where(np.arange(len(one)) % 48 < 24, 0.3, 1.0))


def cut_before() -> Series:
    """As usual but for an outage two days before."""
    one = line(GTR)
    return replace(
        one, values=np.where((one.times >= one.times[150]) & (one.times < one.times[156]), 0.1, 1.0)
    )


def fallen() -> Series:
    one = line(GTR)
    return replace(
        one, values=np.where((one.times >= one.times[200]) & (one.times < one.times[206]), 0.6, 1.0)
    )


@each(
    ("group", "series", "is_denied"),
    [
        ((drop(BGP, 0, 6, left=0.5), drop(AP, 0, 6, left=0.3)), [line(GTR)], True),
        ((drop(BGP, 0, 6, left=0.7), drop(AP, 0, 6, left=0.3)), [line(GTR)], False),  # networks without users
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [], False),
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [line(GTR, last=0)], False),  # not measured then
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [line(GTR, first=-100)], False),  # not known for a week
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [line("mozilla")], False),  # it shows nothing but a blackout
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [line("scan_up")], False),  # no people
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [wavering()], False),
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [fallen()], False),
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [cut_before()], True),
        ((drop(BGP, 0, 6), drop(AP, 0, 6)), [line(GTR, region="XA-A")], False),
        ((drop("prefixes_v4", 0, 6), drop(AP, 0, 6)), [line(GTR)], False),  # two publishers
        ((drop(BGP, 0, 6), drop(AP, 0, 6), drop(GTR, 1, 6)), [line("radar_netflows")], False),
        ((drop(BGP, 0, 6, asn=1), drop(AP, 0, 6, asn=1)), [line(GTR)], False),  # a network
    ],
)
def test_two_families_of_one_publisher_confirm_nothing_that_the_traffic_of_others_denies(
    group: tuple[Anomaly, ...], series: list[Series], is_denied: bool
) -> None:
    incident = claim(*group, series=series)
    assert incident is not None
    assert (incident.confirmed_at is None) is is_denied
    told = {"shown_by": ("routing", "probing"), "families": ("usage",)}
    assert (Reason("disputed.publisher", told) in incident.reasons) is is_denied
    assert not is_denied or incident.confidence <= 0.5
