"""Clients: plain sockets at a vantage point of a lab, independent of probes, rules and detectors."""

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import dns.message
import dns.rcode

from fanous.probe.net.failure import NETWORK_ERRORS
from fanous.probe.net.quic import complete, new_handshake
from fanous_lab.internet import Internet, NamespacedNetwork
from fanous_lab.plan import VantagePoint
from fanous_lab.space import socket_in

SILENCE = 0.7
"""Seconds without an answer that a lab with 50 ms there and back calls silence."""

PATIENCE = 5.0
"""Seconds for what is expected to come: a machine that stood still for a while is no silence."""

SLOW = 1.5
"""Seconds that no handshake takes by itself."""


def failure(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "silent"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "untrusted"
    if isinstance(error, ssl.SSLError):
        return "broken"
    named = {
        errno.ECONNRESET: "reset",
        errno.ECONNREFUSED: "refused",
        errno.EHOSTUNREACH: "unreachable",
        errno.ENETUNREACH: "unreachable",
    }
    return named.get(error.errno or 0, repr(error))


def asked(
    point: VantagePoint, server: str, name: str, kind: str = "A", patience: float = SILENCE
) -> list[tuple[str, int]]:
    """Every answer that comes: (address, or the response code; TTL)."""
    question = dns.message.make_query(name, kind)
    found = []
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket_in(point.namespace, family, socket.SOCK_DGRAM) as client:
        client.settimeout(patience)
        try:
            client.connect((server, 53))
            client.send(question.to_wire())
            while True:
                answer = dns.message.from_wire(client.recv(4096))
                records = [(r.to_text(), int(a.ttl)) for a in answer.answer for r in a]
                found += records or [(dns.rcode.to_text(answer.rcode()), 0)]
                client.settimeout(0.15)  # the true answer is 50 ms behind a forged one
        except OSError:
            return found


def connected(point: VantagePoint, ip: str, port: int = 443, patience: float = SILENCE) -> str:
    """``ok``, or how it failed."""
    try:
        _open(point, ip, port, patience).close()
    except OSError as error:
        return failure(error)
    return "ok"


def _open(point: VantagePoint, ip: str, port: int, patience: float = SILENCE) -> socket.socket:
    client = socket_in(point.namespace, socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
    try:
        client.settimeout(patience)
        client.connect((ip, port))
    except OSError:
        client.close()
        raise
    return client


@dataclass(slots=True)
class Loaded:
    """One page over TLS.

    Attributes:
        result: ``ok``, ``slow`` (the handshake took long), or how the handshake failed.
        reads: (seconds since the request, bytes so far) as they came off the wire.
    """

    result: str
    code: int = 0
    reads: list[tuple[float, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.reads[-1][1] if self.reads else 0

    def kbps(self, beyond: int) -> float:
        """After the first ``beyond`` bytes."""
        late = [(at, size) for at, size in self.reads if size >= beyond]
        return (late[-1][1] - late[0][1]) * 8 / 1000 / (late[-1][0] - late[0][0])


def handshake(
    point: VantagePoint, ca_file: Path, ip: str, name: str, *, verify: bool = True, patience: float = SILENCE
) -> str:
    try:
        _secured(point, ca_file, ip, name, verify, patience).close()
    except OSError as error:
        return failure(error)
    return "ok"


def load(
    point: VantagePoint, ca_file: Path, ip: str, name: str, seconds: float = 1.5, patience: float = SILENCE
) -> Loaded:
    """Get the front page for at most ``seconds``; a stall as long as ``patience`` ends it."""
    began = time.monotonic()
    context = ssl.create_default_context(cafile=str(ca_file))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    loaded = Loaded("ok")
    try:
        with _open(point, ip, 443, patience) as client:
            _step(client, incoming, outgoing, tls.do_handshake)
            loaded.result = "slow" if time.monotonic() - began > SLOW else "ok"
            tls.write(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            client.sendall(outgoing.read())
            _take(client, incoming, tls, loaded, seconds)
    except OSError as error:
        loaded.result = loaded.result if loaded.reads else failure(error)
    return loaded


def _step(
    client: socket.socket, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, step: Callable[[], None]
) -> None:
    while True:
        try:
            step()
        except ssl.SSLWantReadError:
            client.sendall(outgoing.read())
            data = client.recv(16_384)
            incoming.write(data) if data else incoming.write_eof()
        else:
            client.sendall(outgoing.read())
            return


def _take(
    client: socket.socket, incoming: ssl.MemoryBIO, tls: ssl.SSLObject, loaded: Loaded, seconds: float
) -> None:
    """Bytes as they come off the wire: TLS hides those of a record that is not whole."""
    sent, size = time.monotonic(), 0
    while time.monotonic() - sent < seconds:
        try:
            data = client.recv(16_384)
        except OSError:
            return  # what came until then is the answer
        if not data:
            return
        size += len(data)
        loaded.reads.append((time.monotonic() - sent, size))
        incoming.write(data)
        with suppress(ssl.SSLError):
            while text := tls.read(65_536):
                loaded.code = loaded.code or int(text.split()[1])


def _secured(
    point: VantagePoint, ca_file: Path, ip: str, name: str, verify: bool, patience: float
) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(ca_file))
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = _open(point, ip, 443, patience)
    try:
        return context.wrap_socket(client, server_hostname=name)
    except OSError:
        client.close()
        raise


def plain(point: VantagePoint, ip: str, host: str, patience: float = SILENCE) -> str:
    """What a plain HTTP request gets, as far as the first 2 KB tell."""
    got = b""
    try:
        with _open(point, ip, 80, patience) as client:
            client.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            while data := client.recv(2048):
                got += data
    except OSError as error:
        if not got:
            return failure(error)
    for mark, name in ((b"Surf Safely", "block page"), (b"Log in", "login page"), (b" 301 ", "redirect")):
        if mark in got:
            return name
    return got[:40].decode("latin-1")


def quic(internet: Internet, point: VantagePoint, ip: str, name: str, patience: float = SILENCE) -> str:
    async def try_it() -> str:
        network = NamespacedNetwork(point)
        made = new_handshake(name, str(internet.ca_file))
        try:
            async with asyncio.timeout(patience):
                datagrams = await network.open_udp(ip, 443)
                try:
                    await complete(made, network, datagrams)
                finally:
                    datagrams.close()
        except NETWORK_ERRORS as error:
            return failure(error) if isinstance(error, OSError) else repr(error)
        return "ok"

    return asyncio.run(try_it())
