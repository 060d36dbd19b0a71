"""nginx, Apache and Caddy with our samples in front of the pages: what readers get, and what the pages learn of them.

Only ports, certificates and what a package of Debian puts around a sample are the test's own.
"""

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from fanous.collector.origin import trusted_proxies
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.web.limits import ReaderLimits
from tests.charts.events import ONGOING, incident
from tests.documents import ROOT
from tests.peers.programs import free_port, program, running
from tests.serving import served
from tests.web.small_store import SmallStore
from tests.web.test_desk_login import TOKEN
from tests.web.visits import NOW

pytestmark = pytest.mark.peers

SAMPLES = ROOT / "packaging" / "proxy"
SITE = "fanous.example"
COLLECTOR = "collector.fanous.example"
LIMITS = ReaderLimits(trusted=trusted_proxies(("127.0.0.1/32",)))
REAL = "203.0.113.9"
"""An address that a reader claims to have."""


@dataclass
class Behind:
    """Pages, and a collector's place, of which the proxy knows the ports; ``callers``: whom the pages took them for."""

    pages: int
    collector: int
    callers: list[str | None]
    taken: list[int]


@pytest.fixture(scope="module")
def behind() -> Iterator[Behind]:
    site = Site(url=f"https://{SITE}", clock=lambda: NOW, limits=LIMITS, token=TOKEN)
    app = application(SmallStore([incident(**ONGOING)]).ask, site)
    told = Behind(free_port(), free_port(), [], [])

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            told.callers.append(LIMITS.caller(Request(scope)))
        await app(scope, receive, send)

    async def collector(scope: Scope, receive: Receive, send: Send) -> None:
        """Takes whatever comes, and counts its bytes."""
        if scope["type"] != "http":
            return
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        told.taken.append(size)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    with served(noting, told.pages), served(collector, told.collector):
        yield told


@dataclass
class Front:
    """A proxy; its ports."""

    name: str
    http: int
    https: int

    def client(self, name: str = SITE) -> httpx.Client:
        """As a browser that resolves the name to this machine."""
        client = httpx.Client(
            base_url=f"https://127.0.0.1:{self.https}", headers={"host": name}, verify=_any_certificate()
        )
        client.event_hooks["request"] = [lambda request: request.extensions.update(sni_hostname=name)]
        return client


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def certificate(folder: Path) -> None:
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(
        [
            program("openssl", "openssl"),
            *words,
            *("-subj", f"/CN={SITE}", "-addext", f"subjectAltName=DNS:{SITE},DNS:{COLLECTOR}"),
            *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )


def sample(name: str, behind: Behind, front: Front, folder: Path) -> str:
    text = (SAMPLES / name).read_text()
    for old, new in (
        ("127.0.0.1:8470", f"127.0.0.1:{behind.pages}"),
        ("127.0.0.1:8471", f"127.0.0.1:{behind.collector}"),
        ("/etc/letsencrypt/live/fanous.example", str(folder)),
    ):
        assert old in text or name == "Caddyfile", old
        text = text.replace(old, new)
    return text


def nginx(folder: Path, behind: Behind, front: Front) -> list[str]:
    text = sample("nginx.conf", behind, front, folder)
    text = text.replace("[::]:443", f"[::1]:{front.https}").replace("[::]:80", f"[::1]:{front.http}")
    text = text.replace("listen 443", f"listen 127.0.0.1:{front.https}")
    text = text.replace("listen 80", f"listen 127.0.0.1:{front.http}")
    temporary = "".join(
        f"{one}_temp_path {folder}/{one};\n" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off;\nuser root;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{text}}}\n"
    )
    return [program("nginx", "nginx-light"), "-c", str(path), "-p", str(folder)]


def apache(folder: Path, behind: Behind, front: Front) -> list[str]:
    text = sample("apache.conf", behind, front, folder)
    text = text.replace("*:443", f"*:{front.https}").replace("*:80", f"*:{front.http}")
    modules = Path("/usr/lib/apache2/modules")
    built_in = ("mpm_event", "authz_core", "alias", "ssl", "proxy", "proxy_http", "headers", "socache_shmcb")
    loaded = "".join(
        f"LoadModule {name}_module {modules}/mod_{name}.so\n"
        for name in built_in
        if (modules / f"mod_{name}.so").exists()
    )
    path = folder / "apache.conf"
    path.write_text(
        f"ServerRoot {folder}\nPidFile {folder}/pid\nDefaultRuntimeDir {folder}\nErrorLog {folder}/error.log\n"
        f"ServerName {SITE}\nListen 127.0.0.1:{front.http}\nListen 127.0.0.1:{front.https}\n{loaded}"
        f"User www-data\nGroup www-data\n{text}"
    )
    return [program("apache2", "apache2"), "-f", str(path), "-D", "FOREGROUND"]


