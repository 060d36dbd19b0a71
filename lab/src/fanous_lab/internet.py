"""Internet: a plan with real packets; built on entry, taken down on exit, or by the next lab command.

with Internet(plan) as internet:
    for point in internet.vantage_points: ...

Many vantage points run in one process.  Each socket is made inside the vantage point's namespace and stays there;
``probe.net.sockets`` does the rest.
"""

import asyncio
import fcntl
import json
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from fanous.errors import FanousError
from fanous.model.place import Access
from fanous.probe.dns import read_answer
from fanous.probe.net.network import Meter
from fanous.probe.net.sockets import SocketNetwork
from fanous_lab import bgp, delay, registry, resolvers, topology, webservers
from fanous_lab.packets import AAAA, NXDOMAIN, A, name_wire
from fanous_lab.plan import (
    AUTHORITY,
    COLLECTOR_ADDRESS,
    COLLECTOR_HOST,
    DOMESTIC_ADDRESS,
    DOT_HOST,
    DOT_RESOLVER,
    HELPER_ADDRESS,
    HELPER_HOST,
    HOME,
    HOME_AUTHORITY,
    PUBLIC_RESOLVER,
    PUBLIC_RESOLVERS,
    Namespaces,
    Plan,
    PlannedNetwork,
    Provider,
    VantagePoint,
    providers_of,
)
from fanous_lab.registry import RECORD, RESOLV_CONF, RUN, LabFolder, Programs, tell
from fanous_lab.space import entered, run, run_in, socket_in
from fanous_lab.webservers import Authority

LOOKUP_PATIENCE = (1.0, 2.0)
"""Seconds for each of two questions to the provider's resolver; glibc's 5 s are too long for a lab's tick."""


class NamespacedNetwork(SocketNetwork):
    """The network as seen by a probe at ``point``.

    Args:
        clock_offset: seconds by which this probe's clock is ahead; 0 unless it is broken.
    """

    def __init__(self, point: VantagePoint, meter: Meter | None = None, clock_offset: float = 0.0) -> None:
        super().__init__(meter)
        self.point = point
        self._clock_offset = clock_offset

    def wall(self) -> float:
        return super().wall() + self._clock_offset

    async def look_up(self, hostname: str) -> list[str]:
        """As getaddrinfo would: IPv6 and IPv4 by the provider's resolver, and its errors."""
        self.meter.check()
        kinds = (A, AAAA) if self.point.address6 else (A,)
        answers = await asyncio.gather(*(self._ask(hostname, kind) for kind in kinds))
        addresses = [address for listed, _ in answers for address in listed]
        if addresses:
            return list(dict.fromkeys(addresses))
        codes = {code for _, code in answers}
        if NXDOMAIN in codes:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if codes == {0}:
            raise socket.gaierror(socket.EAI_NODATA, "No address associated with hostname")
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def _ask(self, hostname: str, kind: int) -> tuple[list[str], int | None]:
        """Addresses and the response code; ``None`` = silence."""
        identity = secrets.randbelow(1 << 16)
        wire = identity.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0"
        wire += name_wire(hostname.encode("idna").decode()) + kind.to_bytes(2, "big") + b"\0\1"
        datagrams = await self.open_udp(self.point.resolver, 53)
        try:
            for patience in LOOKUP_PATIENCE:
                try:
                    async with asyncio.timeout(patience):
                        await datagrams.send(wire)
                        return await _read(datagrams.receive, identity)
                except (TimeoutError, OSError):
                    continue
        finally:
            datagrams.close()
        return [], None

    def _socket(self, ip: str, kind: socket.SocketKind) -> socket.socket:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        opened = socket_in(self.point.namespace, family, kind)
        opened.setblocking(False)
        return opened


async def _read(receive: Callable[[], Awaitable[bytes]], identity: int) -> tuple[list[str], int]:
    message = await receive()
    while message[:2] != identity.to_bytes(2, "big"):
        message = await receive()
    return read_answer(message, identity).addresses, message[3] & 0x0F


STANDING_NAME = "lab"
"""Name of the lab that ``fanous lab up`` leaves running; those held by a process have random names."""

WORKERS = 4
"""Threads that set namespaces up: iproute2 waits for the kernel's one lock most of the time."""


