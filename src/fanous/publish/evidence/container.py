"""Container: named parts in one plain tar file, of which every byte is determined.

``tar xf`` opens it.  The reader takes only the one spelling that the writer has - fixed headers, zero
padding, two zero blocks, nothing behind - so that no byte can change unseen.
"""

import tarfile
from collections.abc import Mapping
from pathlib import Path

from fanous.errors import FanousError

BLOCK = 512
MOST_BYTES = 1 << 30
"""A bundle of a million measurements has some 100 MB; what is larger is not read into memory."""

MOST_PARTS = 32


class BundleRefused(FanousError):
    """A bundle that must not be believed; the message says which part and why."""


def pack_parts(parts: Mapping[str, bytes]) -> bytes:
    """The file, in the order of the parts."""
    blocks = []
    for name, content in parts.items():
        blocks += [_header(name, len(content)), content, bytes(-len(content) % BLOCK)]
    return b"".join([*blocks, bytes(2 * BLOCK)])


def read_parts(path: Path) -> dict[str, bytes]:
    """The parts by name, in order.

    Raises:
        Refused: it is not such a file, or a single byte is not as the writer writes it.
        FanousError: it cannot be read.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BundleRefused(f"{path} is larger than {MOST_BYTES >> 20} MiB, which no bundle is")
        content = path.read_bytes()
    except OSError as error:
        raise FanousError(f"cannot read the bundle {path}: {error.strerror}") from error
    return unpack_parts(content)


def unpack_parts(content: bytes) -> dict[str, bytes]:
    """See ``read_parts``."""
    parts: dict[str, bytes] = {}
    at = 0
    while content[at : at + BLOCK].strip(b"\0"):
        name, size = _read_header(content[at : at + BLOCK])
        at += BLOCK
        end = at + size
        padded = end + -size % BLOCK
        if padded > len(content) or any(content[end:padded]):
            raise BundleRefused(f"the part {name} is cut off, or followed by something that is not padding")
        if name in parts or len(parts) >= MOST_PARTS:
            raise BundleRefused(f"the part {name} is there twice, or there are more parts than a bundle has")
        parts[name] = content[at:end]
        at = padded
    if not parts or content[at:] != bytes(2 * BLOCK):
        raise BundleRefused(
            "this is not an evidence bundle, or it is cut off, or something was added at its end"
        )
    return parts


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(tarfile.USTAR_FORMAT)


def _read_header(block: bytes) -> tuple[str, int]:
    try:
        entry = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.TarError, UnicodeError, ValueError) as error:
        raise BundleRefused(
            f"this is not an evidence bundle: a header in it is no tar header ({error})"
        ) from error
    try:
        same = 0 <= entry.size <= MOST_BYTES and _header(entry.name, entry.size) == block
    except (ValueError, UnicodeError):
        same = False
    if not same:
        raise BundleRefused("a header is not as the writer of bundles writes it")
    return entry.name, entry.size
