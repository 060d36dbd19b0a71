"""Which addresses no public site can have."""

from fanous.analysis.rules.addresses import is_bogon, is_own_machine
from fanous.model.measurement import is_address
from tests.each import each


@each(
    ("address", "bogon"),
    [
        ("10.10.34.35", True),
        ("127.0.0.1", True),
        ("0.0.0.0", True),
        ("169.254.1.1", True),
        ("192.168.1.1", True),
        ("172.16.0.1", True),
        ("100.64.0.1", True),
        ("198.18.0.1", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("::1", True),
        ("::", True),
        ("fe80::1", True),
        ("fd00::1", True),
        ("d0::11", True),
        ("2001:db8::1", True),
        ("2001::1f0d:5211", True),  # Teredo
        ("::ffff:10.10.34.35", True),
        ("64:ff9b::a0a:2223", True),  # NAT64 of 10.10.34.35
        ("64:ff9b::8efa:b58e", False),  # NAT64 of 142.250.181.142: a mobile network without IPv4
        ("::ffff:142.250.181.142", False),
        ("142.250.181.142", False),
        ("2a00:1450:4018:80c::200e", False),
        ("not an address", False),
    ],
)
def test_a_bogon_is_an_address_outside_the_public_internet(address: str, bogon: bool) -> None:
    assert is_bogon(address) is bogon


@each(
    ("address", "own"),
    [
        ("127.0.0.1", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("::", True),
        ("10.0.0.1", False),
        ("x.com", False),
    ],
)
def test_some_addresses_mean_the_machine_that_asks(address: str, own: bool) -> None:
    assert is_own_machine(address) is own


def test_an_address_is_told_from_a_name() -> None:
    assert [is_address(text) for text in ("8.8.8.8", "::1", "x.com", "")] == [True, True, False, False]
