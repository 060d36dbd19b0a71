"""Manifest: the digest of each part of a bundle, and who packed it; the only part that is signed.

No file can tell whether the fingerprint of its key belongs to someone you trust.
"""

from collections.abc import Mapping
from hashlib import sha256

import msgspec
from msgspec import Struct

from fanous.base.text import quoted
from fanous.publish.evidence.container import BundleRefused
from fanous.publish.signer import Purpose, Signer, is_signed_by, statement

FORMAT, OLDER = 3, 2
"""In format 2, the bytes of the manifest are signed; since format 3, a statement with their digest, since a signer sees
no more than that."""

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


def signed(parts: Mapping[str, bytes], signer: Signer, made_by: str, made_at: str) -> dict[str, bytes]:
    """Manifest and signature before the parts, as they go into the container."""
    listed = [BundlePart(name, len(parts[name]), sha256(parts[name]).hexdigest()) for name in PARTS]
    manifest = Manifest(WHAT, FORMAT, made_by, made_at, signer.public, listed)
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    signature = signer.sign(Purpose.BUNDLE, sha256(content).digest()).hex().encode()
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
    if manifest.what != WHAT or manifest.format not in (FORMAT, OLDER):
        raise BundleRefused(
            f"this is format {manifest.format} of a {quoted(manifest.what, 40)}; this version reads {OLDER} "
            f"and {FORMAT}"
        )
    is_older = manifest.format == OLDER
    signed_text = content if is_older else statement(Purpose.BUNDLE, sha256(content).digest())
    if not is_signed_by(manifest.key, parts[SIGNATURE], signed_text):
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
