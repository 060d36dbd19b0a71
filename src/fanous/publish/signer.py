"""Signer: the key that shows who published something, and the only place where it signs.

A signer is asked to sign a digest for a purpose, and sees no content.  It writes down what it signs before it does, in
a log next to the key.  There are two: the key in this process, for a command that its owner runs, and a process of its
own that holds the key while a monitor runs (``signer_at`` finds it), so that the monitor itself does not.

The Ed25519 key is made by `fanous init`, the page of `fanous run` that does the same, or `fanous incidents key --new`,
and stays on the machine.  Signing never makes one: on a server that was restored without its key, that would silently
be another signer.

A receipt says what was received.  There are many, so another key signs them: one that the main key has certified, for a
month, and for that purpose alone.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from struct import Struct as Layout
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from fanous.base.confine import Grant, confine
from fanous.base.files import OTHERS, PRIVATE_FILE, check_regular, disk_errors, make_folder, sync
from fanous.base.overwrite import refusal
from fanous.errors import FanousError
from fanous.model.instant import DAY, from_iso, to_iso

KEY_FILE = "evidence-key.pem"

VALID_DAYS = 30
"""Days for which the key for receipts is certified: a stolen one is of no use for longer."""


class Purpose(StrEnum):
    """What a signature is for; one for another purpose is invalid."""

    BUNDLE = "bundle"
    CERTIFICATE = "certificate"
    RECEIPT = "receipt"


def statement(purpose: Purpose, digest: bytes) -> bytes:
    """The bytes that are signed: one line, which nothing else that this key signs can be."""
    return f"fanous {purpose} sha256:{digest.hex()}\n".encode()


class ReceiptCertificate(Struct, frozen=True, forbid_unknown_fields=True):
    """The main key's word that another key may sign receipts for a time.

    Attributes:
        key: hex of the public Ed25519 key.
        not_before, not_after: RFC 3339, UTC.
        by: hex of the main public key.
        signature: hex; of the digest of the other fields.
    """

    key: str
    not_before: str
    not_after: str
    by: str
    signature: str = ""

    def digest(self) -> bytes:
        unsigned = msgspec.structs.replace(self, signature="")
        return sha256(msgspec.json.encode(unsigned)).digest()

    def is_valid(self, main: str, at: float) -> bool:
        """Does the key with this public half say so, for this time?"""
        try:
            is_now = from_iso(self.not_before) <= at <= from_iso(self.not_after)
        except ValueError:
            return False
        stated = statement(Purpose.CERTIFICATE, self.digest())
        return is_now and self.by == main and is_signed_by(main, self.signature.encode(), stated)


class Signer(Protocol):
    """Signs digests."""

    @property
    def public(self) -> str:
        """The public half of its key: 32 bytes as hex.

        Raises:
            KeyMissing: there is none.
            FanousError: it cannot be used.
        """
        ...

    def sign(self, purpose: Purpose, digest: bytes) -> bytes:
        """The signature of a SHA-256; raises as ``public``."""
        ...


class KeyMissing(FanousError):
    """There is no key to sign with."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key in this process.

    Attributes:
        log: file of what it signs; ``None`` = there is none.
    """

    key: Ed25519PrivateKey
    log: Path | None = None

    @property
    def public(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def sign(self, purpose: Purpose, digest: bytes) -> bytes:
        if self.log is not None:
            entry = {
                "at": to_iso(time.time()),
                "purpose": purpose,
                "key": self.public,
                "sha256": digest.hex(),
            }
            _append(self.log, msgspec.json.encode(entry) + b"\n")
        return self.key.sign(statement(purpose, digest))


def _append(log: Path, line: bytes) -> None:
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise FanousError(
            f"nothing was signed, since the log of signatures {log} cannot be written: {error.strerror}"
        ) from error


@dataclass(frozen=True, slots=True)
class SignerProcess:
    """A signer that listens at a socket."""

    path: Path

    @property
    def public(self) -> str:
        return self._ask(_Request()).public

    def sign(self, purpose: Purpose, digest: bytes) -> bytes:
        return self._ask(_Request(purpose, digest)).signature

    def certificate(self) -> ReceiptCertificate:
        """Of the key that signs receipts at present."""
        certificate = self._ask(_Request(Purpose.CERTIFICATE)).certificate
        if certificate is None:
            raise FanousError(f"the signer at {self.path} has certified no key: it is of another version")
        return certificate

    def _ask(self, request: "_Request") -> "_Reply":
        try:
            with _connected(self.path) as line:
                line.settimeout(ASK_SECONDS)
                line.sendall(_encode(request))
                line.shutdown(socket.SHUT_WR)
                reply = msgspec.msgpack.decode(_received(line, LARGEST), type=_Reply)
        except (OSError, msgspec.MsgspecError) as error:
            raise FanousError(
                f"the signer at {self.path} does not answer: {error}", permanent=False
            ) from error
        if reply.error:
            raise KeyMissing(reply.error) if reply.is_missing else FanousError(reply.error)
        return reply


def signer_at(key: Path) -> Signer:
    """The signer that holds a key: the process that listens next to its file, or there, if it is a socket; else the key
    itself, in this process.

    Raises:
        KeyMissing: there is no key.
        FanousError: it cannot be used.
    """
    for path in (key, socket_beside(key)):
        if path.is_socket() and is_answered(path):
            return SignerProcess(path)
    return signing_key(key)


def socket_beside(key: Path) -> Path:
    return key.with_suffix(".sock")


def log_beside(key: Path) -> Path:
    return key.with_suffix(".log")


def is_answered(path: Path) -> bool:
    """Does a process listen at this socket?"""
    try:
        with _connected(path):
            return True
    except OSError:
        return False


def who_signs(key: Path) -> int | None:
    """The user id of the running signer that ``signer_at`` would ask; ``None`` = there is none."""
    for path in (key, socket_beside(key)):
        with suppress(OSError), _connected(path) as line:
            _pid, uid, _gid = PEER.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
            return int(uid)
    return None


# --- the key ------------------------------------------------------------------------------------------------


def signing_key(path: Path) -> "OwnKey":
    """The key in ``path``.

    Raises:
        KeyMissing: there is none.
        FanousError: it cannot be read, others may read it, or it is another kind of key.
    """
    try:
        check_regular(path)
        if path.stat().st_mode & OTHERS:
            raise FanousError(f"others may read the key {path}: run `chmod 600 {path}` first")
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise KeyMissing(
            f"there is no key to sign bundles with at {path}. If bundles were signed here before, put back a copy of "
            "that key: readers know its fingerprint. Otherwise make one: fanous incidents key --new"
        ) from None
    except OSError as error:
        raise FanousError(f"cannot use the key {path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise FanousError(f"{path} is not an unencrypted private key in PEM format: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise FanousError(f"the key {path} is not an Ed25519 key: name another one with --key")
    return OwnKey(key, log_beside(path))


def make_key(path: Path) -> "OwnKey":
    """A new key in ``path``, which only this user can read.

    Raises:
        FanousError: something is there already, and stays; or it cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        make_folder(path.parent)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        sync(path.parent)
    except FileExistsError:
        raise refusal(path, "a file") from None
    except OSError as error:
        raise FanousError(f"cannot write the key {path}: {error.strerror}") from error
    return OwnKey(key, log_beside(path))


