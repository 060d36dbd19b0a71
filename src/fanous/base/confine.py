"""Confine: what a process may still reach once it begins to read strangers' bytes.

The bytes are parsed by native code of many authors.  A fault there hands the process to their sender, so the
process gives up beforehand what it does not need: files, sockets, other programs, other processes.  Nothing can give it
back, and whatever it starts inherits the limits.

Two features of Linux do this, for any user: Landlock (files, TCP, signals; docs.kernel.org/userspace-api/landlock.html)
and seccomp (system calls; docs.kernel.org/userspace-api/seccomp_filter.html).  Where the kernel lacks one, the process
runs without it, and `fanous doctor` says so.

If root starts it, it also becomes a user of its own.  It keeps one of root's powers, to open the files that it is
granted even if they belong to others.
"""

import ctypes
import os
import platform
import struct
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from stat import S_ISDIR

import fanous


@dataclass(frozen=True, slots=True)
class Grant:
    """What a confined process may reach, apart from what it has open already and the code that it runs.

    Attributes:
        reads: files, and folders with everything in them.
        writes: folders in which it may create, rename and remove files; it cannot read what is in them.
        scratch: a folder in which it may do anything but make devices and sockets; ``None`` = it has none.
        internet: may it open connections to other machines, and read what looking up their names takes?  It never
            accepts any but from a socket that it was given, and never reaches a unix socket, such as the store's or the
            signer's.
        keeps_user: does it stay root if root started it?  So does the signer, whose log must belong to the key's user.
    """

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    scratch: Path | None = None
    internet: bool = False
    keeps_user: bool = False


@dataclass(frozen=True, slots=True)
class Confinement:
    """By what a process is confined, or can be on this machine.

    Attributes:
        landlock: version of its ABI; 0 = there is none.
        seccomp: can system calls be refused?
        is_root: does it stay root?
    """

    landlock: int
    seccomp: bool
    is_root: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        means = (f"Landlock (ABI {self.landlock})", self.landlock > 0), ("seccomp", self.seccomp)
        return tuple(name for name, has in means if has)

    @property
    def gaps(self) -> tuple[str, ...]:
        """What strangers' code could still do here, in words."""
        could = (
            ("read every file of this user, the signing key and the ledger among them", self.landlock < 1),
            ("accept and, in a reader, open TCP connections", self.landlock < 4 and not self.seccomp),
            ("signal this user's other processes", self.landlock < 6),
            ("use what root may do", self.is_root),
            ("reach unix sockets, and the internet by UDP", not self.seccomp),
        )
        return tuple(what for what, is_open in could if is_open)


RESOLVER = tuple(map(Path, ("/etc", "/run/systemd/resolve", "/proc/net")))
"""What looking up a name reads, which its owners replace at any time, and where the machine's own addresses are."""

# --- the kernel's interface ---------------------------------------------------------------------------------

_NO_NEW_PRIVS, _SET_SECCOMP, _GET_SECCOMP, _SET_DUMPABLE, _KEEP_CAPABILITIES = 38, 22, 21, 4, 8
"""PR_* of include/uapi/linux/prctl.h."""

_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2
"""CAP_* of include/uapi/linux/capability.h: to open any file, and to read any."""

_CAPABILITIES = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3, of the same file."""

FIRST_USER = 1_879_048_192
"""The first uid above those of containers (systemd.io/UIDS-GIDS).  Each process adds its own number, so that no two of
one machine or container are the same user."""

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
"""landlock_create_ruleset, landlock_add_rule, landlock_restrict_self; the same on every architecture."""

_VERSION, _PATH_BENEATH = 1, 1
"""LANDLOCK_CREATE_RULESET_VERSION and LANDLOCK_RULE_PATH_BENEATH of include/uapi/linux/landlock.h."""

_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_FILE, _MAKE_REG, _TRUNCATE = (
    1 << bit for bit in (1, 2, 3, 5, 8, 14)
)
_REMOVE_DIR, _MAKE_DIR, _MAKE_SYM, _REFER = (1 << bit for bit in (4, 7, 12, 13))
_FILE_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))
"""First ABI -> how many LANDLOCK_ACCESS_FS_* it knows: since 2 REFER, since 3 TRUNCATE, since 5 IOCTL_DEV."""

_BIND_TCP, _CONNECT_TCP = 1, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""Machine -> AUDIT_ARCH_* of include/uapi/linux/audit.h, and the column of ``_REFUSED``."""