class Internet:
    """A national internet.

    Attributes:
        folder: pages, logs, sockets of its programs.
        providers: the networks; ``vantage_points``: of all of them, in the plan's order.
        ca_file: PEM file that a probe must trust.
    """

    def __init__(self, plan: Plan, *, is_standing: bool = False, name: str = "") -> None:
        self.plan = plan
        self.is_standing = is_standing
        self.folder = RUN / (name or (STANDING_NAME if is_standing else secrets.token_hex(3)))
        self._standing = LabFolder(self.folder)
        self.names = Namespaces(self._standing.prefix)
        self.providers: tuple[Provider, ...] = providers_of(plan, self.names)
        self.vantage_points = tuple(point for provider in self.providers for point in provider.vantage_points)
        self.sites = plan.sites
        self.ca_file = self.folder / "tls" / "ca.pem"
        self.programs = Programs(self._standing)
        self._lock = -1

    helper_address = HELPER_ADDRESS

    def __enter__(self) -> "Internet":
        self.up()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.down()

    def up(self) -> None:
        """Build it.

        Raises:
            FanousError: no root, a program or a feature of the kernel is missing, or the name is taken.
        """
        registry.remove_dead()
        self._lock = registry.hold(self.folder)
        try:
            self._build()
            self._start()
        except BaseException:
            self.down()
            raise
        record = {"is_standing": self.is_standing, "plan": asdict(self.plan)}
        (self.folder / RECORD).write_text(json.dumps(record), encoding="utf-8")

    def down(self) -> None:
        """Take it down, even if it was only partly built."""
        registry.remove(self._standing)
        self.programs.wait()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # --- for callers -----------------------------------------------------------------------

    def vantage_point(self, name: str) -> VantagePoint:
        for point in self.vantage_points:
            if point.name == name:
                return point
        names = ", ".join(point.name for point in self.vantage_points[:12])
        raise FanousError(f"no vantage point {name!r} in this lab; there are {names}")

    def network(
        self, point: VantagePoint, meter: Meter | None = None, clock_offset: float = 0.0
    ) -> NamespacedNetwork:
        """The network as a probe at ``point`` sees it."""
        return NamespacedNetwork(point, meter, clock_offset)

    @property
    def routers(self) -> bgp.Routers:
        """The routers between which routes are announced."""
        gateway, v6 = self.names.gateway, self.plan.is_ipv6
        return bgp.Routers(self.folder, gateway, self.providers, v6, self.programs)

    def argv(self, place: VantagePoint | str, command: Sequence[str]) -> list[str]:
        """The command line that runs ``command`` at a vantage point, or in another namespace (``names.outside``)."""
        namespace = place if isinstance(place, str) else place.namespace
        trusting = [f"{name}={self.ca_file}" for name in CA_VARIABLES]
        return ["ip", "netns", "exec", namespace, "env", *trusting, *command]

    def addresses_of(self, targets: Sequence[str]) -> list[str]:
        """IPv4 and IPv6 of all hosts of the targets (names of platforms, or hosts)."""
        chosen = [site for site in self.sites if site.target in targets or site.host in targets]
        return [address for site in chosen for address in (*site.addresses, *site.addresses6)]

    def hosts_of(self, targets: Sequence[str]) -> list[str]:
        return [site.host for site in self.sites if site.target in targets or site.host in targets]

    def tell_dns(self, order: Mapping[str, object]) -> None:
        """An order for the resolvers (``resolvers.Dns.obey``)."""
        tell(self.folder / resolvers.CONTROL, dict(order))

    def tell_middlebox(self, order: Mapping[str, object]) -> None:
        """An order for the programs in the path (``boxes.Middlebox.obey``)."""
        tell(self.folder / MIDDLEBOX_CONTROL, dict(order))

    def next_number(self) -> int:
        """Number for the next cut, so that several can coexist; the count lasts as long as the lab.

        Two made at the same instant, in threads or programs, get different numbers.
        """
        with (self.folder / "cuts").open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            number = int(file.read() or 0) + 1
            file.truncate(0)
            file.write(str(number))
        return number

    # --- building --------------------------------------------------------------------------------------

    def _build(self) -> None:
        namespaces = topology.namespaces_of(self.names, self.providers)
        run(["ip", "-batch", "-"], "\n".join(f"netns add {name}" for name in namespaces))
        run(["ip", "-batch", "-"], "\n".join(topology.links_of(self.names, self.providers)))
        routers = {self.names.gateway, self.names.core, *(provider.namespace for provider in self.providers)}
        batches = topology.settings_of(self.plan, self.names, self.providers)
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda name: _configure(name, batches[name], name in routers), batches))
        for point in self.vantage_points:
            _write_resolv_conf(point.namespace, point.resolver)
        for namespace in (self.names.outside, self.names.home, self.names.world):
            _write_resolv_conf(namespace, PUBLIC_RESOLVER)

    def _start(self) -> None:
        if self.plan.delay_ms:
            rules = (
                "*mangle\n"
                + "".join(
                    f"-A FORWARD {way} country -j NFQUEUE --queue-num {delay.QUEUE} --queue-bypass\n"
                    for way in ("-i", "-o")
                )
                + "COMMIT\n"
            )
            for program in ("iptables-legacy-restore", "ip6tables-legacy-restore"):
                run_in(self.names.core, [program], rules)
            self.programs.start("delay", self.names.core, _python("delay", f"{self.plan.delay_ms}"))
        authority = Authority(self.folder / "tls", "Fanous lab authority")
        for site in self.sites:
            authority.sign(site.host)
        (self.folder / resolvers.SPECIFICATION).write_text(json.dumps(self._dns()), encoding="utf-8")
        self.programs.start("resolvers", "", _python("resolvers", str(self.folder)))
        self.programs.start("middlebox", "", _python("boxes", str(self.folder)))
        webservers.write_pages(self.sites, self.folder / "pages")
        for place, namespace in (("world", self.names.world), (HOME, self.names.home)):
            path = self.folder / f"nginx-{place}.conf"
            path.write_text(self._nginx(place, authority), encoding="utf-8")
            self.programs.start(
                f"nginx-{place}", namespace, ["nginx", "-c", str(path), "-e", str(path) + ".err"]
            )
        self.programs.wait_for_socket("resolvers", self.folder / resolvers.CONTROL)
        self.programs.wait_for_socket("middlebox", self.folder / MIDDLEBOX_CONTROL)
        self.programs.wait_for_port("nginx-world", self.names.world, PUBLIC_RESOLVER, 443)
        self.programs.wait_for_port("nginx-home", self.names.home, DOMESTIC_ADDRESS, 443)
        if self.plan.is_routed_by_bgp:
            bgp.start(self.routers)

    def _nginx(self, place: str, authority: Authority) -> str:
        sites = [site for site in self.sites if site.place == place]
        return webservers.configuration(
            sites, place, self.folder, lambda host: authority.sign(host), v6=self.plan.is_ipv6
        )

    def _dns(self) -> dict[str, object]:
        names = {
            site.host: [*site.addresses, *(site.addresses6 if self.plan.is_ipv6 else ())]
            for site in self.sites
        }
        names[COLLECTOR_HOST], names[HELPER_HOST] = [COLLECTOR_ADDRESS], [HELPER_ADDRESS]
        public = [
            address
            for site in PUBLIC_RESOLVERS
            for address in (*site.addresses, *(site.addresses6 if self.plan.is_ipv6 else ()))
        ]
        world = self.names.world
        host, _, port = webservers.DOH_BACKEND.rpartition(":")
        return {
            "names": names,
            "home_names": [site.host for site in self.sites if site.place == HOME],
            "authorities": [(world, AUTHORITY), (self.names.home, HOME_AUTHORITY)],
            "public": [(world, address) for address in public],
            "upstreams": [AUTHORITY, HOME_AUTHORITY],
            "resolvers": [
                {"namespace": p.namespace, "addresses": [a for a in (p.address, p.address6) if a]}
                for p in self.providers
            ],
            "dot": [(world, DOT_RESOLVER)],
            "dot_certificate": str(self.folder / "tls" / f"{DOT_HOST}.pem"),
            "doh": [(world, host, int(port))],
        }


