"""Which endpoints are tried for a question."""

import pytest

from fanous.collector.helper import (
    HelperQuestion,
    asked_of,
    endpoints_of,
    ip_infos,
    is_private,
    url_of,
)
from fanous.collector.request import Refused
from tests.each import each


def tried(url: str, *by_probe: str, resolved: tuple[str, ...] = ()) -> list[str]:
    infos = ip_infos(HelperQuestion(url, {}, list(by_probe)), resolved, is_private, lambda _address: 0)
    return [str(endpoint) for endpoint in endpoints_of(url_of(url), infos)]


@pytest.mark.parametrize(
    ("url", "endpoints"),
    [
        ("https://x.com/", ["93.184.216.34:443"]),
        ("http://x.com/", ["93.184.216.34:443", "93.184.216.34:80"]),
        ("http://x.com:8080/", ["93.184.216.34:8080"]),
        ("https://x.com:8443/", ["93.184.216.34:8443"]),
    ],
)
def test_the_ports_follow_from_the_url(url: str, endpoints: list[str]) -> None:
    assert tried(url, "93.184.216.34:1") == endpoints


def test_what_either_side_found_is_tried_once_and_bogons_never() -> None:
    found = tried(
        "https://x.com/",
        "93.184.216.34:443",
        "10.0.0.1:443",
        "[2606:2800:220:1::1]:443",
        "nonsense",
        "x.com:443",
        resolved=("93.184.216.34", "192.168.1.1"),
    )
    assert found == ["93.184.216.34:443", "[2606:2800:220:1::1]:443"]


def test_an_address_says_who_found_it_and_whether_it_can_be_true() -> None:
    infos = ip_infos(
        HelperQuestion("https://x.com/", {}, ["8.8.8.8:443", "10.0.0.1:443"]),
        ["8.8.8.8", "9.9.9.9"],
        is_private,
        lambda address: 15169 if address == "8.8.8.8" else 0,
    )
    assert {address: (info.asn, info.flags) for address, info in infos.items()} == {
        "8.8.8.8": (15169, 1 | 2),
        "10.0.0.1": (0, 1 | 4),
        "9.9.9.9": (0, 2),
    }


def test_a_probe_cannot_have_thousands_of_endpoints_tried() -> None:
    many = [f"93.184.{n // 256}.{n % 256}:443" for n in range(3000)]
    assert len(tried("http://x.com/", *many)) == 32


@each(
    "url",
    [
        "",
        "x.com",
        "ftp://x.com/",
        "file:///etc/passwd",
        "http://x.com:22/",
        "http://x.com:25/",
        "http://x.com:0/",
        "http://x.com:99999/",
        "http://user@x.com/",
        "http:///path",
        "http://[::1/",
        "http://x.com/" + "x" * 3000,
    ],
)
def test_what_is_no_page_on_the_web_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refusal:
        url_of(url)
    assert refusal.value.status == 400


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"http_request":7}', b"[" * 100_000])
def test_what_is_no_question_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        asked_of(body)


@each(
    ("address", "private"),
    [
        ("93.184.216.34", False),
        ("2606:2800:220:1::1", False),
        ("127.0.0.1", True),
        ("0.0.0.0", True),
        ("10.0.0.1", True),
        ("100.64.0.1", True),
        ("169.254.169.254", True),
        ("224.0.0.1", True),
        ("::1", True),
        ("fe80::1", True),
        ("fd00::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:93.184.216.34", False),
        ("64:ff9b::a00:1", True),
        ("2002:7f00:1::", True),
        ("168.63.129.16", True),
        ("192.0.0.9", True),
        ("192.88.99.1", True),
        ("2001:1::1", True),
        ("2606:4700::5efe:7f00:1", True),
        ("nonsense", True),
    ],
)
def test_an_address_is_private_unless_a_public_site_can_have_it(address: str, private: bool) -> None:
    assert is_private(address) is private
