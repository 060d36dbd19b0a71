"""Which share of a country's users each network has."""

from fanous.model.place import Access
from fanous.refdata import toml_table
from fanous.refdata.users import weights


def test_a_country_without_figures_has_none() -> None:
    assert weights("KE") is None
    assert weights("ZZ") is None


def test_shares_leave_room_for_networks_that_are_not_listed() -> None:
    known = weights("PK")
    assert known is not None
    total = sum(network.share for network in known.networks)
    assert 0.95 < total < 1.0
    assert len({network.asn for network in known.networks}) == len(known.networks)


def test_an_operators_users_are_counted_once_over_its_networks() -> None:
    known = weights("PK")
    assert known is not None
    jazz = [network for network in known.networks if network.operator == "Jazz"]
    assert jazz[0].asn == 45669
    everybody = sum(entry["users_m"] for entry in toml_table("user_shares.toml")["PK"]["network"]) + 1.6
    assert abs(sum(network.share for network in jazz) - 47.359 / everybody) < 1e-9
    assert jazz[0].share > 0.25


def test_most_pakistanis_are_mobile_whatever_the_address_space_says() -> None:
    known = weights("PK")
    assert known is not None
    mobile = sum(network.share for network in known.networks if network.access is Access.MOBILE)
    ptcl = next(network for network in known.networks if network.asn == 17557)
    assert mobile > 0.8
    assert ptcl.share < 0.1
    assert 0.1 < known.error < 0.5
    assert "2023" in known.source


def test_every_figure_says_whether_it_is_an_estimate() -> None:
    for table in toml_table("user_shares.toml").values():
        assert table["source"] and table["year"]
        assert all(entry["evidence"] for entry in table["network"])