_SOCKET = (41, 198)
_REFUSED = {
    "listen": (50, 201),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "execve": (59, 221),
    "execveat": (322, 281),
    "io_uring_setup": (425, 425),  # its operations pass by a filter
    "open_by_handle_at": (304, 265),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
"""System calls that no confined process needs -> their numbers on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) and
arm64 (include/uapi/asm-generic/unistd.h)."""

_X32 = 0x40000000
"""Bit of the numbers of x86-64's second ABI, which would pass by the filter."""

_AF_INET, _AF_INET6 = 2, 10
_ALLOW, _EPERM, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
"""SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO with EPERM and SECCOMP_RET_KILL_PROCESS of include/uapi/linux/seccomp.h."""

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
"""BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGE|K and BPF_RET|K of include/uapi/linux/bpf_common.h."""

_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Bytes in ``struct seccomp_data``; of the first argument, the lower half on these (little-endian) machines."""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _called(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _landlock_abi() -> int:
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, int(_libc().syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION)))


def available() -> Confinement:
    """What this machine's kernel offers."""
    is_supported = (
        sys.platform.startswith("linux") and platform.machine() in _ARCHITECTURES and sys.maxsize > 2**32
    )
    return Confinement(_landlock_abi(), is_supported and int(_libc().prctl(_GET_SECCOMP, 0, 0, 0, 0)) >= 0)


# --- confining ----------------------------------------------------------------------------------------------


def confine(grant: Grant) -> Confinement:
    """Give up everything else, for good; a process calls it before its first thread and the first strange byte.

    Returns:
        By what it is confined now.

    Raises:
        RuntimeError: this process has other threads, which would keep what this one gives up.
        OSError: the kernel offers confinement, and refuses it.
    """
    if _threads() > 1:
        raise RuntimeError("a process with several threads cannot be confined")
    if grant.scratch is not None:
        tempfile.tempdir = str(grant.scratch)
    means = available()
    if means.landlock or means.seccomp:
        _called(_libc().prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    if means.landlock:
        _landlock(grant, means.landlock)
    if os.geteuid() == 0 and sys.platform.startswith("linux") and not grant.keeps_user:
        _leave_root(grant)
    if means.seccomp:
        program = b"".join(_filter(grant.internet))
        instructions = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))  # struct sock_fprog
        _called(_libc().prctl(_SET_SECCOMP, 2, header, 0, 0))
    return replace(means, is_root=os.geteuid() == 0)


def _leave_root(grant: Grant) -> None:
    """Become a user of its own, unless the system refuses, as it does in some containers."""
    user, kept = FIRST_USER + os.getpid(), 1 << (_DAC_OVERRIDE if grant.writes else _DAC_READ_SEARCH)
    header = struct.pack("=Ii", _CAPABILITIES, 0)
    sets = ctypes.create_string_buffer(24)
    _called(_libc().capget(header, sets))
    permitted = struct.unpack("=6I", sets.raw)[1]
    if not permitted >> _DAC_OVERRIDE & permitted >> _DAC_READ_SEARCH & 1:
        return  # it could not open its files, nor its parent remove them
    try:
        if grant.scratch is not None:
            os.chown(grant.scratch, user, user)
        os.setgroups([])
        os.setresgid(user, user, user)
        _called(_libc().prctl(_KEEP_CAPABILITIES, 1, 0, 0, 0))
        os.setresuid(user, user, user)
    except OSError:
        return
    _called(_libc().capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)))
    _called(_libc().prctl(_SET_DUMPABLE, 1, 0, 0, 0))  # else its folder in /proc would be root's


def _threads() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return threading.active_count()


def code() -> tuple[Path, ...]:
    """Where this program's code, its libraries and their data are."""
    standard = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    packages = (path for path in sys.path if path.endswith(("site-packages", "dist-packages")))
    ours = (Path(fanous.__file__).parent, *map(Path, dict.fromkeys((*standard, *packages))))
    systems = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
    return (*ours, *map(Path, systems), Path("/dev/null"), Path("/dev/urandom"))


def _landlock(grant: Grant, abi: int) -> None:
    known_rights = max(count for since, count in _FILE_RIGHTS if abi >= since)
    rights = (1 << known_rights) - 1
    network = 0 if abi < 4 else _BIND_TCP if grant.internet else _BIND_TCP | _CONNECT_TCP
    scopes = 0 if abi < 6 else _ABSTRACT_SOCKETS | _SIGNALS
    sizes = 8 if abi < 4 else 16 if abi < 6 else 24
    handled = struct.pack("=QQQ", rights, network, scopes)[:sizes]
    ruleset = _called(_libc().syscall(_CREATE, handled, ctypes.c_size_t(sizes), 0))
    try:
        scratch = () if grant.scratch is None else (grant.scratch,)
        resolver = RESOLVER if grant.internet else ()
        for path in (*code(), *grant.reads, *resolver, *scratch):
            _allow(ruleset, path, (_READ_FILE | _READ_DIR) & rights)
        adding = _WRITE_FILE | _TRUNCATE | _MAKE_REG | _REMOVE_FILE | _READ_DIR
        for path in (*grant.writes, *scratch):
            _allow(ruleset, path, adding & rights)
        for path in scratch:
            _allow(ruleset, path, (_REMOVE_DIR | _MAKE_DIR | _MAKE_SYM | _REFER) & rights)
        _called(_libc().syscall(_RESTRICT, ruleset, 0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    """What does not exist is left out: to reach it, its process needs no right."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not S_ISDIR(os.fstat(place).st_mode):
                rights &= _READ_FILE | _WRITE_FILE | _TRUNCATE
            rule = struct.pack("=Qi", rights, place)
            _called(_libc().syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
        finally:
            os.close(place)


def _filter(internet: bool) -> Iterator[bytes]:
    """A program of classic BPF; a jump counts the instructions that it leaves out, if true and if not."""
    architecture, column = _ARCHITECTURES[platform.machine()]
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_IF_EQUAL, architecture, 1, 0)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NUMBER)
    yield _step(_IF_AT_LEAST, _X32, 0, 1)
    yield _step(_RETURN, _EPERM)
    for numbers in _REFUSED.values():
        yield _step(_IF_EQUAL, numbers[column], 0, 1)
        yield _step(_RETURN, _EPERM)
    yield _step(_IF_EQUAL, _SOCKET[column], 1, 0)
    yield _step(_RETURN, _ALLOW)
    if internet:
        yield _step(_LOAD, _FIRST_ARGUMENT)
        for family in (_AF_INET, _AF_INET6):
            yield _step(_IF_EQUAL, family, 0, 1)
            yield _step(_RETURN, _ALLOW)
    yield _step(_RETURN, _EPERM)


def _step(code: int, value: int, if_true: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_not, value)