def ensure_key(path: Path) -> bool:
    """Make the key of a new monitor unless there is one; was it made?"""
    if os.path.lexists(path):
        return False
    make_key(path)
    return True


def fingerprint(public: str) -> str:
    """The digest that people compare: SHA-256 of the public key's 32 bytes, as hex."""
    return sha256(bytes.fromhex(public)).hexdigest()


def is_signed_by(public: str, signature: bytes, content: bytes) -> bool:
    """Is ``signature`` this key's signature of ``content``?  Key and signature are lower-case hex."""
    try:
        raw_key, raw = bytes.fromhex(public), bytes.fromhex(signature.decode("ascii"))
        if raw_key.hex() != public or raw.hex().encode() != signature:
            return False
        Ed25519PublicKey.from_public_bytes(raw_key).verify(raw, content)
    except (ValueError, InvalidSignature):
        return False
    return True


# --- the process --------------------------------------------------------------------------------------------

PEER = Layout("=iII")
"""``struct ucred``: process, user and group of who listens."""

FIRST_PASSED = 3
"""SD_LISTEN_FDS_START of sd_listen_fds(3)."""

ASK_SECONDS = 10.0
"""Seconds for the signer to write its log and answer."""

LARGEST = 4096
"""Bytes of a request or a reply."""

HELD_SECONDS = 2.0
"""Seconds for which a client may keep the others waiting: a request is a single write."""


class _Request(Struct, frozen=True, forbid_unknown_fields=True):
    """Without a digest: the public key and, if asked for, the certificate."""

    purpose: Purpose | None = None
    digest: bytes = b""


class _Reply(Struct, frozen=True):
    public: str = ""
    signature: bytes = b""
    certificate: ReceiptCertificate | None = None
    error: str = ""
    is_missing: bool = False


