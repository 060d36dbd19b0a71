"""Only our own proxies are believed about who calls, and only about what they added."""

import pytest

from fanous.collector.origin import NoOrigins, Origin, client_address, trusted_proxies
from fanous.errors import FanousError
from tests.each import each

TRUSTED = trusted_proxies(["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"])


@each(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.1", [], "198.51.100.1"),
        ("198.51.100.1", ["203.0.113.77"], "198.51.100.1"),  # no one we trust: it could write anything
        ("10.0.0.1", ["203.0.113.77"], "203.0.113.77"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.77"], "203.0.113.77"),  # the client wrote the first
        ("10.0.0.1", ["1.1.1.1", "203.0.113.77, 10.9.9.9"], "203.0.113.77"),
        ("10.0.0.1", ["203.0.113.77,2001:db8::5"], "203.0.113.77"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.77, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.77:51234"], "203.0.113.77"),
        ("10.0.0.1", ["[2606:4700::1]:443, 10.9.9.9:80"], "2606:4700::1"),
        ("::ffff:10.0.0.1", ["203.0.113.77"], "203.0.113.77"),
        ("fe80::1%eth0", [], "fe80::1"),
        (None, ["203.0.113.77"], "203.0.113.77"),
    ],
)
def test_the_client_is_the_last_that_no_proxy_of_ours_is(
    peer: str | None, forwarded: list[str], address: str
) -> None:
    assert client_address(peer, forwarded, TRUSTED) == address


def test_without_a_trusted_proxy_no_header_is_believed() -> None:
    assert client_address("127.0.0.1", ["203.0.113.77"], ()) == "127.0.0.1"


def test_an_invalid_network_is_reported() -> None:
    with pytest.raises(FanousError, match=r"10\.0\.0\.0/99"):
        trusted_proxies(["10.0.0.0/99"])


@each(
    ("seen", "contradicts"),
    [
        (Origin("PK", 17557), False),
        (Origin("PK", 0), False),
        (Origin("ZZ", 17557), False),
        (NoOrigins().of("203.0.113.77"), False),
        (Origin("PK", 9541), True),
        (Origin("DE", 17557), False),  # the network decides: where its addresses were registered does not
        (Origin("PK", 45595), False),  # another network of the same operator
        (Origin("DE", 0), True),
    ],
)
def test_what_is_unknown_contradicts_nothing(seen: Origin, contradicts: bool) -> None:
    assert seen.contradicts("PK", 17557) is contradicts
    assert not seen.contradicts("ZZ", 0)
