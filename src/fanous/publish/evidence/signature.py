"""Signature: the Ed25519 key that shows who packed a bundle.

The key is made on first use and stays on the machine; whether a fingerprint is that of somebody you trust,
no file can tell you.
"""

import os
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fanous.errors import FanousError

KEY_FILE = "evidence-key.pem"
OTHERS = 0o077
"""Permission bits that a private key must not have."""


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in ``path``, made there where there is none.

    Raises:
        FanousError: it cannot be read or made, others may read it, or it is another kind of key.
    """
    try:
        if not path.exists():
            _make_key(path)
        if path.stat().st_mode & OTHERS:
            raise FanousError(f"others may read the key {path}: run `chmod 600 {path}` first")
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise FanousError(f"cannot use the key {path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise FanousError(f"{path} is not a private key in PEM without a pass phrase: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise FanousError(f"the key {path} is not an Ed25519 key: name another one with --key")
    return key


def _make_key(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, pem)
        os.fsync(file)
    finally:
        os.close(file)


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half: 32 bytes as hex."""
    return key.public_key().public_bytes_raw().hex()


def fingerprint(public: str) -> str:
    """What people compare: SHA-256 of the public key's 32 bytes, as hex."""
    return sha256(bytes.fromhex(public)).hexdigest()


def is_signed_by(public: str, signature: bytes, content: bytes) -> bool:
    """Is ``signature`` (hex in lower case) of ``content`` by this key (likewise)?"""
    try:
        raw_key, raw = bytes.fromhex(public), bytes.fromhex(signature.decode("ascii"))
        if raw_key.hex() != public or raw.hex().encode() != signature:
            return False
        Ed25519PublicKey.from_public_bytes(raw_key).verify(raw, content)
    except (ValueError, InvalidSignature):
        return False
    return True