_encode = msgspec.msgpack.Encoder().encode


@contextmanager
def _connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as line, _address(path) as address:
        line.connect(address)
        yield line


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """Short enough for the system, which takes 107 bytes: through a descriptor of the folder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        has_proc = Path("/proc/self/fd").is_dir()
        yield f"/proc/self/fd/{folder}/{path.name}" if has_proc else str(path)
    finally:
        os.close(folder)


def _received(line: socket.socket, most: int) -> bytes:
    data = b""
    while len(data) <= most and (more := line.recv(most)):
        data += more
    return data


def listening_at(path: Path) -> socket.socket:
    """A socket that only its owner can reach.

    Raises:
        FanousError: it cannot be made, or another signer listens there.
    """
    if is_answered(path):
        raise FanousError(f"another signer listens at {path}: end it, or name another key")
    with disk_errors(f"listen at {path}"):
        make_folder(path.parent)
        if path.is_socket():
            path.unlink()
        listening = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            with _address(path) as address:
                listening.bind(address)
        finally:
            os.umask(before)
        listening.listen(16)
    return listening


def passed_socket() -> socket.socket | None:
    """The socket that systemd made for this process (sd_listen_fds(3)); ``None`` = it was started another way."""
    is_ours = os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1"
    return socket.socket(fileno=FIRST_PASSED) if is_ours else None


def run_signer(lifeline: Connection, _descriptors: Sequence[int], key: Path) -> None:
    """Be the signer of a monitor until the other end of ``lifeline`` is closed."""
    try:
        listening = listening_at(socket_beside(key))
        lifeline.send_bytes(b"")
        serve(listening, key, lifeline.fileno())
    except FanousError as error:
        lifeline.send_bytes(str(error).encode())
        raise SystemExit(1) from None


def serve(listening: socket.socket, key: Path, lifeline: int) -> None:
    """Answer, confined to the key's folder, until something can be read from ``lifeline``."""
    folder = key.parent
    confine(Grant(reads=(folder,), writes=(folder,), keeps_user=True))
    holder = _Holder(key)
    while True:
        ready = select.select([listening.fileno(), lifeline], [], [])[0]
        if lifeline in ready:
            return
        line, _ = listening.accept()
        with line, suppress(OSError):
            line.settimeout(HELD_SECONDS)
            line.sendall(_encode(holder.reply(_received(line, LARGEST))))


def serve_until_stopped(listening: socket.socket, key: Path) -> None:
    """Answer until SIGINT or SIGTERM; for a unit of its own."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    serve(listening, key, woken)


class _Holder:
    """The key, once there is one, and the key for receipts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._main: OwnKey | None = None
        self._delegate: tuple[Ed25519PrivateKey, ReceiptCertificate] | None = None

    def reply(self, data: bytes) -> _Reply:
        try:
            request = msgspec.msgpack.decode(data, type=_Request)
            return self._reply(request)
        except msgspec.MsgspecError:
            return _Reply(error="this is not a request to a signer")
        except FanousError as error:
            return _Reply(error=str(error), is_missing=isinstance(error, KeyMissing))

    def _reply(self, request: _Request) -> _Reply:
        main = self._main = self._main or signing_key(self._path)
        if request.purpose is None:
            return _Reply(main.public)
        if request.purpose is Purpose.CERTIFICATE:
            return _Reply(main.public, certificate=self._delegated(main)[1])
        if len(request.digest) != sha256().digest_size:
            raise FanousError("a signer signs SHA-256 digests, and nothing else")
        if request.purpose is Purpose.BUNDLE:
            return _Reply(main.public, main.sign(request.purpose, request.digest))
        key, certificate = self._delegated(main)
        return _Reply(
            certificate.key, OwnKey(key, main.log).sign(request.purpose, request.digest), certificate
        )

    def _delegated(self, main: OwnKey) -> tuple[Ed25519PrivateKey, ReceiptCertificate]:
        """The key for receipts and its certificate: a new one a day before the old one ends."""
        now = time.time()
        if self._delegate is None or from_iso(self._delegate[1].not_after) - now < DAY:
            key, until = Ed25519PrivateKey.generate(), now + VALID_DAYS * DAY
            bare = ReceiptCertificate(OwnKey(key).public, to_iso(now), to_iso(until), main.public)
            signature = main.sign(Purpose.CERTIFICATE, bare.digest()).hex()
            self._delegate = key, msgspec.structs.replace(bare, signature=signature)
        return self._delegate
