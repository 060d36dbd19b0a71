"""How far away a name is cut: real packets through real routers, in namespaces that the test makes."""

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from fanous.probe.localise import Localised, address_of_cut, localise, localised
from fanous.probe.net.failure import failure_of
from fanous.probe.trace import Trace
from tests.builders import FakeNetwork, FakeStream
from tests.probe.scene import SETTINGS, SITE, SITE_IP

FAST = replace(SETTINGS, hop_timeout=0.05)
Path = Callable[[int, bytes], bytes | OSError | None]
"""Hops that a hello may pass, and the hello -> what is read; ``None`` = silence."""


class HopStream(FakeStream):
    """Answers by how far its hello may go."""

    path: Path
    hops = 64

    def limit_hops(self, hops: int) -> None:
        self.hops = hops

    async def read(self, most: int) -> bytes:
        came = self.path(self.hops, b"".join(self.written))
        assert came is None or isinstance(came, OSError) or len(came) <= most
        if came is None:
            await asyncio.sleep(5)
        if isinstance(came, OSError):
            raise came
        return came or b""


class HopNetwork(FakeNetwork):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.sent = path, list[tuple[int, bool]]()

    async def open_tcp(self, ip: str, port: int) -> FakeStream:
        assert (ip, port) == (SITE_IP, 443)
        stream = HopStream([])

        def answer(hops: int, hello: bytes) -> bytes | OSError | None:
            self.sent.append((hops, SITE.encode() in hello))
            return self.path(hops, hello)

        stream.path = answer
        return stream


def handshakes(own: list[str | None], control: str | None = None) -> list[dict[str, Any]]:
    where: dict[str, Any] = {"address": f"{SITE_IP}:443"}
    return [
        where | {"server_name": "example.com", "failure": control},
        *(where | {"server_name": SITE, "failure": failure} for failure in own),
    ]


def found(path: Path) -> tuple[dict[str, Any], HopNetwork, Localised | None]:
    network = HopNetwork(path)
    trace = Trace(network)
    trace.tls_handshakes = handshakes(["connection_reset"] * 2)
    asyncio.run(localise(trace, FAST, f"https://{SITE}/"))
    line = json.dumps({"test_keys": {"x_localisation": trace.localisations}}).encode()
    return trace.localisations[0], network, localised(line)


def censored(at: int, how: OSError | None, *, quiet: tuple[int, ...] = ()) -> Path:
    """A site six machines away; a censor behind the one numbered ``at`` - 1; some routers say nothing."""

    def path(hops: int, hello: bytes) -> bytes | OSError | None:
        if SITE.encode() in hello and hops >= at:
            return how
        if hops < 6:
            return None if hops in quiet else OSError(errno.EHOSTUNREACH, "died")
        return b"hello"

    return path


@pytest.mark.parametrize("how", [ConnectionResetError(errno.ECONNRESET, "reset"), None])
def test_the_censor_is_where_the_two_names_part(how: OSError | None) -> None:
    entry, network, seen = found(censored(4, how))
    assert seen == Localised(cut_at=4, site_at=6)
    assert [step["came"] for step in entry["trigger"]][:3] == ["died"] * 3
    control = [trigger for _, trigger in network.sent]
    assert control == sorted(control)  # all of the innocuous name first
    assert max(hops for hops, trigger in network.sent if trigger) == 4  # and no trigger further than needed


def test_a_router_that_says_nothing_is_no_censor() -> None:
    assert found(censored(4, None, quiet=(2, 3)))[2] == Localised(4, 6)


def test_a_name_that_passes_after_all_is_cut_nowhere() -> None:
    assert found(censored(99, None))[2] == Localised(None, 6)


@pytest.mark.parametrize(
    ("steps", "address"),
    [
        (handshakes(["connection_reset", "generic_timeout_error"]), SITE_IP),
        (handshakes(["connection_reset", None]), None),
        (handshakes(["ssl_invalid_hostname"]), None),
        (handshakes(["connection_reset"], control="connection_reset"), None),
        (handshakes([]), None),
    ],
)
def test_only_where_the_name_alone_is_cut_anything_is_sent(
    steps: list[dict[str, Any]], address: str | None
) -> None:
    trace = Trace(FakeNetwork())
    trace.tls_handshakes = steps
    assert address_of_cut(trace, SITE) == address


def test_the_kernels_word_for_a_packet_that_died_is_that_of_the_field() -> None:
    assert failure_of(OSError(errno.EHOSTUNREACH, "")) == "host_unreachable"


# --- real packets ---------------------------------------------------------------------------------

SERVER = """
import socket
listening = socket.create_server(("10.99.4.2", 443))
while True:
    one, _ = listening.accept()
    one.settimeout(0.3)
    try:
        if one.recv(4096):
            one.sendall(bytes([22, 3, 3, 0, 1, 2]))
    except OSError:
        pass
    one.close()
"""

HAS_NAMESPACES = os.geteuid() == 0 and bool(shutil.which("ip")) and bool(shutil.which("iptables"))


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


@contextmanager
def three_routers() -> Iterator[list[str]]:
    """Client, three routers, server: their namespaces in order."""
    mark = f"fl{os.getpid() % 100_000}"
    names = [f"{mark}n{number}" for number in range(5)]
    try:
        for name in names:
            ip("netns", "add", name)
        for number, (left, right) in enumerate(pairwise(names), 1):
            near, far = f"{mark}a{number}", f"{mark}b{number}"
            ip("link", "add", near, "netns", left, "type", "veth", "peer", "name", far, "netns", right)
            for device, name, host in ((near, left, 1), (far, right, 2)):
                ip("-n", name, "addr", "add", f"10.99.{number}.{host}/24", "dev", device)
                ip("-n", name, "link", "set", device, "up")
        for number, name in enumerate(names):
            subprocess.run(
                ["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_forward=1"],
                check=True,
                timeout=10,
            )
            if number < 4:  # towards the server, and back
                ip("-n", name, "route", "add", "default", "via", f"10.99.{number + 1}.2")
            for behind in range(1, number):
                ip("-n", name, "route", "add", f"10.99.{behind}.0/24", "via", f"10.99.{number}.1")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=10)


@pytest.mark.skipif(not HAS_NAMESPACES, reason="localising real packets needs root, ip and iptables")
def test_real_packets_find_a_real_censor() -> None:
    with three_routers() as (client, _first, second, _third, server):
        cut = ["-p", "tcp", "--dport", "443", "-m", "string", "--algo", "bm", "--string", SITE]
        rule = ["iptables", "-A", "FORWARD", *cut, "-j", "REJECT", "--reject-with", "tcp-reset"]
        subprocess.run(["ip", "netns", "exec", second, *rule], check=True, timeout=10)
        serving = subprocess.Popen(["ip", "netns", "exec", server, sys.executable, "-c", SERVER])
        try:
            time.sleep(0.3)
            probing = subprocess.run(
                [
                    "ip",
                    "netns",
                    "exec",
                    client,
                    sys.executable,
                    "-m",
                    "tests.probe.localise_child",
                    "10.99.4.2",
                ],
                check=True,
                capture_output=True,
                timeout=60,
            )
        finally:
            serving.kill()
            serving.wait(10)
    seen = localised(b'{"test_keys": {"x_localisation": ' + probing.stdout + b"}}")
    # A router looks at what it forwards, and it forwards what may go one machine further than itself.
    assert seen == Localised(cut_at=3, site_at=4)
