"""A handshake checks the certificate for the name, and says what is wrong with it."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fanous.collector.helper import helper
from fanous.collector.helper.helper import connected, looked_up
from fanous.collector.helper.plan import DnsResult, Endpoint, HttpResult, TcpResult, TlsResult


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed one of ``site.example``, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "site.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def reached(certificate: Path | None, name: str) -> tuple[TcpResult, TlsResult | None]:
    """Of a server with this certificate, or one that closes at once."""

    async def reach() -> tuple[TcpResult, TlsResult | None]:
        context = None
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await connected(Endpoint("127.0.0.1", port, tls=True), name)

    return asyncio.run(reach())


@pytest.fixture
def known(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority of that certificate is trusted."""
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(helper, "tls_context", lambda _ca_file: context)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("name", "failure"), [("site.example", None), ("other.example", "ssl_invalid_hostname")]
)
def test_the_certificate_is_checked_for_the_name(name: str, failure: str | None, certificate: Path) -> None:
    tcp, tls = reached(certificate, name)
    assert tcp == TcpResult(True, None)
    assert tls == TlsResult(name, failure is None, failure)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("name", "status", "failure"), [("site.example", 200, None), ("other.example", -1, "unknown_error")]
)
def test_a_page_is_fetched_under_its_name_from_the_address_that_was_looked_at(
    name: str, status: int, failure: str | None, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper, "tls_context", helper.tls_context)

    async def resolve(_name: str) -> list[str]:
        return ["127.0.0.1"]

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()

    async def fetched() -> HttpResult:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
        async with server:
            url = f"https://{name}:{server.sockets[0].getsockname()[1]}/"
            return await helper.fetched(url, {}, resolve, lambda _address: False)

    page = asyncio.run(fetched())
    assert (page.status_code, page.failure) == (status, failure)


def test_an_authority_that_nobody_knows_is_said(certificate: Path) -> None:
    _, tls = reached(certificate, "site.example")
    assert tls == TlsResult("site.example", False, "ssl_unknown_authority")


def test_a_connection_that_ends_in_the_handshake_is_said() -> None:
    tcp, tls = reached(None, "site.example")
    assert tcp.status and tls == TlsResult("site.example", False, "eof_error")


def test_a_lookup_that_takes_too_long_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_name: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(helper, "DNS_SECONDS", 0.05)
    assert asyncio.run(looked_up("x.example", never)) == DnsResult("unknown_error", [])


def test_a_name_that_cannot_be_is_not_there() -> None:
    found = asyncio.run(looked_up("x" * 70 + ".example", helper.resolve))
    assert found == DnsResult("dns_name_error", [])
