"""A signer of its own holds the key, signs digests for a purpose, and writes down what it signs before it does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from fanous.base.forkserver import ForkedChild, ForkServer
from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.publish.signer import (
    KeyMissing,
    OwnKey,
    Purpose,
    SignerProcess,
    is_answered,
    is_signed_by,
    log_beside,
    make_key,
    run_signer,
    signer_at,
    socket_beside,
    statement,
    who_signs,
)
from tests.children import child_environment

DIGEST = sha256(b"a manifest").digest()


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.stop()


def started(server: ForkServer, key: Path) -> ForkedChild:
    child = server.start(run_signer, key)
    assert child.connection.recv_bytes() == b"", "it listens"
    return child


@pytest.fixture
def signer(server: ForkServer, tmp_path: Path) -> Iterator[SignerProcess]:
    """A running one; its key is made later."""
    child = started(server, tmp_path / "key.pem")
    yield SignerProcess(socket_beside(tmp_path / "key.pem"))
    child.end()


def log_of(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in log_beside(folder / "key.pem").read_text().splitlines()]


def test_both_signers_sign_alike_and_are_found_by_the_file_of_the_key(
    signer: SignerProcess, tmp_path: Path
) -> None:
    own = make_key(tmp_path / "key.pem")
    found = signer_at(tmp_path / "key.pem")
    assert found == signer
    assert signer_at(socket_beside(tmp_path / "key.pem")) == SignerProcess(signer.path)
    assert found.public == own.public
    assert found.sign(Purpose.BUNDLE, DIGEST) == own.sign(Purpose.BUNDLE, DIGEST)
    assert signer.path.stat().st_mode & 0o777 == 0o600


def test_without_a_running_signer_the_key_signs_here(server: ForkServer, tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    started(server, tmp_path / "key.pem").end()
    assert socket_beside(tmp_path / "key.pem").is_socket(), "left by one that was killed"
    assert isinstance(signer_at(tmp_path / "key.pem"), OwnKey)
    child = started(server, tmp_path / "key.pem")
    assert isinstance(signer_at(tmp_path / "key.pem"), SignerProcess)
    child.end()


def test_a_signer_says_that_its_key_is_missing_and_takes_the_copy_that_is_put_back(
    signer: SignerProcess, tmp_path: Path
) -> None:
    with pytest.raises(KeyMissing, match="put back a copy"):
        signer.sign(Purpose.BUNDLE, DIGEST)
    own = make_key(tmp_path / "key.pem")
    assert signer.public == own.public


def test_what_is_signed_is_in_the_log_with_its_purpose(signer: SignerProcess, tmp_path: Path) -> None:
    own = make_key(tmp_path / "key.pem")
    signer.sign(Purpose.BUNDLE, DIGEST)
    signer.sign(Purpose.RECEIPT, DIGEST)
    bundle, certificate, receipt = log_of(tmp_path)
    assert log_beside(tmp_path / "key.pem").stat().st_uid == (tmp_path / "key.pem").stat().st_uid
    assert (bundle["purpose"], bundle["sha256"], bundle["key"]) == ("bundle", DIGEST.hex(), own.public)
    assert certificate["purpose"] == "certificate"
    assert receipt["purpose"] == "receipt"
    assert receipt["key"] == signer.certificate().key


def test_what_cannot_be_logged_is_not_signed(signer: SignerProcess, tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    log_beside(tmp_path / "key.pem").mkdir()
    with pytest.raises(FanousError, match="log of signatures"):
        signer.sign(Purpose.BUNDLE, DIGEST)


def test_the_key_for_receipts_is_certified_for_them_alone_and_for_a_month(
    signer: SignerProcess, tmp_path: Path
) -> None:
    main = make_key(tmp_path / "key.pem").public
    certificate, now = signer.certificate(), time.time()
    signature = signer.sign(Purpose.RECEIPT, DIGEST).hex().encode()
    assert certificate.is_valid(main, now)
    assert is_signed_by(certificate.key, signature, statement(Purpose.RECEIPT, DIGEST))
    assert not is_signed_by(certificate.key, signature, statement(Purpose.BUNDLE, DIGEST))
    assert not is_signed_by(main, signature, statement(Purpose.RECEIPT, DIGEST))
    assert not certificate.is_valid(main, now - DAY)
    assert not certificate.is_valid(main, now + 31 * DAY)
    assert not certificate.is_valid(make_key(tmp_path / "other.pem").public, now)
    later = msgspec.structs.replace(certificate, not_after="2099-01-01T00:00:00Z")
    assert not later.is_valid(main, now)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"rubbish",
        msgspec.msgpack.encode({"purpose": "bundle", "digest": b"a whole document to sign"}),
        msgspec.msgpack.encode({"purpose": "anything", "digest": DIGEST}),
        bytes(5000),
    ],
)
def test_a_signer_takes_nothing_but_a_digest_and_its_purpose(
    sent: bytes, signer: SignerProcess, tmp_path: Path
) -> None:
    own = make_key(tmp_path / "key.pem")
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(signer.path))
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        reply = msgspec.msgpack.decode(line.recv(4096))
    assert reply["error"]
    assert not reply["signature"]
    assert not log_beside(tmp_path / "key.pem").exists()
    assert signer.public == own.public, "it goes on"


def test_a_second_signer_does_not_take_the_place_of_the_first(
    signer: SignerProcess, server: ForkServer
) -> None:
    child = server.start(run_signer, signer.path.with_suffix(".pem"))
    assert b"another signer listens" in child.connection.recv_bytes()
    child.end()


def test_a_signer_ends_with_the_process_that_started_it(server: ForkServer, tmp_path: Path) -> None:
    child = started(server, tmp_path / "key.pem")
    os.kill(child.pid, 0)
    child.connection.close()
    assert child.wait(10) == 0


PASSED = """
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Starts a program with a socket, as systemd does."""


def test_a_signer_of_a_unit_listens_where_systemd_says_and_ends_when_it_is_told(tmp_path: Path) -> None:
    own = make_key(tmp_path / "key.pem")
    command = [sys.executable, "-m", "fanous", "incidents", "signer", "--key", str(tmp_path / "key.pem")]
    argv = [sys.executable, "-c", PASSED, str(tmp_path / "unit.sock"), *command]
    with subprocess.Popen(argv, env=child_environment()) as unit:
        until = time.monotonic() + 60
        while not is_answered(tmp_path / "unit.sock"):
            assert time.monotonic() < until and unit.poll() is None
            time.sleep(0.05)
        found = signer_at(tmp_path / "unit.sock")
        assert found.sign(Purpose.BUNDLE, DIGEST) == own.sign(Purpose.BUNDLE, DIGEST)
        assert who_signs(tmp_path / "unit.sock") == os.getuid()
        assert not socket_beside(tmp_path / "key.pem").exists()
        unit.send_signal(signal.SIGTERM)
        assert unit.wait(30) == 0
