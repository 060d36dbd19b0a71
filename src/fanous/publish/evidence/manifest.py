"""Manifest: the parts of a bundle by content, and who packed it; the one part that is signed."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from fanous.publish.evidence.container import BundleRefused
from fanous.publish.evidence.signature import is_signed_by, public_hex

FORMAT = 2
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
CLAIM, LEDGER, REFERENCE, USED = "claim.json", "ledger.json", "reference.json", "used.json"
PARAMETERS = "parameters.json"
RECORDS, CONTROLS, LEVELS = "records.jsonl.zst", "controls.jsonl.zst", "levels.jsonl.zst"
SOURCES, README = "sources.json", "README.txt"
PARTS = (README, CLAIM, LEDGER, REFERENCE, USED, PARAMETERS, SOURCES, RECORDS, CONTROLS, LEVELS)
"""All parts that the manifest lists, in the order of the file."""


class BundlePart(Struct, frozen=True):
    """One part: its length in bytes and the hex SHA-256 of them."""

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
    """The manifest of a bundle whose signature and digests hold.

    Raises:
        Refused: they do not, or a part is missing, added or out of order.
    """
    if tuple(parts)[:2] != (MANIFEST, SIGNATURE):
        raise BundleRefused(
            "this is not an evidence bundle: it does not begin with a manifest and its signature"
        )
    content = parts[MANIFEST]
    try:
        manifest = _decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleRefused(f"the manifest cannot be read: {error}") from error
    if manifest.what != WHAT or manifest.format != FORMAT:
        raise BundleRefused(
            f"this is format {manifest.format} of a {manifest.what[:40]!r}; this version reads {FORMAT}"
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
