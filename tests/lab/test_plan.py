"""A plan says it all: names, addresses and sites follow from it."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from fanous.errors import FanousError
from fanous.probe.net.network import is_public
from fanous.refdata.platforms import target_of
from fanous_lab.plan import (
    MOST_NETWORKS,
    Namespaces,
    Plan,
    PlannedNetwork,
    known_targets,
    plan_of,
    providers_of,
    urls_of,
)
from fanous_lab.topology import COUNTRY_V4, COUNTRY_V6, links_of, namespaces_of

NAMES = Namespaces("fanous-t-")
LARGE = providers_of(plan_of(MOST_NETWORKS), NAMES)


def test_no_address_occurs_twice() -> None:
    points = [point for one in LARGE for point in one.vantage_points]
    own = [address for point in points for address in (point.address, point.address6, point.resolver)]
    own += [address for one in LARGE for address in (one.address6,)]
    sites = [a for site in plan_of(1).sites for a in (*site.addresses, *site.addresses6)]
    assert len(set(own + sites)) == len(own + sites)


def test_addresses_look_public_and_are_written_as_everyone_writes_them() -> None:
    sites = Plan("PK", (PlannedNetwork(1),), known_targets()).sites
    addresses = [a for site in sites for a in (*site.addresses, *site.addresses6)]
    addresses += [
        a for one in LARGE for p in one.vantage_points for a in (p.address, p.address6, p.resolver6)
    ]
    assert all(is_public(address) for address in addresses)
    assert all(str(ip_address(address)) == address for address in addresses)


def test_customers_are_inside_their_network_and_that_inside_the_country() -> None:
    for one in LARGE:
        for address, prefix, country in (
            (one.vantage_points[0].address, one.prefix, COUNTRY_V4),
            (one.vantage_points[0].address6, one.prefix6, COUNTRY_V6),
        ):
            assert ip_address(address) in ip_network(prefix)
            assert ip_network(prefix)[0] in ip_network(country)


def test_names_fit_into_the_kernel_s_fifteen_letters() -> None:
    words = [word for line in links_of(NAMES, LARGE) for word in line.split()]
    interfaces = {words[at + 1] for at, word in enumerate(words) if word in ("add", "name")}
    assert max(map(len, interfaces)) <= 15
    spaces = namespaces_of(NAMES, LARGE)
    assert len(set(spaces)) == len(spaces) == 2 * MOST_NETWORKS + 5


def test_every_host_is_of_the_target_that_people_call_it() -> None:
    for target in known_targets():
        for url in urls_of(target):
            assert target_of(url.split("/")[2]) == target


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        ((), "1 to 4000 networks"),
        ((PlannedNetwork(7), PlannedNetwork(7)), "AS7 occurs twice"),
        ((PlannedNetwork(7, vantage_points=0),), "1 to 100 vantage points, not 0"),
    ],
)
def test_a_plan_that_cannot_be_built_is_refused(networks: tuple[PlannedNetwork, ...], words: str) -> None:
    with pytest.raises(FanousError, match=words):
        Plan("PK", networks)


def test_without_ipv6_a_vantage_point_has_no_address_of_it() -> None:
    (one,) = providers_of(replace(plan_of(1), is_ipv6=False), NAMES)
    assert (one.address6, one.prefix6, one.vantage_points[0].address6) == ("", "", "")
