"""The helper tries a target as a probe does, and reaches nothing that is not on the public internet."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from fanous.collector.helper import Helper, HelperPolicy, HelperQuestion, asked_of, h3_endpoint, title_of
from fanous.collector.reach import HelperReach
from fanous.collector.request import Refused
from tests.each import each

PAGE = b"<html><head><TITLE>An &amp; Example</TITLE></head></html>"


class Site(BaseHTTPRequestHandler):
    """``/`` is a page; ``/to?URL`` leads there; ``/loop`` to itself; ``/agent`` says who asked."""

    def do_GET(self) -> None:
        where = {"/loop": "/loop"}.get(self.path)
        if self.path.startswith("/to?"):
            where = self.path.partition("?")[2]
        content = self.headers["user-agent"].encode() if self.path == "/agent" else PAGE
        self.send_response(302 if where else 200)
        if where:
            self.send_header("Location", where)
        self.send_header("x-host", self.headers["host"])
        self.send_header("alt-svc", 'h2=":443", h3=":8443"; ma=3600')
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server names it
        pass


@contextmanager
def site() -> Iterator[int]:
    """The port of a site on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def resolving(**names: list[str]) -> Callable[[str], Any]:
    async def resolve(name: str) -> list[str]:
        if name.partition(".")[0] not in names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return names[name.partition(".")[0]]

    return resolve


def answer(url: str, *, lab: bool = True, agent: str = "", **asked: Any) -> dict[str, Any]:
    resolve = resolving(site=["127.0.0.1"], public=["192.0.2.1"], mixed=["10.0.0.1", "127.0.0.1"])
    helper = Helper(HelperPolicy(allow_private=lab, resolve=resolve))
    question = msgspec.json.encode({"http_request": url, "http_request_headers": {}, **asked})
    return dict(msgspec.to_builtins(asyncio.run(helper.answer(asked_of(question), agent))))


def test_a_target_that_works_is_seen_at_each_layer() -> None:
    with site() as port:
        got = answer(f"http://site.example:{port}/", tcp_connect=[f"127.0.0.1:{port}"])
    assert got["dns"] == {"failure": None, "addrs": ["127.0.0.1"]}
    assert got["tcp_connect"] == {f"127.0.0.1:{port}": {"status": True, "failure": None}}
    assert got["ip_info"] == {"127.0.0.1": {"asn": 0, "flags": 3}}
    page = got["http_request"]
    assert (page["status_code"], page["body_length"], page["failure"]) == (200, len(PAGE), None)
    assert page["title"] == "An & Example"
    assert page["headers"]["X-Host"] == f"site.example:{port}"
    assert page["discovered_h3_endpoint"] == f"site.example:{port}:8443"
    assert got["quic_handshake"] == {} and got["tls_handshake"] == {}


def test_the_answer_has_the_fields_of_theirs() -> None:
    with site() as port:
        got = answer(f"http://127.0.0.1:{port}/")
    fields = ("tcp_connect", "tls_handshake", "quic_handshake", "http_request", "dns", "ip_info")
    assert set(got) == {*fields, "http3_request"} and got["http3_request"] is None
    assert got["dns"] == {"failure": None, "addrs": []}


def test_redirects_are_followed_to_the_end() -> None:
    with site() as port:
        got = answer(f"http://site.example:{port}/to?http://site.example:{port}/")
        assert got["http_request"]["status_code"] == 200
        assert answer(f"http://site.example:{port}/loop")["http_request"]["failure"] == "unknown_error"


def test_only_a_browsers_headers_are_sent_on() -> None:
    headers = {"User-Agent": ["Mozilla/5.0 Example"], "Host": ["evil.example"], "Cookie": ["a=b"]}
    with site() as port:
        got = answer(f"http://site.example:{port}/agent", http_request_headers=headers)
    assert got["http_request"]["body_length"] == len("Mozilla/5.0 Example")
    assert got["http_request"]["headers"]["X-Host"] == f"site.example:{port}"


def test_a_name_that_is_not_there_is_reported() -> None:
    got = answer("http://nowhere.example/")
    assert got["dns"] == {"failure": "dns_name_error", "addrs": []}
    assert got["http_request"]["failure"] == "dns_lookup_error"
    assert (got["http_request"]["status_code"], got["http_request"]["body_length"]) == (-1, -1)


def test_a_refusal_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    got = answer(f"http://site.example:{port}/")
    assert got["tcp_connect"][f"127.0.0.1:{port}"]["failure"] == "connection_refused_error"
    assert got["http_request"]["failure"] == "connection_refused_error"


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"])
def test_a_private_address_is_refused(host: str) -> None:
    with pytest.raises(Refused, match="public internet"):
        answer(f"http://{host}/", lab=False)


@pytest.mark.parametrize("name", ["site", "mixed"])
def test_a_name_of_a_private_address_is_reached_at_no_layer(name: str) -> None:
    with site() as port:
        got = answer(f"http://{name}.example:{port}/", lab=False, tcp_connect=[f"127.0.0.1:{port}"])
    assert got["tcp_connect"] == {}
    assert got["http_request"]["failure"] == "dns_lookup_error"
    assert all(info["flags"] & 4 for info in got["ip_info"].values())


def test_a_redirect_into_the_private_network_is_not_followed() -> None:
    with site() as port:
        helper = Helper(HelperPolicy(resolve=resolving(site=["127.0.0.1"]), reach=HelperReach(own=set)))
        # The site itself is on loopback here, so it is let through, and nothing else is.
        helper._is_private = lambda address: address != "127.0.0.1"  # type: ignore[method-assign]  # as above
        for target in ("http://10.0.0.1/", "http://site.example:1/", "file:///etc/passwd"):
            question = HelperQuestion(f"http://site.example:{port}/to?{target}")
            got = asyncio.run(helper.answer(question, ""))
            assert got.http_request.failure in ("unknown_error", "dns_lookup_error")
            assert got.http_request.status_code == -1


def test_so_many_questions_are_answered_at_once() -> None:
    async def ask() -> None:
        waiting = asyncio.Event()

        async def resolve(_name: str) -> list[str]:
            await waiting.wait()
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        helper = Helper(HelperPolicy(resolve=resolve))
        question = HelperQuestion("http://x.example/")
        asked = [asyncio.create_task(helper.answer(question, "curl")) for _ in range(25)]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refusal:
            await helper.answer(question, "curl")
        assert refusal.value.status == 503
        asked += [asyncio.create_task(helper.answer(question, "ooniprobe-cli/3.20")) for _ in range(25)]
        await asyncio.sleep(0)
        with pytest.raises(Refused):
            await helper.answer(question, "ooniprobe-cli/3.20")
        waiting.set()
        await asyncio.gather(*asked)
        assert (await helper.answer(question, "curl")).dns.failure == "dns_name_error"

    asyncio.run(ask())


@each(
    ("alt_svc", "endpoint"),
    [
        ("", ""),
        ("clear", ""),
        ('h2=":443"', ""),
        ('h3=":443"; ma=3600', "x.com:443"),
        ('h2=":443", h3="alt.example:8443"', "alt.example:8443"),
        ('h3-29=":443"', ""),
    ],
)
def test_an_offer_of_http3_is_read(alt_svc: str, endpoint: str) -> None:
    assert h3_endpoint(alt_svc, "https://x.com/") == endpoint


def test_a_page_without_a_title_has_none() -> None:
    assert title_of(b"<html>") == ""
    assert title_of(b"<title>\n a </title><title>b</title>") == "a"