def caddy(folder: Path, behind: Behind, front: Front) -> list[str]:
    text = sample("Caddyfile", behind, front, folder)
    text = text.replace(f"{SITE} {{", f"{SITE} {{\n\ttls {folder}/fullchain.pem {folder}/privkey.pem", 2)
    path = folder / "Caddyfile"
    path.write_text(
        f"{{\n\tadmin off\n\thttp_port {front.http}\n\thttps_port {front.https}\n\tskip_install_trust\n}}\n{text}"
    )
    folders = [f"XDG_CONFIG_HOME={folder}", f"XDG_DATA_HOME={folder}"]
    return [
        "env",
        *folders,
        program("caddy", "caddy"),
        "run",
        "--config",
        str(path),
        "--adapter",
        "caddyfile",
    ]


PROXIES: dict[str, Callable[[Path, Behind, Front], list[str]]] = {
    "nginx": nginx,
    "apache": apache,
    "caddy": caddy,
}


@pytest.fixture(scope="module", params=PROXIES)
def front(
    request: pytest.FixtureRequest, behind: Behind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp(request.param)
    certificate(folder)
    one = Front(request.param, free_port(), free_port())
    words = PROXIES[request.param](folder, behind, one)
    with running(words, folder / "log", f"127.0.0.1:{one.https}"):
        yield one


def test_readers_get_the_pages_over_tls_and_are_sent_there(front: Front, behind: Behind) -> None:
    with front.client() as reader:
        page = reader.get("/PK", headers={"accept-encoding": "gzip"})
        assert page.status_code == 200
        assert "script-src" in page.headers["content-security-policy"]
        assert page.headers.get_list("content-security-policy") == [page.headers["content-security-policy"]]
        assert page.headers["content-encoding"] == "gzip"
        assert "Pakistan" in page.text
        assert page.headers["strict-transport-security"]
        cookie = reader.post(
            "/desk/login", data={"secret": TOKEN}, headers={"origin": f"https://{SITE}"}
        ).headers["set-cookie"]
        assert cookie.startswith("__Host-fanous_desk=")
        assert "Secure" in cookie
    plain = httpx.get(f"http://127.0.0.1:{front.http}/PK", headers={"host": SITE})
    assert plain.status_code in (301, 308)
    assert plain.headers["location"].startswith(f"https://{SITE}")


def test_the_pages_learn_the_readers_address_and_believe_no_claim(front: Front, behind: Behind) -> None:
    behind.callers.clear()
    with front.client() as reader:
        for claimed in (REAL, f"{REAL}, 127.0.0.1", "127.0.0.1"):
            assert reader.get("/PK", headers={"x-forwarded-for": claimed}).status_code == 200
    assert behind.callers
    assert set(behind.callers) == {"127.0.0.1"}


def test_the_figures_are_for_this_machine_alone(front: Front, behind: Behind) -> None:
    behind.callers.clear()
    with front.client() as reader:
        assert reader.get("/metrics").status_code in (403, 404)
    assert behind.callers == []


def test_a_stream_of_events_is_passed_on_as_it_comes(front: Front) -> None:
    began = time.monotonic()
    with front.client() as reader, reader.stream("GET", "/live", timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("event: state"):
                break
        assert time.monotonic() - began < 10


def test_probes_deliver_to_the_collector_up_to_its_limit(front: Front, behind: Behind) -> None:
    behind.taken.clear()
    with front.client(COLLECTOR) as probe:
        assert probe.post("/report/x", content=b"x" * (20 << 20), timeout=60).status_code == 200
        assert behind.taken == [20 << 20]
        try:
            refused = probe.post("/report/x", content=b"x" * (40 << 20), timeout=60).status_code
        except httpx.TransportError:
            refused = 413  # it hung up amid the request
    if (
        front.name == "apache"
    ):  # 2.4.71 passes it on whatever LimitRequestBody says; the collector has a limit of its own
        assert (refused, behind.taken[1:]) == (200, [40 << 20])
    else:
        assert refused in (413, 502)
        assert all(size < 40 << 20 for size in behind.taken)


def test_a_client_that_asks_before_it_sends_its_body_is_answered_by_the_proxy(
    front: Front, behind: Behind
) -> None:
    """The collector itself refuses an ``Expect``; curl sends one with each body of more than a megabyte."""
    behind.taken.clear()
    head = (
        f"POST /report/x HTTP/1.1\r\nHost: {COLLECTOR}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )
    with (
        socket.create_connection(("127.0.0.1", front.https), 10) as plain,
        _any_certificate().wrap_socket(plain, server_hostname=COLLECTOR) as probe,
    ):
        probe.sendall(head.encode())
        assert probe.recv(65536).startswith(b"HTTP/1.1 100 ")
        probe.sendall(b"{}")
        assert probe.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert behind.taken == [2]
