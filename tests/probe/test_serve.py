"""``/probe`` for Prometheus, against real servers."""

import asyncio
import re
from pathlib import Path

import pytest

from fanous import __version__
from fanous.errors import FanousError
from fanous.evaluation.simulate.fakes import FakeNetwork
from fanous.probe.net.sockets import SocketNetwork
from fanous.probe.serve import MODULES, serve
from tests.probe.net import servers
from tests.probe.net.routes import RoutedNetwork
from tests.probe.scene import SETTINGS, SITE, SITE_IP, scene


async def _ask(port: int, path: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    whole = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    head, _, body = whole.partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


def ask(folder: Path, path: str, page: bytes = b"") -> tuple[int, dict[str, float]]:
    """Status and metrics of ``path`` where a site and its redirect are in reach."""

    async def play() -> tuple[int, str]:
        async with scene(folder) as place:
            place.routes.names[SITE] = [SITE_IP]
            answers = {"/away": servers.redirect(f"https://{SITE}/")} | ({"/": page} if page else {})
            await place.serve(SITE, SITE_IP, 443, servers.pages(answers))
            server = await serve(RoutedNetwork(place.routes), place.settings(), "127.0.0.1", 0)
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
def test_a_page_that_does_not_come_is_no_success(path: str, page: bytes, tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/probe", 400),
        ("/probe?target=a.example&module=icmp", 400),
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


def test_a_port_that_is_taken_is_said_so() -> None:
    async def play() -> None:
        server = await serve(SocketNetwork(), SETTINGS, "127.0.0.1", 0)
        try:
            await serve(SocketNetwork(), SETTINGS, "127.0.0.1", server.sockets[0].getsockname()[1])
        finally:
            server.close()

    with pytest.raises(FanousError, match="try another --port"):
        asyncio.run(play())


def test_the_modules_are_the_documented_ones() -> None:
    assert list(MODULES) == ["http_2xx", "tcp_connect", "fanous"]