MIDDLEBOX_CONTROL = "middlebox.sock"
"""The same as ``boxes.CONTROL``; not imported, because that would load everything that boxes need."""

CA_VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""Variables that tell OpenSSL, curl and Python's requests which authorities to trust."""


def attach(lab: LabFolder) -> Internet:
    """The running lab in a folder, to inspect and change it.

    Raises:
        FanousError: it is incomplete.
    """
    plan = lab.record().get("plan")
    if not isinstance(plan, dict):
        raise FanousError(
            f"the lab {lab.name!r} is not running: it is still being built, or building it failed"
        )
    networks = tuple(PlannedNetwork(**{**n, "access": Access(n["access"])}) for n in plan["networks"])
    return Internet(Plan(**{**plan, "networks": networks, "targets": tuple(plan["targets"])}), name=lab.name)


def _configure(namespace: str, lines: Sequence[str], is_router: bool) -> None:
    with entered(namespace):
        if is_router:
            for name, value in topology.SYSCTLS.items():
                path = Path("/proc/sys") / name
                if path.exists():
                    path.write_text(value, encoding="ascii")
        run(["ip", "-batch", "-"], "\n".join(lines), where=namespace)


def _write_resolv_conf(namespace: str, resolver: str) -> None:
    folder = RESOLV_CONF / namespace
    folder.mkdir(parents=True, exist_ok=True)
    text = f"nameserver {resolver}\noptions timeout:2 attempts:2\n"
    (folder / "resolv.conf").write_text(text, encoding="ascii")


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"fanous_lab.{module}", *arguments]
