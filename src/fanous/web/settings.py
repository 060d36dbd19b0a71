"""Settings: the table ``[web]`` - public address, limits and administration of the pages; the desk's passphrase."""

import hmac
import os
from base64 import b64decode, b64encode
from hashlib import scrypt, sha256
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, field
from msgspec.structs import force_setattr

from fanous.collector.origin import trusted_proxies
from fanous.config import Section, Some, Text, WrongKey, about, check_web_address
from fanous.errors import FanousError
from fanous.refdata.countries import shapes

LEAST_TOKEN = 24
"""Fewest characters of an administrator's token; a shorter one can be guessed."""


class Token(str):
    """A secret, given by the name of an environment variable, so that the configuration file can be shared."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"

    @classmethod
    def from_toml(cls, name: str) -> "Token":
        token = os.environ.get(name, "")
        if len(token) < LEAST_TOKEN:
            lacking = f"has fewer than {LEAST_TOKEN} characters" if token else "is not set"
            raise ValueError(
                f"the environment variable {name!r} {lacking}; `openssl rand -hex 32` makes a token"
            )
        return cls(token)


def is_same(typed: str, secret: str) -> bool:
    """Is it the secret?  An empty one never matches.

    Digests are compared in constant time, so that neither its length nor its beginning can be guessed.
    """
    return bool(secret) and hmac.compare_digest(
        sha256(typed.encode()).digest(), sha256(secret.encode()).digest()
    )


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
    digest = _scrypt(passphrase, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)
    numbers = f"{SCRYPT_N}${SCRYPT_R}${SCRYPT_P}"
    return f"scrypt${numbers}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def is_passphrase(given: str, kept: str) -> bool:
    """Does it match the hash ``kept``?  Takes a tenth of a second."""
    _, n, r, p, salt, parts = kept.split("$")
    again = _scrypt(given[:MOST_PASSPHRASE], b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(again, b64decode(parts))


def is_hash(text: str) -> bool:
    """Does the text have the form of a hash from ``hashed``?"""
    parts = text.split("$")
    return len(parts) == 6 and parts[0] == "scrypt" and all(part.isdigit() for part in parts[1:4])


def _scrypt(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 << 20, dklen=32)


class PassphraseHash(str):
    """What ``fanous init`` keeps of a passphrase, given by the name of an environment variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"

    @classmethod
    def from_toml(cls, name: str) -> "PassphraseHash":
        kept = os.environ.get(name, "")
        if not is_hash(kept):
            lacking = "is not set" if not kept else "does not hold the hash of a passphrase"
            raise ValueError(
                f"the environment variable {name!r} {lacking}; `fanous init --passphrase` makes one"
            )
        return cls(kept)


class SiteSettings(Section, frozen=True):
    """The table ``[web]``.

    Attributes:
        url: public address without a slash at its end; empty = as each request names it.
        map: file with the shapes of countries; ``None`` = the one included.
        key: signs evidence bundles; ``None`` = the user's own.
        hosts: further names of the site, besides that of ``url``.
        trust_proxy: networks of our own proxies, whose ``X-Forwarded-For`` gives the reader's address.
        connections: most open connections in total.
        per_address: most open connections from one address.
        token: for administrators and the desk; empty = it opens neither.
        passphrase: opens the desk too; empty = none does.
        channels: addresses at which the owner publishes, for readers to follow.
    """

    url: str = ""
    map: Path | None = None
    key: Path | None = None
    token: Token = field(default=Token(), name="admin_token")
    passphrase: PassphraseHash = field(default=PassphraseHash(), name="desk_passphrase")
    hosts: Some[Text] = ()
    channels: Some[Text] = ()
    trust_proxy: Some[Text] = ()
    connections: Annotated[int, Meta(ge=16, le=100_000)] = 2000
    per_address: Annotated[int, Meta(ge=6)] = 128

    def __post_init__(self) -> None:
        check_web_address("url", self.url)
        for address in self.channels:
            check_web_address("channels", address)
        with about("trust_proxy"):
            trusted_proxies(self.trust_proxy)
        force_setattr(self, "url", self.url.rstrip("/"))
        if urlsplit(self.url).path or urlsplit(self.url).query:
            raise WrongKey(
                "url",
                f"{self.url!r} must be a site's address without a path, such as 'https://fanous.example'",
            )
        if self.map is not None:
            with about("map"):
                drawn = shapes(self.map)
            if not drawn:
                why = "has no country: a line is a code, a tab and the path of an SVG"
                raise WrongKey("map", f"{self.map} {why}")
