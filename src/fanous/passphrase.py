"""Passphrase: hashing and checking."""

import hmac
import os
from base64 import b64decode, b64encode
from hashlib import scrypt

from fanous.errors import FanousError

LEAST_PASSPHRASE = 12
"""Characters.  With ten guesses and then one a minute from an address, four common words are safe."""

MOST_PASSPHRASE = 1024

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 5
"""OWASP's password storage cheat sheet (2023): 16 MiB and about 0.1 s for each guess."""


def hashed(passphrase: str) -> str:
    """The hash of a passphrase, as it is stored: ``scrypt$N$r$p$salt$hash``.

    Raises:
        FanousError: it is too short, or too long.
    """
    if not LEAST_PASSPHRASE <= len(passphrase) <= MOST_PASSPHRASE:
        raise FanousError(
            f"a passphrase has {LEAST_PASSPHRASE} to {MOST_PASSPHRASE:,} characters; four or five unrelated words "
            "work well"
        )
    salt = os.urandom(16)
    made = _scrypt(passphrase, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)
    numbers = f"{SCRYPT_N}${SCRYPT_R}${SCRYPT_P}"
    return f"scrypt${numbers}${b64encode(salt).decode()}${b64encode(made).decode()}"


def is_passphrase(given: str, kept: str) -> bool:
    """Does it match the hash ``kept``?  Takes a tenth of a second."""
    _, n, r, p, salt, made = kept.split("$")
    again = _scrypt(given[:MOST_PASSPHRASE], b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(again, b64decode(made))


def is_hash(text: str) -> bool:
    """Does the text have the form of a hash from ``hashed``?"""
    parts = text.split("$")
    return len(parts) == 6 and parts[0] == "scrypt" and all(part.isdigit() for part in parts[1:4])


def _scrypt(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 << 20, dklen=32)
