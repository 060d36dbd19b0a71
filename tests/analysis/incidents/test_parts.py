"""Networks next to their country: what the loss of one proves, and of what."""

from dataclasses import replace

import numpy as np

from fanous.model.incident import Incident, Status
from fanous.model.place import Access, NetworkWeight, UserWeights
from fanous.model.series import Anomaly, Series
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import claim, drop, line

BGP, AP, GTR, NT = "prefixes_v4", "ping-slash24", "gtr", "merit-nt"
COUNTRY = 1000


def counted(
    signal: str, level: int, *, asn: int = 0, lost: int = 0, since: float = 0, until: float = 99
) -> Series:
    """A series of so many addresses, less those lost between two hours."""
    one = line(signal, asn=asn)
    gone = (one.times >= MONDAY + since * HOUR) & (one.times < MONDAY + until * HOUR)
    wavers = np.arange(len(one)) % 3 - 1  # a thousandth
    return replace(one, values=level - lost * gone.astype(float) + (wavers if level >= COUNTRY else 0))


def of_network(end: float | None, *, level: int = 100, lost: int = 0, asn: int = 1) -> Incident | None:
    """One network's routes and answers gone, and how much of them the country lost."""
    series = [counted(signal, COUNTRY, lost=lost) for signal in (BGP, AP)]
    series += [counted(signal, level, asn=asn, lost=level) for signal in (BGP, AP)]
    return claim(*gone(asn, end), series=series)


def gone(asn: int, end: float | None) -> list[Anomaly]:
    return [drop(signal, 0, end, left=0.0, asn=asn, last_seen=5) for signal in (BGP, AP)]


def test_a_network_that_was_taken_over_is_no_confirmed_outage() -> None:
    taken = of_network(None)
    assert taken is not None and taken.status is Status.SUSPECTED
    assert [reason.code for reason in taken.reasons][:1] == ["lacks.handover"]
    assert taken.confidence <= 0.5


def test_a_network_is_confirmed_if_its_country_lost_it_or_once_it_is_back() -> None:
    cut = of_network(None, lost=100)
    assert cut is not None and cut.confirmed_at == MONDAY + 0.5 * HOUR
    small = of_network(None, level=2, lost=2)
    assert small is not None and small.confirmed_at is None, "two of a thousand wavering by one show nothing"
    back = of_network(5)
    assert back is not None and back.confirmed_at is not None and back.confirmed_at > MONDAY + 5 * HOUR


def test_three_networks_are_not_taken_over_at_once() -> None:
    series = [counted(signal, COUNTRY) for signal in (BGP, AP)]
    together = claim(*(a for asn in (1, 2, 3) for a in gone(asn, None)), series=series)
    assert together is not None and together.confirmed_at is not None


def with_stray_traffic(level: int, *, weights: UserWeights | None = None) -> Incident | None:
    """Answers of a network and stray traffic of the country gone in the same hour."""
    series = [counted(AP, COUNTRY), counted(AP, level, asn=1, lost=level), line(NT)]
    part, whole = drop(AP, 0, 4, left=0.0, asn=1), drop(NT, 0, 4, left=0.4)
    return claim(part, whole, series=series, weights=weights)


def test_one_dark_network_does_not_support_a_loss_of_the_country_that_it_cannot_account_for() -> None:
    small = with_stray_traffic(5)
    assert small is not None and small.confirmed_at is None
    assert small.reasons[0].code == "lacks.agreement"
    large = with_stray_traffic(300)
    assert large is not None and large.confirmed_at is not None


def test_many_users_may_share_few_addresses() -> None:
    networks = (NetworkWeight(1, 0.4, Access.MOBILE, "one"), NetworkWeight(2, 0.6, Access.FIXED, "two"))
    mobile = with_stray_traffic(5, weights=UserWeights("XA", networks, 0.2, "a test"))
    assert mobile is not None and mobile.confirmed_at is not None


def test_without_figures_all_networks_that_are_watched_count_the_same() -> None:
    part, whole = drop(AP, 0, 4, left=0.0, asn=1), drop(GTR, 0, 4, left=0.4, sudden=0)
    few = claim(part, whole, series=[line(AP, asn=asn) for asn in (1, 2)])
    assert few is not None and few.confirmed_at is not None
    many = claim(part, whole, series=[line(AP, asn=asn) for asn in range(1, 50)])
    assert many is not None and many.confirmed_at is None
