"""Network errors and their df-007 names."""

import asyncio
import errno
import socket
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from fanous.probe.net.failure import NETWORK_ERRORS, NetworkFailure, failure_of
from fanous.probe.net.network import Stream
from fanous.probe.net.sockets import SocketNetwork
from fanous.probe.net.tls import TLSStream, client_context
from tests.each import each
from tests.probe.net import servers
from tests.probe.net.authority import Authority


def _unverified(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    return error


@each(
    ("error", "failure"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), "connection_refused"),
        (ConnectionResetError(errno.ECONNRESET, ""), "connection_reset"),
        (BrokenPipeError(errno.EPIPE, ""), "connection_reset"),
        (ConnectionAbortedError(errno.ECONNABORTED, ""), "connection_aborted"),
        (OSError(errno.EHOSTUNREACH, ""), "host_unreachable"),
        (OSError(errno.ENETUNREACH, ""), "network_unreachable"),
        (OSError(errno.ENETDOWN, ""), "network_down"),
        (OSError(errno.EAFNOSUPPORT, ""), "address_family_not_supported"),
        (OSError(errno.EADDRNOTAVAIL, ""), "address_not_available"),
        (PermissionError(errno.EACCES, ""), "permission_denied"),
        (TimeoutError(), "generic_timeout_error"),
        (TimeoutError(errno.ETIMEDOUT, ""), "generic_timeout_error"),
        (EOFError(), "eof_error"),
        (asyncio.IncompleteReadError(b"", 2), "eof_error"),
        (socket.gaierror(socket.EAI_NONAME, ""), "dns_nxdomain_error"),
        (socket.gaierror(socket.EAI_NODATA, ""), "dns_no_answer"),
        (socket.gaierror(socket.EAI_AGAIN, ""), "dns_temporary_failure"),
        (_unverified(10), "ssl_invalid_certificate"),
        (_unverified(18), "ssl_unknown_authority"),
        (_unverified(20), "ssl_unknown_authority"),
        (_unverified(62), "ssl_invalid_hostname"),
        (ssl.SSLEOFError(), "eof_error"),
        (ssl.SSLError(1, "alert"), "ssl_failed_handshake"),
        (NetworkFailure("dns_refused_error"), "dns_refused_error"),
    ],
)
def test_each_error_has_its_own_name(error: Exception, failure: str) -> None:
    assert failure_of(error) == failure
    assert isinstance(error, NETWORK_ERRORS)


def test_an_error_without_a_name_keeps_its_words() -> None:
    assert failure_of(OSError(9999, "strange")).startswith("unknown_failure: OSError")


async def _exchange(port: int) -> str:
    """What happens to a client that connects, sends and listens."""
    try:
        async with asyncio.timeout(0.4):
            stream: Stream = await SocketNetwork().open_tcp("127.0.0.1", port)
            with closing(stream):
                await stream.write(b"hello")
                if not await stream.read(100):
                    raise EOFError
    except NETWORK_ERRORS as error:
        return failure_of(error)
    return "ok"


@pytest.mark.parametrize(
    ("serve", "failure"),
    [
        (servers.reset_at_once, "connection_reset"),
        (servers.close_at_once, "eof_error"),
        (servers.say_nothing, "generic_timeout_error"),
    ],
)
def test_a_real_connection_that_breaks_is_named(serve: servers.Serve, failure: str) -> None:
    async def scene() -> str:
        async with servers.tcp_server(serve) as port:
            return await _exchange(port)

    assert asyncio.run(scene()) == failure


def test_a_port_where_no_one_listens_refuses() -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        port = placeholder.getsockname()[1]
    assert asyncio.run(_exchange(port)) == "connection_refused"


@pytest.mark.parametrize(
    ("names", "days", "trusted", "failure"),
    [
        (("right.example",), 30, True, "ok"),
        (("wrong.example",), 30, True, "ssl_invalid_hostname"),
        (("right.example",), -1, True, "ssl_invalid_certificate"),
        (("right.example",), 30, False, "ssl_unknown_authority"),
    ],
)
def test_a_certificate_is_seen_whether_it_validates_or_not(
    names: tuple[str, ...], days: int, trusted: bool, failure: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)

    async def scene() -> tuple[str, list[bytes], int]:
        async with servers.tcp_server(servers.say_nothing, authority.context(*names, days=days)) as port:
            stream = await SocketNetwork().open_tcp("127.0.0.1", port)
            context = client_context((), str(authority.ca_file) if trusted else "")
            tls, found = TLSStream(stream, "right.example", context), "ok"
            try:
                await tls.handshake()
            except NETWORK_ERRORS as error:
                found = failure_of(error)
            chain = tls.chain
            tls.close()
            return found, chain, len(tls.hello)

    found, chain, hello = asyncio.run(scene())
    assert found == failure
    assert len(chain) == 1 and chain[0].startswith(b"\x30\x82")
    assert hello > 200


@pytest.mark.parametrize(
    ("serve", "failure"),
    [(servers.reset_at_once, "connection_reset"), (servers.close_at_once, "eof_error")],
)
def test_a_handshake_that_is_cut_is_named(serve: servers.Serve, failure: str) -> None:
    async def scene() -> str:
        async with servers.tcp_server(serve) as port:
            tls = TLSStream(await SocketNetwork().open_tcp("127.0.0.1", port), "a.example", client_context())
            try:
                await tls.handshake()
            except NETWORK_ERRORS as error:
                return failure_of(error)
            finally:
                tls.close()
            return "ok"

    assert asyncio.run(scene()) == failure
