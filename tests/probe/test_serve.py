"""``/probe`` for Prometheus, against real servers."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from fanous import __version__
from fanous.errors import FanousError
from fanous.probe.net.sockets import SocketNetwork
from fanous.probe.serve import BUILT_IN, Module, read_modules, serve
from tests.builders import FakeNetwork
from tests.each import each
from tests.probe.net import servers
from tests.probe.net.routes import RoutedNetwork
from tests.probe.scene import SETTINGS, SITE, SITE_IP, scene


async def _ask(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
    whole = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    head, _, body = whole.partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


def ask(
    folder: Path, path: str, page: bytes = b"", modules: Mapping[str, Module] = BUILT_IN
) -> tuple[int, dict[str, float]]:
    """Status and metrics of ``path`` where a site and its redirect are in reach."""

    async def play() -> tuple[int, str]:
        async with scene(folder) as place:
            place.routes.names[SITE] = [SITE_IP]
            answers = {"/away": servers.redirect(f"https://{SITE}/")} | ({"/": page} if page else {})
            await place.serve(SITE, SITE_IP, 443, servers.pages(answers))
            server = await serve(RoutedNetwork(place.routes), place.settings(), "127.0.0.1", 0, modules)
            try:
                return await _ask(server.sockets[0].getsockname()[1], path)
            finally:
                server.close()

    status, body = asyncio.run(play())
    values = {}
    for row in body.splitlines() if status == 200 else ():
        if not row.startswith("#"):
            name, _, value = row.rpartition(" ")
            values[name] = float(value)
    return status, values


def test_a_page_that_comes_is_a_success_with_blackbox_names(tmp_path: Path) -> None:
    status, values = ask(tmp_path, f"/probe?target=https://{SITE}/away&module=http_2xx")
    assert status == 200
    assert values["probe_success"] == 1
    assert values["probe_http_status_code"] == 200
    assert values["probe_http_redirects"] == 1
    assert values["probe_http_ssl"] == 1
    assert values["probe_http_content_length"] == len(servers.PAGE)
    assert values["probe_http_version"] == 1.1
    assert values["probe_ip_protocol"] == 4
    assert values['probe_tls_version_info{version="TLS 1.3"}'] == 1
    assert values["probe_failed_due_to_regex"] == 0
    assert [name for name in values if name.startswith('probe_tls_cipher_info{cipher="TLS_')]
    assert values["probe_ssl_last_chain_expiry_timestamp_seconds"] > 1.7e9
    (leaf,) = [name for name in values if name.startswith("probe_ssl_last_chain_info")]
    assert f'subjectalternative="{SITE}' in leaf
    assert re.search(r'fingerprint_sha256="[0-9a-f]{64}"', leaf)
    assert re.search(r'serialnumber="([0-9a-f]{2})+"', leaf)
    assert values["probe_ssl_earliest_cert_expiry"] > 1_700_000_000
    assert values["probe_http_uncompressed_body_length"] == len(servers.PAGE)
    phases = ("resolve", "connect", "tls", "processing", "transfer")
    assert all(f'probe_http_duration_seconds{{phase="{phase}"}}' in values for phase in phases)


@pytest.mark.parametrize(
    ("path", "page"),
    [
        (f"/probe?target=https://{SITE}/", servers.response(b"", "500 Broken")),
        ("/probe?target=https://gone.example/", b""),
        ("/probe?target=tcp://x&module=tcp_connect", b""),
    ],
)
def test_a_page_that_does_not_come_is_not_a_success(path: str, page: bytes, tmp_path: Path) -> None:
    status, values = ask(tmp_path, path, page)
    assert status == 400 or values["probe_success"] == 0


def test_a_connection_is_a_success_of_its_module(tmp_path: Path) -> None:
    _, values = ask(tmp_path, f"/probe?target={SITE}:443&module=tcp_connect")
    assert values["probe_success"] == 1
    _, values = ask(tmp_path, f"/probe?target={SITE}:444&module=tcp_connect")
    assert values["probe_success"] == 0


def test_who_scrapes_the_exporter_itself_hears_that_it_is_up(tmp_path: Path) -> None:
    status, values = ask(tmp_path, "/metrics")
    assert (status, values) == (200, {f'fanous_build_info{{version="{__version__}"}}': 1})


def test_the_whole_measurement_adds_what_the_rules_say(tmp_path: Path) -> None:
    _, values = ask(tmp_path, f"/probe?target={SITE}&module=fanous")
    assert values['fanous_probe_state{state="ok",mechanism="",symptom="false"}'] == 1
    assert values["probe_success"] == 1


@each(
    ("path", "status"),
    [
        ("/probe", 400),
        ("/probe?target=a.example&module=grpc", 400),
        ("/probe?target=gopher://a", 400),
        ("/probe?target=nowhere&module=tcp_connect", 400),
        ("/elsewhere", 404),
        ("/-/healthy", 200),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_with_its_reason(path: str, status: int) -> None:
    async def play() -> tuple[int, str]:
        server = await serve(FakeNetwork(), SETTINGS, "127.0.0.1", 0)
        try:
            return await _ask(server.sockets[0].getsockname()[1], path)
        finally:
            server.close()

    found, body = asyncio.run(play())
    assert found == status
    assert body.strip()


def test_a_port_that_is_taken_is_reported() -> None:
    async def play() -> None:
        server = await serve(SocketNetwork(), SETTINGS, "127.0.0.1", 0)
        try:
            await serve(SocketNetwork(), SETTINGS, "127.0.0.1", server.sockets[0].getsockname()[1])
        finally:
            server.close()

    with pytest.raises(FanousError, match="try another --port"):
        asyncio.run(play())


def test_the_modules_are_the_documented_ones() -> None:
    assert list(BUILT_IN) == ["http_2xx", "tcp_connect", "icmp", "fanous"]


TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"


@each("module", ["http_2xx", "fanous", "tcp_connect"])
@each(("header", "most"), [("1.4", 0.9), ("0.4", 0.2)])
def test_a_site_that_hangs_is_answered_before_prometheus_gives_up(
    module: str, header: str, most: float, tmp_path: Path
) -> None:
    """Half a second earlier, as blackbox_exporter; where Prometheus waits for less, in half the time."""

    async def hangs(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def play() -> tuple[int, str, float]:
        async with scene(tmp_path) as place:
            place.routes.names[SITE] = [SITE_IP]
            await place.put(SITE_IP, 443, hangs)
            place.routes.silent.add((SITE_IP, 444))
            patient = place.settings(
                handshake_timeout=9, page_timeout=9, connect_timeout=9, endpoint_seconds=9
            )
            server = await serve(RoutedNetwork(place.routes), patient, "127.0.0.1", 0)
            began = asyncio.get_running_loop().time()
            target = {"tcp_connect": f"{SITE}:444"}.get(module, f"https://{SITE}/")
            port = server.sockets[0].getsockname()[1]
            status, body = await _ask(port, f"/probe?module={module}&target={target}", {TIMEOUT: header})
            took = asyncio.get_running_loop().time() - began
            server.close()
            return status, body, took

    status, body, took = asyncio.run(play())
    assert status == 200
    assert "probe_success 0" in body.splitlines()
    assert f"probe_timeout_seconds {most}" in body.splitlines()
    assert most - 0.05 < took < most + 0.4


def test_a_scrape_timeout_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    async def play() -> tuple[int, str]:
        server = await serve(FakeNetwork(), SETTINGS, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            return await _ask(port, "/probe?target=a.example", {TIMEOUT: "soon"})
        finally:
            server.close()

    status, body = asyncio.run(play())
    assert status == 500 and "soon" in body


def test_a_server_of_http_1_0_is_one(tmp_path: Path) -> None:
    old = servers.response(servers.PAGE).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    _, values = ask(tmp_path, f"/probe?target=https://{SITE}/&module=http_2xx", old)
    assert values["probe_http_version"] == 1.0
    assert values["probe_success"] == 1


def test_a_ping_is_answered_with_its_time_and_hops() -> None:
    values = ping_of("127.0.0.1")
    assert values["probe_success"] == 1
    assert 0 < values['probe_icmp_duration_seconds{phase="rtt"}'] < 1
    assert values["probe_icmp_reply_hop_limit"] == 64
    assert values["probe_ip_protocol"] == 4


def test_a_ping_that_no_one_answers_is_not_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence(ip: str, size: int, ttl: int) -> None:
        assert (ip, size, ttl) == ("127.0.0.1", 28, 64)
        await asyncio.Event().wait()

    monkeypatch.setattr("fanous.probe.serve.ping", silence)
    values = ping_of("127.0.0.1", {TIMEOUT: "0.6"})
    assert values["probe_success"] == 0
    assert values['probe_icmp_duration_seconds{phase="rtt"}'] == 0
    assert "probe_icmp_reply_hop_limit" not in values


def ping_of(target: str, headers: dict[str, str] | None = None) -> dict[str, float]:
    async def play() -> tuple[int, str]:
        server = await serve(SocketNetwork(), SETTINGS, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            return await _ask(port, f"/probe?target={target}&module=icmp", headers)
        finally:
            server.close()

    status, body = asyncio.run(play())
    assert status == 200, body
    rows = [row.rpartition(" ") for row in body.splitlines() if not row.startswith("#")]
    return {name: float(value) for name, _, value in rows}


MODULES_FILE = """
modules:
  moved:
    prober: http
    timeout: 5s
    http:
      valid_status_codes: [301, 302]
      follow_redirects: false
      preferred_ip_protocol: ip4
  says_hello:
    prober: http
    http:
      fail_if_body_not_matches_regexp: ["hello"]
  must_not_say_hello:
    prober: http
    http:
      fail_if_body_matches_regexp: ["hel+o"]
  plain_only:
    prober: http
    http: {fail_if_ssl: true}
  far:
    prober: icmp
    icmp: {ttl: 5, payload_size: 56}
