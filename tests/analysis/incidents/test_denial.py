"""What one publisher alone shows, and what others measured at the time."""

from dataclasses import replace

import numpy as np

from fanous.analysis.incidents.outage import SURE
from fanous.model.incident import Basis
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.reason import Reason
from fanous.model.series import Anomaly, Series
from tests.analysis.incidents.events import HOUR, MONDAY
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
        ((drop(BGP, 0, 6, asn=1), drop(AP, 0, 6, asn=1)), [line(GTR)], False),  # a network
    ],
)
def test_one_publisher_alone_confirms_nothing_and_is_disputed_where_the_traffic_of_others_denies_it(
    group: tuple[Anomaly, ...], series: list[Series], is_denied: bool
) -> None:
    incident = claim(*group, series=series)
    assert incident is not None and incident.confirmed_at is None
    assert (incident.basis, incident.reported_by) == (Basis.ONE_PUBLISHER, ("ioda",))
    told = {"shown_by": ("routing", "probing"), "families": ("usage",)}
    assert (Reason("disputed.publisher", told) in incident.reasons) is is_denied
    assert incident.confidence <= 0.5


@each("others", [(drop("prefixes_v4", 0, 6),), (drop(GTR, 1, 6),), (drop("atlas_connected", 0, 6),)])
def test_a_second_hand_confirms_what_one_publisher_shows(others: tuple[Anomaly, ...]) -> None:
    incident = claim(drop(BGP, 0, 6), drop(AP, 0, 6), *others)
    assert incident is not None and incident.confirmed_at is not None
    assert (incident.basis, incident.reported_by) == (Basis.TWO_HANDS, ())


def through(source: str, *signals: str, left: float = 0.0, hours: float = 1) -> tuple[Anomaly, ...]:
    """A time in which the signals of one source lost so much."""
    found = (drop(signal, 0, hours, left=left) for signal in signals)
    return tuple(replace(one, key=replace(one.key, source=source)) for one in found)


def traffic(source: str, signal: str, *, left: float = 1.0) -> Series:
    """Half-hourly figures with so much left in that hour."""
    one = line(signal, first=-200, last=30)
    times = np.arange(one.times[0], one.times[-1], 1800)
    ones = np.ones(len(times), np.int64)
    lost = (times >= MONDAY) & (times < MONDAY + HOUR)
    values = np.where(lost, left, 1.0)
    return replace(
        one,
        key=replace(one.key, source=source),
        step=1800,
        times=times,
        values=values,
        counts=ones,
        controlled=0 * ones,
        measurements=0 * ones,
    )


RADAR, TELESCOPE = "radar_netflows", "merit-nt"
ALL_OF_IODA = through("ioda", BGP, AP, TELESCOPE)


@each(
    ("group", "is_one_hand"),
    [
        (ALL_OF_IODA, True),
        ((*ALL_OF_IODA, *through("ioda", GTR)), True),  # Google's figures, passed on
        ((*ALL_OF_IODA, *through("ioda-csv", GTR)), True),  # a file of the same observatory
        (through("ioda", BGP), True),
        (
            (*through("ripestat", "prefixes_v4"), *through("atlas", "atlas_connected")),
            True,
        ),  # both are RIPE's
        ((drop(AP, 0, 6), drop(BGP, 0, 6, asn=1)), True),  # a network that supports its country
        ((*ALL_OF_IODA, *through("google", GTR)), False),
        ((*ALL_OF_IODA, *through("radar", RADAR)), False),
        ((*ALL_OF_IODA, *through("ripestat", "prefixes_v4")), False),
    ],
)
def test_what_one_source_passes_on_is_of_one_hand_whoever_measured_it(
    group: tuple[Anomaly, ...], *, is_one_hand: bool
) -> None:
    incident = claim(*group)
    assert incident is not None
    assert (incident.confirmed_at is None) is is_one_hand
    assert incident.basis is (Basis.ONE_PUBLISHER if is_one_hand else Basis.TWO_HANDS)


@each(
    ("mirrors", "reported_by"),
    [
        ({"ioda": ("a.example",), "google": ("a.example",)}, ("a.example",)),
        ({"ioda": ("a.example", "b.example"), "google": ("a.example",)}, ("a.example",)),
        ({"ioda": ("a.example",), "google": ("b.example",)}, ()),
        ({"ioda": ("a.example",)}, ()),
    ],
)
def test_a_mirror_of_two_publishers_is_one_hand(
    mirrors: dict[str, tuple[str, ...]], reported_by: tuple[str, ...]
) -> None:
    incident = claim(*through("ioda", AP), *through("google", GTR), mirrors=mirrors)
    assert incident is not None and incident.reported_by == reported_by
    assert (incident.confirmed_at is None) is bool(reported_by)


def test_a_publisher_is_one_hand_through_a_mirror_and_by_itself() -> None:
    """It may have lied before the mirror had it."""
    mirrors = {"ioda": ("a.example",)}
    incident = claim(*through("ioda", BGP), *through("ioda-csv", AP, GTR), mirrors=mirrors)
    assert incident is not None and incident.confirmed_at is None and incident.reported_by == ("ioda",)


@each(
    ("beside", "is_denied"),
    [
        (traffic("radar", RADAR), True),
        (traffic("ioda", GTR), True),
        (traffic("radar", RADAR, left=0.3), False),
    ],
)
def test_traffic_of_others_that_was_as_usual_denies_a_short_loss_of_one_publisher(
    beside: Series, *, is_denied: bool
) -> None:
    incident = claim(*through("ioda", BGP, AP, hours=0.75), series=[beside])
    assert incident is not None
    assert ("disputed.publisher" in {reason.code for reason in incident.reasons}) is is_denied


TWO_HANDS = (*through("ioda", AP, left=0.05), *through("ripestat", "prefixes_v4", left=0.05))
USUAL = traffic("radar", RADAR)


def test_what_two_hands_show_stays_confirmed_and_is_disputed_by_the_traffic_of_others() -> None:
    disputed, plain = claim(*TWO_HANDS, series=[USUAL]), claim(*TWO_HANDS)
    assert disputed is not None and plain is not None
    assert disputed.confirmed_at == plain.confirmed_at is not None
    told = {"shown_by": ("routing", "probing"), "families": ("usage",)}
    assert Reason("disputed.usage", told) in disputed.reasons
    assert disputed.confidence <= SURE < plain.confidence
    fell = claim(*TWO_HANDS, series=[traffic("radar", RADAR, left=0.3)])
    assert fell is not None and "disputed.usage" not in {reason.code for reason in fell.reasons}


def weights(access: Access) -> UserWeights:
    return UserWeights("XA", (NetworkWeight(1, 0.3, access, "one"),), 0.2, "a test")


@each(("access", "is_denied"), [(Access.MOBILE, False), (Access.FIXED, True)])
def test_usage_denies_no_cut_of_mobile_networks_which_fixed_lines_may_hide(
    access: Access, *, is_denied: bool
) -> None:
    group = (drop(BGP, 0, 6, left=0.5), drop(AP, 0, 6, left=0.3), drop(AP, 0, 6, asn=1))
    incident = claim(*group, series=[line(GTR)], weights=weights(access))
    assert incident is not None
    assert ("disputed.publisher" in {reason.code for reason in incident.reasons}) is is_denied


def test_usage_denies_no_cut_of_ipv6_alone() -> None:
    group = through("ripestat", "prefixes_v6", left=0.02, hours=6)
    incident = claim(*group, series=[USUAL])
    assert incident is not None
    standing = {one.code: one.because.code for one in incident.explanations}
    assert standing["usage.as_usual"] == "other_addresses"
