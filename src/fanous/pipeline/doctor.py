"""Doctor: what the probe and the server parts need, and which of it this machine lacks."""

import re
import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, distribution, requires
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from fanous.base.confine import Confinement, Grant, confine
from fanous.base.forkserver import ForkServer
from fanous.model.vitals import Need

WITHOUT = {
    "apprise": "alerts by mail, Telegram and other messengers",
    "babel": "names of countries",
    "backports-zstd": "the archive",
    "bottleneck": "series and detection",
    "chdb": "the facts",
    "clickhouse-connect": "the facts",
    "icalendar": "calendars of announced events",
    "iptocc": "the country of a probe's address",
    "jinja2": "the pages",
    "nats-py": "a stream between collectors and the store",
    "numpy": "series and detection",
    "obstore": "an archive in a bucket",
    "ooniauth-py": "credentials of volunteers: a collector knows them by their addresses, for a day",
    "psycopg": "a ledger on PostgreSQL",
    "pyarrow": "the library and the open data",
    "pybgpkit-parser": "routing tables and updates",
    "resvg-py": "pictures",
    "starlette": "the collector and the pages",
    "typst": "reports as PDF",
    "tzdata": "clocks of countries",
    "uvicorn": "the collector and the pages",
    "websockets": "routing as it changes",
}
"""Packages of the extra ``server`` -> what does not work without them; the installed Fanous says which
it has.
"""

WHEELS = {
    "ooniauth-py": "pip install 'fanous[server]' on x86-64 Linux (glibc 2.28 or newer) or an Apple processor: "
    "elsewhere it has no wheel"
}
"""Packages without which everything else works, and which some machines cannot have -> what they need."""

LEAST_FREE = 1 << 30
"""Bytes: a store of a country's measurements of some weeks, and the engine's temporary files."""


START_SECONDS = 60.0
"""Seconds for a child to confine itself, on a busy machine."""

LANDLOCK = "a kernel from 5.13, with landlock among those that /sys/kernel/security/lsm lists (lsm= at boot)"
OTHER_USER = "a start by another user, or a root with CAP_SETUID, CAP_SETGID, CAP_CHOWN and CAP_DAC_OVERRIDE"
SECCOMP = "a kernel with CONFIG_SECCOMP_FILTER, on x86-64 or arm64"


@dataclass(frozen=True, slots=True)
class Confined:
    """A process that reads strangers' bytes or holds the signing key.

    Attributes:
        process: ``reader`` (a file, records, or what a publisher answers), ``lists`` (those of OONI's bucket, and the
            stream of routes), ``bundles`` (packing, ``fanous verify``), ``collector`` or ``signer``.
        reaches: all that is left to it, in words.
    """

    process: str
    reaches: str


CONFINED = (
    Confined("reader", "the files or records that it reads, and a temporary folder; no network"),
    Confined("lists", "a routing table, and a temporary folder; connects to other machines"),
    Confined("bundles", "the bundle, the figures of users, and a temporary store; no network"),
    Confined("collector", "adds files to the inbox, and cannot read them; connects to other machines"),
    Confined("signer", "the folder of its key and log; no network"),
)


def tried_confinement() -> Confinement:
    """By what a process can be confined on this machine, as a confined one finds.

    Raises:
        NotStarted: no process can be started.
    """
    server = ForkServer()
    with NamedTemporaryFile() as file:
        child = server.start(_try, file.name)
        try:
            if not child.connection.poll(START_SECONDS):
                return Confinement(0, seccomp=False)
            return msgspec.msgpack.decode(child.connection.recv_bytes(1000), type=Confinement)
        except (EOFError, OSError):  # the kernel offers it and refuses it
            return Confinement(0, seccomp=False)
        finally:
            child.end()
            server.stop()


def _try(connection: Connection, _descriptors: Sequence[int], file: str) -> None:
    means = confine(Grant())
    reached_file, reached_network = True, True
    try:
        Path(file).read_bytes()
    except PermissionError:
        reached_file = False
    try:
        socket.socket().close()
    except PermissionError:
        reached_network = False
    found = replace(
        means,
        landlock=0 if reached_file else means.landlock,
        seccomp=means.seccomp and not reached_network,
    )
    connection.send_bytes(msgspec.msgpack.encode(found))


def of_confinement(means: Confinement) -> list[Need]:
    """What confines the processes of ``CONFINED``; they run without it, too."""
    gaps = "a record that takes over its reader could " + "; ".join(means.gaps)
    return [
        Need(
            "server", f"Landlock (ABI {means.landlock})", means.landlock > 0, LANDLOCK, gaps, is_vital=False
        ),
        Need("server", "seccomp", means.seccomp, SECCOMP, gaps, is_vital=False),
        Need("server", "a user other than root", not means.is_root, OTHER_USER, gaps, is_vital=False),
    ]


def examine(store: Path) -> list[Need]:
    """Everything needed, in the order in which it is shown.

    Args:
        store: folder that holds, or will hold, the store.
    """
    return [*_of_the_probe(), *_of_the_server(store)]


def _of_the_probe() -> list[Need]:
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    fast = "block page fingerprints are searched one by one, a thousand times slower"
    return [
        Need("probe", version, sys.version_info >= (3, 11), "Python 3.11 or newer", "nothing works"),
        Need("probe", "aioquic", _has("aioquic"), "pip install fanous", "QUIC is not measured"),
        Need("probe", "hyperscan", _has("hyperscan"), "pip install hyperscan", fast, is_vital=False),
    ]


def _of_the_server(store: Path) -> list[Need]:
    mend = "pip install 'fanous[server]'"
    try:
        packages = packages_of("server", requires("fanous") or [])
    except PackageNotFoundError:
        return [Need("server", "an installed fanous", False, mend, "its requirements are unknown")]
    found = [
        Need(
            "server",
            name,
            _is_installed(name),
            WHEELS.get(name, mend),
            WITHOUT.get(name, "some of its commands"),
            is_vital=name not in WHEELS,
        )
        for name in packages
    ]
    place = existing(store)
    free = shutil.disk_usage(place).free >= LEAST_FREE
    name = f"at least 1 GB of free disk under {place}"
    return [
        *found,
        Need("server", name, free, "free some space, or choose another folder", "a store may fill the disk"),
    ]


def packages_of(extra: str, requirements: list[str]) -> list[str]:
    """Names of the packages that an extra installs on this Python, from a distribution's metadata (PEP 508)."""
    return [name for name, marker in map(_split, requirements) if _wants(marker, extra)]


def _split(requirement: str) -> tuple[str, str]:
    wanted, _, marker = requirement.partition(";")
    return re.split(r"[^\w.-]", wanted.strip())[0].lower(), marker


def _wants(marker: str, extra: str) -> bool:
    """Does a marker select this extra?  Only markers for extra and Python version are read; what a machine cannot have
    is shown as lacking there (``WHEELS``)."""
    below = re.search(r"python_version\s*<\s*['\"]3\.(\d+)['\"]", marker)
    if below and sys.version_info >= (3, int(below[1])):
        return False
    return re.search(rf"extra\s*==\s*['\"]{extra}['\"]", marker) is not None


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def existing(folder: Path) -> Path:
    """The folder, or its nearest existing parent: it will be on the same disk."""
    whole = folder.absolute()
    return next(one for one in (whole, *whole.parents) if one.is_dir())


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
