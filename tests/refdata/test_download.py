"""Download: limits hold against a mirror that misbehaves, and nothing leaves HTTPS."""

from collections.abc import Iterator

import pytest

from fanous.errors import FanousError
from fanous.refdata.update import download
from tests.each import each
from tests.refdata.mirror import GOOD, mirror


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with mirror() as at:
        yield at


@pytest.mark.parametrize("path", ["/good", "/unsized", "/moved"])
def test_a_whole_file_comes_as_it_is(address: str, path: str) -> None:
    assert download(address + path, loopback=True) == GOOD


@pytest.mark.parametrize(
    ("path", "reason", "permanent"),
    [
        ("/missing", "/missing: the server answered 404", True),
        ("/busy", "/busy: the server answered 503", False),
        ("/truncated", "/truncated cannot be fetched: .*received 100 bytes, expected", False),
        ("/huge", "has more than 100,000 bytes", True),
        ("/huge-unsized", "has more than 100,000 bytes", True),
        ("/silent", "/silent cannot be fetched: .*timed out", False),
        ("/drip", "/drip cannot be fetched: too slow", False),
        ("/in-circles", "redirects in a circle", True),
        ("/nowhere", "https://%5B cannot be fetched", False),
        ("/in-clear", "http://mirror.example.org/good is not https", True),
        ("/to-a-file", "file://127.0.0.1/etc/hostname is not https", True),
        ("/odd-length", "/odd-length cannot be fetched: bad Content-Length", False),
        ("/too-many", "the server answered 429", False),
    ],
)
def test_what_goes_wrong_is_reported(address: str, path: str, reason: str, permanent: bool) -> None:
    with pytest.raises(FanousError, match=reason) as raised:
        download(address + path, largest=100_000, stall=0.3, deadline=0.6, loopback=True)
    assert raised.value.permanent is permanent


@each(
    "url",
    ["http://mirror.example.org/set.csv", "file:///etc/hostname", "ftp://mirror.example.org/", "set.csv"],
)
@each("loopback", [False, True])
def test_only_https_is_fetched(url: str, loopback: bool) -> None:
    with pytest.raises(FanousError, match="is not https"):
        download(url, loopback=loopback)


def test_http_from_this_machine_must_be_asked_for(address: str) -> None:
    with pytest.raises(FanousError, match="is not https"):
        download(address + "/good")


def test_a_machine_without_a_network_gets_an_explanation() -> None:
    with pytest.raises(FanousError, match=r"https://127.0.0.1:1/set cannot be fetched: .*refused") as raised:
        download("https://127.0.0.1:1/set")
    assert not raised.value.permanent