"""


@each(
    ("module", "target", "success", "regex"),
    [
        ("moved", f"https://{SITE}/away", 1, 0),
        ("moved", f"https://{SITE}/", 0, 0),
        ("says_hello", f"https://{SITE}/", 1, 0),
        ("must_not_say_hello", f"https://{SITE}/", 0, 1),
        ("plain_only", f"https://{SITE}/", 0, 0),
        ("tcp_connect", f"{SITE}:443", 1, 0),
    ],
)
def test_modules_come_from_a_file_as_blackbox_exporter_takes_it(
    module: str, target: str, success: int, regex: int, tmp_path: Path
) -> None:
    (tmp_path / "blackbox.yml").write_text(MODULES_FILE)
    modules = read_modules(tmp_path / "blackbox.yml")
    _, values = ask(tmp_path, f"/probe?target={target}&module={module}", modules=modules)
    assert (values["probe_success"], values["probe_failed_due_to_regex"]) == (success, regex)


@each(
    ("text", "why"),
    [
        ("modules: {a: {prober: dns}}", "Invalid enum value 'dns'"),
        ("modules: {a: {prober: tcp, tcp: {query_response: [{expect: '^SSH'}]}}}", "query_response"),
        ("modules: {a: {prober: http, http: {method: POST}}}", "'POST'"),
        ("modules: {a: {prober: http, timeout: soon}}", "'soon' is not a duration"),
        (
            "modules: {a: {prober: http, http: {fail_if_body_matches_regexp: ['(']}}}",
            "not a regular expression",
        ),
        ("modules: [", "not YAML"),
        ("probes: {}", "probes"),
    ],
)
def test_what_a_module_cannot_do_is_refused_by_name(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "blackbox.yml").write_text(text)
    with pytest.raises(FanousError, match=re.escape(why)):
        read_modules(tmp_path / "blackbox.yml")
