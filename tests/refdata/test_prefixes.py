"""Which network announces an address: a table from public routing, packed."""

import lzma
from pathlib import Path

import pytest
from tools.pack_routed import main

from fanous.refdata import networks
from fanous.refdata.networks import network_of, source
from tests.each import each

V4 = """\
1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."
39.32.0.0,39.47.255.255,17557,Pakistan Telecom
39.48.0.0,39.63.255.255,17557,Pakistan Telecom
39.60.0.0,39.64.0.255,9541,Cyber Internet
255.255.255.0,255.255.255.255,7,Last
"""
V6 = """\
2400:cb00::,2400:cb00:ffff:ffff:ffff:ffff:ffff:ffff,13335,"Cloudflare, Inc."
2a00::,2a00::ffff:ffff:ffff:ffff,0,Nobody
"""


def test_every_address_of_a_table_is_found_again_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "4.csv").write_text(V4)
    (tmp_path / "6.csv").write_text(V6)
    main("1.2", tmp_path / "4.csv", tmp_path / "6.csv")
    packed = capfdbinary.readouterr().out
    assert b" 4 1\n" in lzma.decompress(packed)  # neighbours of one network are one range
    monkeypatch.setattr(networks, "bytes_of", lambda _name: packed)
    networks._tables.cache_clear()
    try:
        found = {
            address: network_of(address)
            for address in (
                *("0.255.255.255", "1.0.0.0", "1.0.0.255", "1.0.1.0", "39.31.255.255", "39.32.0.0"),
                *("39.47.255.255", "39.63.255.255", "39.64.0.0", "39.64.0.255", "39.64.1.0"),
                *("255.255.255.255", "2400:cb00::1", "2400:caff:ffff::", "2400:cb01::", "2a00::1", "::"),
            )
        }
        assert source().startswith("npm @ip-location-db/asn 1.2 (CC BY 4.0")
    finally:
        networks._tables.cache_clear()
    assert {address for address, asn in found.items() if asn == 13335} == {
        *("1.0.0.0", "1.0.0.255", "2400:cb00::1")
    }
    assert {address for address, asn in found.items() if asn == 17557} == {
        *("39.32.0.0", "39.47.255.255", "39.63.255.255")
    }
    assert {address for address, asn in found.items() if asn == 9541} == {"39.64.0.0", "39.64.0.255"}
    assert found["255.255.255.255"] == 7
    assert [found[one] for one in ("0.255.255.255", "39.31.255.255", "39.64.1.0", "2a00::1", "::")] == [0] * 5


@each(
    ("address", "asn"),
    [
        ("1.1.1.1", 13335),
        ("8.8.8.8", 15169),
        ("39.32.0.1", 17557),
        ("2606:4700::1111", 13335),
        ("127.0.0.1", 0),
        ("192.168.1.1", 0),
        ("::1", 0),
        ("fe80::1", 0),
    ],
)
def test_the_table_that_ships_knows_well_known_addresses(address: str, asn: int) -> None:
    assert network_of(address) == asn


def test_an_invalid_address_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        network_of("nonsense")


def test_the_table_names_its_source_and_licence() -> None:
    assert "ip-location-db" in source() and "CC BY 4.0" in source() and "DB-IP" in source()
