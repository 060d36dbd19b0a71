"""RoutedNetwork: real sockets to servers on loopback that stand in for public addresses and names."""

import asyncio
import socket
from dataclasses import dataclass, field

from fanous.probe.net.network import Meter
from fanous.probe.net.sockets import SocketDatagrams, SocketNetwork, SocketStream


@dataclass(slots=True)
class Routes:
    """Where things are.

    Attributes:
        names: host name -> addresses.
        ports: (address, port) -> port of a server on loopback; others refuse.
        udp: the same for datagrams.
        silent: (address, port) that never answer.
    """

    names: dict[str, list[str]] = field(default_factory=dict)
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
    udp: dict[tuple[str, int], int] = field(default_factory=dict)
    silent: set[tuple[str, int]] = field(default_factory=set)
    connected: list[tuple[str, int]] = field(default_factory=list)


class RoutedNetwork(SocketNetwork):
    """The machine's own network, but for the addresses."""

    def __init__(self, routes: Routes, meter: Meter | None = None) -> None:
        super().__init__(meter)
        self.routes = routes

    async def look_up(self, hostname: str) -> list[str]:
        if hostname not in self.routes.names:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return self.routes.names[hostname]

    async def open_tcp(self, ip: str, port: int) -> SocketStream:
        self.routes.connected.append((ip, port))
        if (ip, port) in self.routes.silent:
            await asyncio.Event().wait()
        if (ip, port) not in self.routes.ports:
            raise ConnectionRefusedError(111, "nobody there")
        return await super().open_tcp("127.0.0.1", self.routes.ports[ip, port])

    async def open_udp(self, ip: str, port: int) -> SocketDatagrams:
        if (ip, port) not in self.routes.udp:
            raise OSError(101, "no route")
        return await super().open_udp("127.0.0.1", self.routes.udp[ip, port])
