"""ClientHellos: what a browser sends, and what one looks like."""

import ssl
from pathlib import Path
from random import Random

import pytest

from fanous.probe.net.tls import HANDSHAKE, SERVER_HELLO, browser_hello, fingerprint
from tests.each import each
from tests.probe.net.authority import Authority


def openssl_hello() -> bytes:
    out = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="site.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


def answer_to(hello: bytes, folder: Path) -> bytes:
    """What a real server (OpenSSL) says."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = Authority(folder).context("site.example", alpn=("h2",))
    tls = context.wrap_bio(into, out, server_side=True)
    into.write(hello)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


@each("seed", range(20))
def test_a_real_server_answers_it_with_a_server_hello(seed: int, tmp_path: Path) -> None:
    answer = answer_to(browser_hello("site.example", Random(seed)), tmp_path)
    assert (answer[0], answer[5]) == (HANDSHAKE, SERVER_HELLO)


def test_it_names_the_site_and_differs_from_that_of_openssl() -> None:
    hello = browser_hello("site.example")
    browser, ours = fingerprint(hello), fingerprint(openssl_hello())
    assert b"site.example" in hello
    assert browser is not None and ours is not None
    for one, other in zip(browser.ja3.split(",")[1:4], ours.ja3.split(",")[1:4], strict=True):
        assert set(one.split("-")) != set(other.split("-"))
    assert browser.bytes == len(hello) > 1_700  # with a hybrid key: two segments


def test_two_of_them_differ_in_order_alone() -> None:
    one, other = (fingerprint(browser_hello("site.example", Random(seed))) for seed in (1, 2))
    assert one is not None and other is not None
    extensions = [sorted(each.ja3.split(",")[2].split("-")) for each in (one, other)]
    assert one.ja3 != other.ja3 and extensions[0] == extensions[1]


def test_the_fingerprint_is_that_of_the_published_form() -> None:
    hello = bytes.fromhex("0303") + bytes(32) + b"\x00" + bytes.fromhex("00040a0a1301") + b"\x01\x00"
    extensions = bytes.fromhex("0a0a0000000a000600040a0a001d000b00020100")
    hello += len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(hello).to_bytes(3, "big") + hello
    seen = fingerprint(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message)
    assert seen is not None
    assert seen.ja3 == "771,4865,10-11,29,0"


@each("size", [0, 1, 5, 40, 100, 600])
def test_what_is_no_whole_hello_has_no_fingerprint(size: int) -> None:
    assert fingerprint(openssl_hello()[:size]) is None
    assert fingerprint(b"GET / HTTP/1.1\r\n\r\n"[:size]) is None
