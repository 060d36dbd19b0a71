"""Which addresses a resolver may send a probe to."""

import pytest

from fanous.model.measurement import endpoint, is_address
from fanous.probe.net.network import is_public
from tests.each import each


@pytest.mark.parametrize("ip", ["1.1.1.1", "198.51.45.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_public_sites_are_public(ip: str) -> None:
    assert is_public(ip)


@each(
    "ip",
    [
        *("127.0.0.1", "0.0.0.0", "10.10.34.34", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1"),
        *("::", "::1", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "2002:7f00:1::"),
        *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2606:4700::5efe:7f00:1"),
        *("2001:0:4136:e378:8000:63bf:f5ff:fffe", "192.88.99.1", "5f00::1"),
        *("", "site.example", "1.1.1.1:443"),
    ],
)
def test_all_others_are_not(ip: str) -> None:
    assert not is_public(ip)


def test_an_endpoint_is_written_with_brackets_for_ipv6() -> None:
    assert endpoint("1.1.1.1", 443) == "1.1.1.1:443"
    assert endpoint("2606:4700::1111", 443) == "[2606:4700::1111]:443"
    assert is_address("2606:4700::1111") and not is_address("a.example")
