"""An ASN's name for people."""

import lzma

from fanous.model.place import DOCUMENTATION_ASNS, PRIVATE_ASNS
from fanous.refdata import bytes_of, toml_table
from fanous.refdata.networks import home_of, is_same_operator, network_name, registered_name
from tests.each import each


@each(
    ("asn", "name"),
    [
        (45669, "Jazz"),
        (17557, "PTCL"),
        (33771, "Safaricom"),
        (3320, "Deutsche Telekom AG"),
        (0, ""),
        (4_200_000_000, ""),  # private use
    ],
)
def test_a_network_has_the_name_that_users_know(asn: int, name: str) -> None:
    assert network_name(asn) == name


def test_the_registered_name_is_kept_next_to_it() -> None:
    assert registered_name(45669).startswith("Mobilink GSM")


def test_names_that_users_know_are_of_networks_that_exist() -> None:
    known = toml_table("network_names.toml")["names"]
    assert [asn for asn in known if not registered_name(int(asn))] == []


def test_the_table_is_small_and_carries_its_credit() -> None:
    packed = bytes_of("networks.tsv.xz")
    assert len(packed) < 1_500_000
    head = lzma.decompress(packed)[:600].decode()
    for credit in ("CC BY 4.0", "2026", "routeviews.org", "nro.net", "https://db-ip.com"):
        assert credit in head


def test_networks_of_one_operator_are_known_by_either_name() -> None:
    assert is_same_operator(17557, 9557)  # registered under one name
    assert is_same_operator(17557, 45595)  # known to users under one
    assert not is_same_operator(17557, 9541)
    assert not is_same_operator(64496, 64497)  # no names at all


def test_a_network_is_at_home_where_its_addresses_are_registered() -> None:
    homes = {17557: "PK", 55836: "IN", 44244: "IR", 14593: "US", 64_512: ""}
    assert {asn: home_of(asn) for asn in homes} == homes


def test_numbers_for_documentation_and_private_use_are_at_home_nowhere() -> None:
    """RFC 5398 and RFC 6996: some networks announce them, but they are given to no one."""
    everywhere = (*PRIVATE_ASNS, *DOCUMENTATION_ASNS)
    assert {
        asn: home for asns in everywhere for asn in (*asns[:1100], asns[-1]) if (home := home_of(asn))
    } == {}
