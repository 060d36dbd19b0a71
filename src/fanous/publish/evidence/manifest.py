"""Manifest: the digest of each part of a bundle, and who packed it; the only part that is signed.

The Ed25519 key that shows who packed a bundle is made by `fanous init`, the page of `fanous run` that does the same, or
`fanous incidents key --new`, and stays on the machine. Signing never makes one: on a server that was restored without
its key, that would silently be another signer. No file can tell whether its fingerprint belongs to someone you trust.
"""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from fanous.base.files import OTHERS, PRIVATE_FILE, check_regular, make_folder, sync
from fanous.base.overwrite import refusal
from fanous.base.text import quoted
from fanous.errors import FanousError
from fanous.publish.evidence.container import BundleRefused

KEY_FILE = "evidence-key.pem"


class KeyMissing(FanousError):
    """There is no key to sign with."""


def signing_key(path: Path) -> Ed25519PrivateKey:
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
    return key


def make_key(path: Path) -> Ed25519PrivateKey:
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
    return key


def ensure_key(path: Path) -> bool:
    """Make the key of a new monitor unless there is one; was it made?"""
    if os.path.lexists(path):
        return False
    make_key(path)
    return True


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half: 32 bytes as hex."""
    return key.public_key().public_bytes_raw().hex()


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


FORMAT = 2
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
CLAIM, LEDGER, REFERENCE, USED = "claim.json", "ledger.json", "reference.json", "used.json"
PARAMETERS = "parameters.json"
RECORDS, CONTROLS, LEVELS = "records.jsonl.zst", "controls.jsonl.zst", "levels.jsonl.zst"
SOURCES, README = "sources.json", "README.txt"
PARTS = (README, CLAIM, LEDGER, REFERENCE, USED, PARAMETERS, SOURCES, RECORDS, CONTROLS, LEVELS)
"""All parts that the manifest lists, in the order of the file."""


class BundlePart(Struct, frozen=True):
    """One part: its length in bytes and its SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """The signed part.

    Attributes:
        made_at: RFC 3339, UTC, to the minute.
        key: hex of the public Ed25519 key.
    """

    what: str
    format: int
    made_by: str
    made_at: str
    key: str
    parts: list[BundlePart]


WHAT = "fanous evidence bundle"
_decoder = msgspec.json.Decoder(Manifest, strict=True)


def signed(
    parts: Mapping[str, bytes], key: Ed25519PrivateKey, made_by: str, made_at: str
) -> dict[str, bytes]:
    """Manifest and signature before the parts, as they go into the container."""
    listed = [BundlePart(name, len(parts[name]), sha256(parts[name]).hexdigest()) for name in PARTS]
    manifest = Manifest(WHAT, FORMAT, made_by, made_at, public_hex(key), listed)
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    signature = key.sign(content).hex().encode()
    return {MANIFEST: content, SIGNATURE: signature, **{name: parts[name] for name in PARTS}}


def checked(parts: Mapping[str, bytes]) -> Manifest:
    """The manifest of a bundle, after its signature and digests were checked.

    Raises:
        BundleRefused: one of them is wrong, or a part is missing, added or out of order.
    """
    if tuple(parts)[:2] != (MANIFEST, SIGNATURE):
        raise BundleRefused(
            "this is not an evidence bundle: it does not begin with a manifest and its signature"
        )
    content = parts[MANIFEST]
    try:
        manifest = _decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleRefused(f"the manifest cannot be read: {quoted(error)}") from error
    if manifest.what != WHAT or manifest.format != FORMAT:
        raise BundleRefused(
            f"this is format {manifest.format} of a {quoted(manifest.what, 40)}; this version reads {FORMAT}"
        )
    if not is_signed_by(manifest.key, parts[SIGNATURE], content):
        raise BundleRefused(
            "the signature is not that of this manifest: the bundle was changed after it was signed"
        )
    if [part.name for part in manifest.parts] != list(PARTS) or list(parts)[2:] != list(PARTS):
        raise BundleRefused("its parts are not those of the manifest: one is missing, added or out of order")
    for part in manifest.parts:
        own = parts[part.name]
        if len(own) != part.bytes or sha256(own).hexdigest() != part.sha256:
            raise BundleRefused(f"the part {part.name} is not the one that was signed")
    return manifest
